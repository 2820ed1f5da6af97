# What scenarios are made of. Sourced with: $lab (folder of the tools), $out (folder of the results), $name (scenario).
# Everything waits for a state, with a limit, and never for a time.

set -eu
export TZ=UTC LC_ALL=C
evidence=$out/$name
scratch=$(mktemp -d)
mkdir -p "$evidence"
: >"$out/$name.events"

fail() {
  echo "$name: $*" >&2
  exit 1
}

# on HOST COMMAND...: in the namespace of a host
on() {
  host=$1
  shift
  ip netns exec "$name.$host" "$@"
}

# event WHAT: the moment, for those who judge the judge
event() { echo "$(date +%s.%N) $*" >>"$out/$name.events"; }

# until_true WHAT COMMAND...
until_true() {
  what=$1
  shift
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] || fail "waited in vain for: $what"
    sleep 0.1
  done
}

# ---- hosts

# namespace HOST
namespace() {
  ip netns add "$name.$1" || fail "no namespace for $1"
  on "$1" sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.default.accept_redirects=0 \
    net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.default.router_solicitations=0 "net.ipv6.conf.default.disable_ipv6=$((1 - IPV6))"
  on "$1" ip link set lo up
}

# cable HOST DEVICE MAC HOST DEVICE MAC
cable() {
  ip link add "$2" address "$3" netns "$name.$1" type veth peer name "$5" address "$6" netns "$name.$4" ||
    fail "no cable from $1 to $4"
  on "$1" ip link set "$2" up
  on "$4" ip link set "$5" up
}

# address HOST DEVICE ADDRESS/LENGTH
address() { case $3 in *:*) on "$1" ip address add "$3" dev "$2" nodad ;; *) on "$1" ip address add "$3" dev "$2" ;; esac; }

# switch HOST DEVICE MAC PORT...: a bridge
switch() {
  host=$1
  bridge=$2
  ip -n "$name.$host" link add "$bridge" address "$3" type bridge forward_delay 0 mcast_snooping 0
  shift 3
  for port; do ip -n "$name.$host" link set "$port" master "$bridge"; done
  ip -n "$name.$host" link set "$bridge" up
}

# forwarding HOST: it routes; what it only switches is no business of its firewall
forwarding() {
  for knob in iptables ip6tables arptables; do
    [ ! -e /proc/sys/net/bridge ] || on "$1" sysctl -qw "net.bridge.bridge-nf-call-$knob=0"
  done
  on "$1" sysctl -qw net.ipv4.ip_forward=1
  [ "$IPV6" = 0 ] || on "$1" sysctl -qw net.ipv6.conf.all.forwarding=1
}

# ruleset HOST FILE
ruleset() { on "$1" nft -f "$2" || fail "nft refuses $2"; }

# ---- evidence

running() { grep -q 'listening on' "$1"; }

# capture HOST DEVICE...: one capture per device, headers only, bounded
capture() {
  host=$1
  shift
  for device; do
    on "$host" timeout 580 tcpdump -n -i "$device" -s 128 -U -Z root -c 20000 -w "$evidence/$host.$device.pcap" \
      2>"$scratch/$host.$device.tcpdump" &
    until_true "the capture on $device of $host" running "$scratch/$host.$device.tcpdump"
  done
}

# Sockets of the family that have joined a multicast group, in the router
subscribers() { [ "$(on router awk -v family="$1" '$2 == family && $4 != "00000000"' /proc/net/netlink | wc -l)" -ge "$2" ]; }

# watch_router: what the router says of itself, until the end
watch_router() {
  on router sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1
  on router timeout 580 conntrack -E -o timestamp,extended,id >"$evidence/conntrack-E.log" 2>/dev/null &
  on router timeout 580 ip -ts monitor neigh >"$evidence/ip-monitor-neigh.log" 2>/dev/null &
  on router timeout 580 ip -ts monitor route rule >"$evidence/ip-monitor-route.log" 2>/dev/null &
  on router timeout 580 bridge -t monitor fdb >"$evidence/bridge-monitor-fdb.log" 2>/dev/null &
  until_true 'the monitor of conntrack' subscribers 12 1
  until_true 'the monitors of neighbors, routes and ports' subscribers 0 3
  on router timeout 580 sh "$lab/poll.sh" "$evidence" 2>/dev/null &
}

# collect_router: what `macscan collect` has a router owner run, beside the lab's own evidence, until `finish`
collect_router() {
  if command -v busybox >/dev/null; then shell='busybox ash'; else shell=sh; fi
  ip netns exec "$name.router" $shell -s <"$lab/collect.sh" >"$out/$name.case.tar" 2>"$out/$name.collect.log" &
  collector=$!
  until_true 'the collector' grep -q 'Make the fault happen' "$out/$name.collect.log"
}

# dump MOMENT: the router's state
dump() {
  folder=$evidence/dump-$1
  mkdir -p "$folder"
  date '+%s.%N %Y-%m-%dT%H:%M:%SZ' >"$folder/date.txt"
  keep conntrack-L.txt conntrack -L -o extended,id
  keep proc-net-nf_conntrack.txt cat /proc/net/nf_conntrack
  keep ip-neigh.txt ip neigh show
  keep bridge-fdb.txt bridge fdb show
  keep ip-rule.txt ip rule show
  keep ip-route.txt ip route show table all
  keep ip-addr.txt ip address show
  keep ip-link.txt ip -d link show
  keep bridge-vlan.txt bridge vlan show
  keep nft-ruleset.txt nft list ruleset
  keep uname.txt uname -a
  if [ "$IPV6" = 1 ]; then
    keep ip6-route.txt ip -6 route show table all
    keep ip6-rule.txt ip -6 rule show
    keep ip6-neigh.txt ip -6 neigh show
  fi
  event "dump-$1"
}

# keep FILE COMMAND...: what it prints on the router
keep() {
  file=$1
  shift
  on router "$@" >"$folder/$file" 2>/dev/null || :
}

# ---- traffic

# serve HOST PROTO ADDRESS PORT [SILENT]: answers, but for the first SILENT packets of each peer (UDP)
serve() {
  host=$1
  shift
  on "$host" python3 -S -E "$lab/traffic.py" answer "$@" &
  until_true "the server on $host" listening "$host" "$1" "$3"
}

# serve_stream HOST ADDRESS PORT
serve_stream() {
  host=$1
  shift
  on "$host" python3 -S -E "$lab/traffic.py" stream "$@" "$EVERY" &
  until_true "the server on $host" listening "$host" tcp "$2"
}

listening() { on "$1" ss -Hln "--$2" "sport = :$3" | grep -q .; }

# talk HOST FLOW PROTO FROM FPORT TO TPORT [BURST]: goes on until the end of the scenario, or `hush FLOW`
talk() {
  host=$1
  flow=$2
  shift 2
  burst=${6:-1}
  on "$host" python3 -S -E "$lab/traffic.py" talk "$scratch/$flow" "$1" "$2" "$3" "$4" "$5" "$EVERY" "$burst" &
  echo $! >"$scratch/$flow.pid"
  until_true "the first packet of $flow" test -s "$scratch/$flow.sent"
  event "start $flow"
}

# fetch HOST FLOW FROM FPORT TO TPORT
fetch() {
  host=$1
  flow=$2
  shift 2
  on "$host" python3 -S -E "$lab/traffic.py" fetch "$scratch/$flow" "$@" &
  echo $! >"$scratch/$flow.pid"
  until_true "the first answer of $flow" test -s "$scratch/$flow.received"
  event "start $flow"
}

hush() { kill "$(cat "$scratch/$1.pid")"; }

count() { read -r number <"$scratch/$1" && echo "$number"; }
reached() { [ "$(count "$1")" -ge "$2" ]; }

# sent FLOW N, received FLOW N: until N more packets were sent, or came back
sent() { until_true "$2 packets sent of $1" reached "$1.sent" $(($(count "$1.sent") + $2)); }
received() { until_true "$2 packets received of $1" reached "$1.received" $(($(count "$1.received") + $2)); }

entries() { on router conntrack -L -f "${3:-ipv4}" -p "$1" 2>/dev/null | grep -E "$2"; }
is_offloaded() { entries "$@" | grep -q OFFLOAD; }

not_offloaded_now() { ! is_offloaded "$@"; }

# offloaded PROTO PATTERN [FAMILY]: until conntrack shows the flow as offloaded
offloaded() {
  until_true "offload of $2" is_offloaded "$@"
  event "offloaded $2"
}

# not_offloaded PROTO PATTERN [FAMILY]: there is an entry, and it is not
not_offloaded() {
  until_true "an entry of $2" entries "$@"
  ! is_offloaded "$@" || fail "offloaded: $2"
}

# forget PROTO PATTERN...: deletes the connection
forget() {
  event 'conntrack_delete'
  on router conntrack -D -p "$@" >/dev/null 2>&1 || fail "nothing to delete: $*"
  event 'conntrack_deleted'
}

# say HOST DEVICE MAC ADDRESS: a gratuitous ARP or an unsolicited advertisement
say() {
  host=$1
  shift
  on "$host" python3 -S -E "$lab/traffic.py" announce "$@"
}

knows() { on "$1" ip neigh show to "$2" | grep -q "lladdr $3"; }
told() {
  say "$1" "$2" "$3" "$4"
  knows "$5" "$4" "$3"
}

# learnt HOST DEVICE MAC ADDRESS BY: the host announces itself until BY has learnt it
learnt() { until_true "$5 to learn that $4 is $3" told "$@"; }

# meet HOST ADDRESS...: resolves neighbours in advance
meet() {
  host=$1
  shift
  for target; do until_true "$host to reach $target" on "$host" ping -c 1 -W 1 "$target"; done
}

frames() { tcpdump -Z root -n -r "$evidence/$1" "$2" 2>/dev/null | wc -l; }
enough() { [ "$(frames "$1" "$2")" -ge "$3" ]; }
# seen CAPTURE FILTER N: until the capture holds N frames that pass the filter
seen() { until_true "$3 frames of \"$2\" in $1" enough "$@"; }

# finish: ends captures in an orderly way
finish() {
  event end
  if [ -n "${collector-}" ]; then
    kill -USR1 "$collector"
    wait "$collector" || fail "the collector: $(tail -n 1 "$out/$name.collect.log")"
  fi
  for host in $(ip netns list | sed -n "s/^$name\.\([^ ]*\).*/\1/p"); do
    for pid in $(ip netns pids "$name.$host"); do
      [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != tcpdump ] || kill -INT "$pid"
    done
  done
  for stopped in "$scratch"/*.tcpdump; do until_true 'captures to end' grep -q 'received by filter' "$stopped"; done
  rm -rf "$scratch"
}

# ---- what `macscan guard` printed for the scenario's base, applied and undone with the commands that it gives

offloaded_entries() { on router conntrack -L 2>/dev/null | grep -c OFFLOAD || :; }

# openwrt: commands `uci` and `fw4` that do what guards ask of them: flow_offloading, and to load the ruleset with what
# stands in nftables.d. The rulesets are $name.fw4-0.nft and $name.fw4-1.nft (offload off and on).
openwrt() {
  mkdir -p "$scratch/bin" "$scratch/nftables.d"
  echo 1 >"$scratch/flow_offloading"
  for on in 0 1; do sed "s#/etc/nftables.d#$scratch/nftables.d#" "$lab/scenarios/$name.fw4-$on.nft" >"$scratch/fw4-$on.nft"; done
  cat >"$scratch/bin/uci" <<END
#!/bin/sh
case "\$*" in
'set firewall.@defaults[0].flow_offloading='[01]) echo "\${2##*=}" >"$scratch/flow_offloading" ;;
'commit firewall') ;;
*) echo "uci \$*: not known here" >&2; exit 1 ;;
esac
END
  cat >"$scratch/bin/fw4" <<END
#!/bin/sh
read -r offloading <"$scratch/flow_offloading"
case \$1 in
check) nft -c -f "$scratch/fw4-\$offloading.nft" ;;
reload)
  nft list flowtable inet fw4 ft >/dev/null 2>&1 && known='delete flowtable inet fw4 ft'
  { echo 'table inet fw4'; echo 'flush table inet fw4'; echo "\${known-}"; cat "$scratch/fw4-\$offloading.nft"; } | nft -f -
  ;;
esac
END
  chmod +x "$scratch/bin/uci" "$scratch/bin/fw4"
}

# guard_commands apply|undo: in the router, with paths of OpenWrt's configuration kept away from the host
guard_commands() {
  sed "s#/etc/nftables.d#$scratch/nftables.d#g" "$lab/scenarios/$name.$1.sh" >"$scratch/$1.sh"
  on router env PATH="$scratch/bin:$PATH" sh -e "$scratch/$1.sh" || fail "the commands to $1 the guard"
}
