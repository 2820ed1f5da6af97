#!/bin/sh
# Ends what a scenario started and removes its namespaces, whose devices go with them.
for namespace in $(ip netns list | sed -n "s/^\($1\.[^ ]*\).*/\1/p"); do
  ip netns pids "$namespace" | xargs -r kill -9
  ip netns delete "$namespace"
done
