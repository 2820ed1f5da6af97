#!/bin/sh
# Runs the scenarios that stand in `list`, a few side by side, and keeps what each leaves below the folder given.
# Works in a virtual machine of the lab and on any Linux whose kernel offloads flows, as root.
out=$1
lab=$(cd "$(dirname "$0")" && pwd)
lanes=$(cat "$lab/lanes")
limit=$(cat "$lab/limit")
mkdir -p "$out"

one() {
  began=$(date +%s)
  if timeout -k 5 "$limit" sh "$lab/scenarios/$1.sh" "$lab" "$out" >"$out/$1.log" 2>&1; then result=done; else result=FAILED; fi
  sh "$lab/clean.sh" "$1" 2>/dev/null
  echo "lab: $1 $result after $(($(date +%s) - began)) s"
  [ "$result" = done ] || { grep -v Killed "$out/$1.log" | tail -n 5 | sed 's/^/lab:   /'; }
}

sh "$lab/hardware.sh" >"$out/hardware-offload.txt" 2>/dev/null
sed 's/^/lab: flags offload: /' "$out/hardware-offload.txt"

lane=0
while [ "$lane" -lt "$lanes" ]; do
  (
    n=0
    while read -r name; do
      if [ $((n % lanes)) -eq "$lane" ]; then one "$name"; fi
      n=$((n + 1))
    done <"$lab/list"
  ) </dev/null &
  lane=$((lane + 1))
done
wait
