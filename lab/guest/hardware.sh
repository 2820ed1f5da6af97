#!/bin/sh
# Tries a flowtable with `flags offload` on every kind of device that can be had here: one line each.
ip netns add hardware || exit 0
inside() { ip netns exec hardware "$@"; }
inside ip link add veth0 type veth peer name veth1
inside ip link add bridge0 type bridge
inside ip link add dummy0 type dummy
inside ip link add macvlan0 link veth0 type macvlan
modprobe netdevsim 2>/dev/null && echo '1 1' >/sys/bus/netdevsim/new_device
for path in /sys/class/net/*; do
  device=${path##*/}
  [ -e "$path/device" ] && ip link set "$device" netns hardware
done
for device in $(inside ls /sys/class/net); do
  [ "$device" != lo ] || continue
  driver=$(inside ethtool -i "$device" 2>/dev/null | sed -n 's/^driver: //p')
  inside ethtool -K "$device" hw-tc-offload on >/dev/null 2>&1 && feature='hw-tc-offload on' || feature='hw-tc-offload refused'
  text="table inet hardware { flowtable ft { hook ingress priority filter; devices = { $device }; flags offload; }; }"
  answer=$(echo "$text" | inside nft -f - 2>&1 | sed -n 's/.*Error: //p')
  echo "$device (${driver:-no driver}, $feature): ${answer:-taken}"
  inside nft flush ruleset
done
[ -d /sys/bus/netdevsim ] || echo 'netdevsim: this kernel has no such module'
ip netns delete hardware
