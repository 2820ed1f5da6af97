#!/bin/sh
# Snapshots of the router once a second, each below a line with the clock.
while :; do
  clock=$(date '+# %s.%N %Y-%m-%dT%H:%M:%SZ')
  { echo "$clock conntrack -L -o extended,id" && conntrack -L -o extended,id 2>/dev/null; } >>"$1/conntrack-L.log"
  { echo "$clock ip neigh show" && ip neigh show; } >>"$1/ip-neigh.log"
  sleep 1
done
