# Runs on a router: reads its tables, captures headers, and sends all of it as a tar archive to standard output.
# It changes no setting, writes to memory only (tmpfs), and takes away what it made and started, however it ends.
# Written for OpenWrt's busybox: ash without bashisms, `sleep` and `date` without fractions, no stat, od, timeout, hostname.

readonly SNAP_LENGTH=128    # Ethernet, two VLAN tags, PPPoE, IPv6, TCP with options
readonly RECORD_BYTES=144   # a packet in a pcap file, at most
readonly DHCP_SNAP_LENGTH=700
readonly CAPTURE_KB=4096    # memory that a tcpdump takes
readonly RESERVE_KB=12288   # memory that the router keeps
readonly SYS=/sys/class/net

set -u
umask 077
export LC_ALL=C TZ=UTC0

work='' dir='' err='' pids='' room_kb=0 bridges='' devices='' enough=''

main() {
	exec 3>&1 1>&2
	[ -t 3 ] && stop 'standard output is a terminal; run it as: ssh root@router sh -s < case.sh > case.tar'
	trap cleanup EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
	# Early, and with what there is.
	trap 'enough=yes' USR1
	make_room
	start_clock
	find_devices
	probe
	dump_versions
	dump_state
	dump_settings
	start_monitors
	start_captures
	watch
	dump_state
	dump_log
	# The kernel hands packets to tcpdump once a second where there are few.
	sleep 1
	end_captures
	say "sending $(size_kb) KiB"
	tar cf - -C "$work" macscan-case >&3 || stop 'the archive could not be sent whole'
	say 'done'
}

say() {
	echo "macscan collect: $*" >&2
}

stop() {
	say "$*"
	exit 1
}

# lack WHAT COST: something that could not be collected, and what that costs; macscan tells it again.
lack() {
	say "$1 $2"
	echo "macscan collect: $1 | $2" 2>/dev/null >>"$dir/collect.log"
}

has() {
	command -v "$1" >/dev/null 2>&1
}

# ---------------------------------------------------------------- the beginning and the end

# A folder in memory, and how much may go into it: the size asked for, half of the free memory, what the tmpfs has.
make_room() {
	for base in "${TMPDIR:-/tmp}" /tmp /var/run /run /dev/shm; do
		is_memory "$base" && work=$(mktemp -d "$base/macscan.XXXXXX" 2>/dev/null) && break
		work=''
	done
	[ -n "$work" ] || stop 'no folder in memory (tmpfs) can be written to; nothing was collected'
	dir=$work/macscan-case err=$work/errors
	mkdir "$dir" "$err" 2>/dev/null || stop "there is no room in $base; nothing was collected"
	# A folder's header may stand in an archive any number of times: sent now and then, it shows whether anybody listens.
	tar cf - -C "$work" macscan-case 2>/dev/null | dd bs=512 count=1 of="$work/beat" 2>/dev/null
	[ -s "$work/beat" ] || stop "there is no room in $base, or no tar; nothing was collected"
	room_kb=$((MAX_SIZE * 1024))
	free=$(($(free_kb) / 2))
	[ "$free" -lt "$room_kb" ] && room_kb=$free
	free=$(df -Pk "$base" | awk 'NR == 2 { print int($4 * 9 / 10) }')
	[ "${free:-0}" -lt "$room_kb" ] && room_kb=${free:-0}
	[ "$room_kb" -ge 64 ] || stop "there is no room in $base; nothing was collected"
	[ "$room_kb" -lt $((MAX_SIZE * 1024)) ] &&
		lack "There is room for $room_kb KiB on the router, not for $MAX_SIZE MiB." 'Captures may end early.'
}

is_memory() {
	[ -d "$1" ] && [ -w "$1" ] || return 1
	mount=$(df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print $6 }')
	kind=$(awk -v mount="$mount" '$2 == mount { kind = $3 } END { print kind }' /proc/mounts)
	[ "$kind" = tmpfs ] || [ "$kind" = ramfs ]
}

free_kb() {
	awk '/^MemAvailable:/ { free = $2 } /^MemFree:/ { least = $2 } END { print int(free ? free : least) }' /proc/meminfo
}

size_kb() {
	du -sk "$dir" | awk '{ print $1 }'
}

cleanup() {
	status=$?
	trap '' HUP INT PIPE TERM
	end_children
	[ -n "$work" ] && rm -rf "$work"
	exit "$status"
} 2>/dev/null

end_children() {
	for pid in $pids; do is_ours "$pid" && kill "$pid"; done
	for _ in 1 2 3; do
		alive=''
		for pid in $pids; do is_ours "$pid" && alive=yes; done
		[ -z "$alive" ] && break
		sleep 1
	done
	for pid in $pids; do is_ours "$pid" && kill -9 "$pid"; done
	pids=''
} 2>/dev/null

# Whether a process is a child of this one that still runs.
is_ours() {
	read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # the fields after the name: state, parent, ...
	set -- ${stat##*) }
	[ "$1" != Z ] && [ "$2" = "$$" ]
}

# Sends a sign of life. When nobody listens any more, that is the end.
beat() {
	cat "$work/beat" >&3 2>/dev/null || exit 141
}

# ---------------------------------------------------------------- the clock

# OpenWrt's date has no %N. Then the hundredths come from the time since boot, which needs no process to be read.
start_clock() {
	boot_s='' boot_cs=''
	case $(date +%s.%N) in *[!0-9.]* | *.) ;; *) return ;; esac
	second=$(date +%s)
	while boot_s=$(date +%s) && [ "$boot_s" = "$second" ]; do :; done
	read -r up _ </proc/uptime
	# Of 07 the shell would say that it is octal; 107 - 100 is 7.
	boot_s=$((boot_s - ${up%.*} - 1)) boot_cs=$((100 - (1${up#*.} - 100)))
}

# Sets `now`: seconds since 1970 with a fraction.
clock() {
	if [ -z "$boot_s" ]; then
		now=$(date +%s.%N)
		return
	fi
	read -r up _ </proc/uptime
	cs=$((boot_cs + 1${up#*.} - 100))
	s=$((boot_s + ${up%.*} + cs / 100))
	cs=$((cs % 100))
	[ "$cs" -lt 10 ] && cs=0$cs
	now=$s.$cs
}

# Sets `ticks`: whole seconds since boot, which no change of the clock moves.
tick() {
	read -r up _ </proc/uptime
	ticks=${up%.*}
}

# ---------------------------------------------------------------- tables

# dump FILE COMMAND...: adds what a command prints to a file, below a clock line that names it.
dump() {
	file=$1
	shift
	clock
	echo "# $now $*" >>"$dir/$file"
	"$@" >>"$dir/$file" 2>/dev/null </dev/null 3>&-
} 2>/dev/null

dump_versions() {
	dump versions.txt uname -a
	[ -r /etc/openwrt_release ] && dump versions.txt cat /etc/openwrt_release
	has ubus && dump versions.txt ubus call system board
	has nft && dump versions.txt nft -v
	dump versions.txt ip -V
	if has tcpdump; then
		clock
		{
			echo "# $now tcpdump --version"
			tcpdump --version 2>&1 | grep -E '^(tcpdump|libpcap) version '
		} >>"$dir/versions.txt" 2>/dev/null
	fi
}

# The ip of busybox knows fewer options than that of iproute2.
probe() {
	ip_link='ip -d link show' ip_neigh='ip -s neigh show'
	has ip || lack 'ip is not installed.' 'Policy routing cannot be judged.'
	has nft || lack 'nft is not installed.' 'What offloads, and what stays out of it, is not known.'
	$ip_link >/dev/null 2>&1 || ip_link='ip link show'
	$ip_neigh >/dev/null 2>&1 || ip_neigh='ip neigh show'
	has ip && ! ip rule show >/dev/null 2>&1 && lack 'This ip knows no rules (opkg install ip-full).' 'Policy routing cannot be judged.'
	return 0
}

# What may change while the script runs: asked for at its beginning and at its end.
dump_state() {
	if has ip; then
		# shellcheck disable=SC2086 # words of a command
		dump ip-link.txt $ip_link
		dump ip-addr.txt ip addr show
		dump ip-rule.txt ip rule show
		dump ip-rule.txt ip -6 rule show
		dump ip-route.txt ip route show table all
		dump ip-route.txt ip -6 route show table all
	else
		dump ifconfig.txt ifconfig -a
		dump route.txt route -n
	fi
	dump_neighbors
	dump_fdb
	dump_conntrack
	dump_hardware
	for leases in /tmp/dhcp.leases /tmp/hosts/odhcpd /tmp/odhcpd.leases /var/lib/misc/dnsmasq.leases; do
		[ -f "$leases" ] && dump leases.txt cat "$leases"
	done
	has nft && dump nft-ruleset.txt nft list ruleset
}

dump_neighbors() {
	if has ip; then
		# shellcheck disable=SC2086 # words of a command
		dump ip-neigh.txt $ip_neigh
	else
		dump arp.txt cat /proc/net/arp
	fi
}

dump_fdb() {
	if has bridge; then
		dump bridge-fdb.txt bridge fdb show
	elif has hexdump; then
		for bridge in $bridges; do dump bridge-fdb.txt read_fdb "$SYS/$bridge/brforward"; done
	fi
}

# The forwarding table as the kernel gives it (struct __fdb_entry of linux/if_bridge.h), in the words of `bridge fdb`.
read_fdb() {
	bridge=${1%/brforward}
	names=''
	for port in "$bridge"/brif/*; do
		[ -r "$port/port_no" ] && names="$names $(printf '%02x' "$(cat "$port/port_no")") ${port##*/}"
	done
	hexdump -v -e '16/1 "%02x " "\n"' "$1" | awk -v names="$names" -v bridge="${bridge##*/}" '
		BEGIN { n = split(names, word, " "); for (i = 1; i < n; i += 2) name[word[i]] = word[i + 1] }
		NF == 16 && ($7 in name) && $13 == "00" {
			mac = $1 ":" $2 ":" $3 ":" $4 ":" $5 ":" $6
			print mac, "dev", name[$7], "master", bridge, ($8 == "00" ? "" : "permanent")
		}'
}

dump_conntrack() {
	if has conntrack; then
		dump conntrack-L.txt conntrack -L -o extended,id
	elif [ -r /proc/net/nf_conntrack ]; then
		dump conntrack-L.txt cat /proc/net/nf_conntrack
	fi
}

# What packet engines hold: MediaTek, Airoha, Qualcomm.
dump_hardware() {
	for table in /sys/kernel/debug/ppe*/bind /sys/kernel/debug/mtk_ppe*/bind; do
		[ -r "$table" ] && dump ppe.txt cat "$table"
	done
	[ -c /dev/ecm_state ] && [ -r /dev/ecm_state ] && dump ecm.txt cat /dev/ecm_state
	return 0
}

# Settings by the names of options that are wanted: keys, passwords and user names have other names.
dump_settings() {
	has fw4 && dump fw4-print.txt fw4 -q print
	has uci || return 0
	dump_options firewall 'flow_offloading|flow_offloading_hw|name|network|device|masq|input|output|forward|src|dest|proto|family|src_ip|dest_ip|src_dport|dest_port|set_mark|set_xmark|mark|target|enabled'
	dump_options network 'name|type|ports|ifname|device|vlan|vid|vlan_filtering|local|macaddr|proto|ipaddr|netmask|gateway|metric|ip4table|ip6table|interface|target|table|priority|lookup|mark|in|out|src|dest|invert|disabled|onlink'
}

dump_options() {
	clock
	{
		echo "# $now uci show $1"
		uci -q show "$1" | grep -E "^$1\.[^.=]+(\.($2))?="
	} >>"$dir/uci-$1.txt" 2>/dev/null
}

# Of the log only what tells of hosts that came and went, ports that changed and firewalls that were loaded.
dump_log() {
	has logread || return 0
	clock
	{
		echo "# $now logread -t"
		{ logread -t 2>/dev/null || logread; } | tail -n 5000 |
			grep -E 'DHCP(ACK|RELEASE)\(|AP-STA-|IEEE 802\.11: (dis)?associated|Reloading firewall|entered .* state|link is (up|down)'
	} >>"$dir/logread.txt" 2>/dev/null
}

# ---------------------------------------------------------------- monitors and captures

# start FILE COMMAND...: runs a command beside, its output in a file; its id in `pid`.
start() {
	file=$1
	shift
	clock
	echo "# $now TZ=UTC0 $*" >"$dir/$file"
	"$@" >>"$dir/$file" 2>"$err/$file" </dev/null 3>&- &
	pid=$!
	pids="$pids $pid"
} 2>/dev/null

start_monitors() {
	neighbor_monitor='' fdb_monitor=''
	if has ip; then
		start ip-monitor-neigh.log ip -ts monitor neigh
		neighbor_monitor=$pid
	fi
	if has bridge; then
		start bridge-monitor-fdb.log bridge -t monitor fdb
		fdb_monitor=$pid
	fi
	if has conntrack; then
		start conntrack-E.log conntrack -E -o timestamp,extended,id
		conntrack_monitor=$pid
	elif [ -r /proc/net/nf_conntrack ]; then
		lack 'conntrack is not installed.' 'Offload is known to the second, from a table read each second, not to the moment (opkg install conntrack).'
	else
		lack 'Neither conntrack nor /proc/net/nf_conntrack is there.' 'Whether a flow was offloaded, and since when, is not known (opkg install conntrack).'
	fi
	sleep 1
	is_ours "${neighbor_monitor:-0}" || { neighbor_monitor=''; rm -f "$dir/ip-monitor-neigh.log"
		lack 'ip cannot monitor neighbours here (opkg install ip-full).' 'The neighbour table was read each second: when the router learnt a MAC is known to the second.'; }
	is_ours "${fdb_monitor:-0}" || { fdb_monitor=''; rm -f "$dir/bridge-monitor-fdb.log"
		[ -n "$bridges" ] && lack 'bridge is not installed (opkg install ip-bridge).' 'The forwarding table was read each second: when a host changed its port is known to the second.'; }
	has conntrack && ! is_ours "$conntrack_monitor" && rm -f "$dir/conntrack-E.log" &&
		lack "conntrack cannot listen: $(reason conntrack-E.log)" 'Offload is known to the second, not to the moment.'
	return 0
}

# The last words of what did not run.
reason() {
	tail -n 1 "$err/$1" 2>/dev/null | cut -c 1-160
}

# Ethernet devices: bridges first, then those of gateways, bridge ports, and what is left of real and VLAN devices.
find_devices() {
	first='' gateways='' ports='' others=''
	routed=" $({ ip route show table all; ip -6 route show table all; awk '$3 != "00000000" { print "via dev", $1 }' /proc/net/route; } 2>/dev/null |
		awk '/via|^default/ { for (i = 1; i < NF; i++) if ($i == "dev") print $(i + 1) }' | sort -u | tr '\n' ' ') "
	for path in "$SYS"/*; do
		name=${path##*/}
		is_up "$name" || continue
		case $name in
		lo | any) continue ;;
		*[!A-Za-z0-9_.:-]* | -*) lack 'A device has a name of other characters than letters, digits and _.:- in it.' 'It was not captured.'; continue ;;
		esac
		[ -d "$path/bridge" ] && bridges="$bridges $name"
		# The conduit of a switch shows all that its ports show, with a tag before it.
		[ -d "$path/dsa" ] && continue
		[ "$(cat "$path/type")" = 1 ] || continue
		if [ -d "$path/bridge" ]; then
			first="$first $name"
		elif [ -e "$path/brport" ]; then
			ports="$ports $name"
		elif [ "${routed#* "$name" }" != "$routed" ]; then
			gateways="$gateways $name"
		elif [ -e "$path/device" ] || grep -q '^DEVTYPE=vlan' "$path/uevent"; then
			others="$others $name"
		fi
	done
	if [ -z "$DEVICES" ]; then
		devices="$first$gateways$ports$others"
	else
		for name in $DEVICES; do
			if is_up "$name"; then
				devices="$devices $name"
			else
				lack "There is no device $name that is up." 'It was not captured.'
			fi
		done
	fi
}

is_up() {
	read -r flags 2>/dev/null <"$SYS/$1/flags" && [ $((flags & 1)) -eq 1 ]
}

start_captures() {
	if ! has tcpdump; then
		lack 'tcpdump is not installed (opkg install tcpdump-mini).' 'There are no frames: only faults that the configuration will cause can be told.'
		devices=''
		return
	fi
	most=$((($(free_kb) - RESERVE_KB) / 2 / CAPTURE_KB))
	[ "$most" -gt 24 ] && most=24
	[ "$room_kb" -lt 256 ] && most=0
	count=0 chosen=''
	for name in $devices; do
		if [ "$count" -ge "$most" ]; then
			lack "$name was not captured: the router has no memory for it." 'Frames on it are not seen (--device chooses others).'
			continue
		fi
		count=$((count + 1))
		chosen="$chosen $name"
	done
	devices=$chosen
	[ "$count" -eq 0 ] && return
	limit=$((room_kb * 1024 * 2 / (3 * count * RECORD_BYTES)))
	hosts=''
	for host in $HOSTS; do hosts="$hosts${hosts:+ or }host $host"; done
	wanted="$hosts or arp or icmp6 or (udp and (port 67 or port 68))"
	for name in $devices; do
		filter=''
		# The last words shift where a filter looks: VLAN tags come last.
		[ -n "$hosts" ] && filter="$wanted or (vlan and ($wanted))"
		[ -n "$hosts" ] && is_pppoe && [ "${bridges#* "$name"}" = "$bridges" ] && [ ! -e "$SYS/$name/brport" ] &&
			filter="$wanted or (pppoes and ($hosts))"
		start_capture "$name" "$name.pcap" "$SNAP_LENGTH" "$limit" "$filter"
	done
	# An answer of DHCP is longer than other headers.
	for name in $bridges; do
		[ "$count" -lt "$most" ] && start_capture "$name" "dhcp.$name.pcap" "$DHCP_SNAP_LENGTH" 300 'udp and src port 67'
	done
	await_captures
}

is_pppoe() {
	grep -q '^512$' "$SYS"/*/type 2>/dev/null
}

start_capture() {
	user=''
	tcpdump --help 2>&1 | grep -q -e '-Z user' && user='-Z root'
	# Here, and not only when the child gets to it: await_captures looks for these files.
	touch "$err/$2" 2>/dev/null
	# shellcheck disable=SC2086 # two words or none
	tcpdump -i "$1" -p -n -s "$3" -B 1024 -c "$4" -G $((DURATION + 60)) -W 1 $user -w "$dir/$2" $5 2>"$err/$2" </dev/null >/dev/null 3>&- &
	pids="$pids $!"
	echo $! 2>/dev/null >"$err/$2.pid"
}

# Waits until all captures listen, or have given up.
await_captures() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		waiting=''
		for file in "$err"/*.pcap; do
			grep -q 'listening on' "$file" || ! read -r pid 2>/dev/null <"$file.pid" || ! is_ours "$pid" || waiting=yes
		done
		[ -z "$waiting" ] && break
		sleep 1
	done
	for file in "$err"/*.pcap; do
		name=${file##*/}
		grep -q 'listening on' "$file" && continue
		rm -f "$dir/$name"
		lack "${name%.pcap} cannot be captured: $(reason "$name")." 'Frames on it are not seen.'
	done
}

end_captures() {
	end_children
	for file in "$dir"/*.log "$dir/logread.txt"; do
		grep -q -v '^# ' "$file" 2>/dev/null || rm -f "$file"
	done
	for file in "$dir"/*.pcap; do
		[ -e "$file" ] || continue
		name=${file##*/}
		# A file without a header is none.
		[ "$(wc -c <"$file")" -ge 24 ] || { rm -f "$file"; lack "The capture ${name%.pcap} could not be written: $(reason "$name")." 'Frames on it are not seen.'; continue; }
		case $name in dhcp.*) [ "$(wc -c <"$file")" -gt 24 ] || rm -f "$file"; continue ;; esac
		seen=$(awk '/packets? captured$/ { print $1 }' "$err/$name")
		[ "${seen:-0}" -ge "${limit:-1}" ] &&
			lack "The capture ${name%.pcap} was full after $seen packets." 'Later frames on it are not seen (--max-size, --host).'
		dropped=$(awk '/dropped by kernel/ { print $1 }' "$err/$name")
		[ "${dropped:-0}" -gt 0 ] && lack "The capture ${name%.pcap} lost $dropped packets." 'They were too fast for the router (--host).'
	done
	free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
	[ "${free:-0}" -lt 8 ] && lack 'The tmpfs of the router was full.' 'The ends of files are missing.'
	return 0
}

# ---------------------------------------------------------------- the time in between

watch() {
	tick
	begun=$ticks
	end=$((begun + DURATION))
	snapshots=1
	[ -s "$dir/conntrack-L.txt" ] && snapshots=$((($(wc -c <"$dir/conntrack-L.txt") / 1024 + 1) * DURATION))
	# All snapshots together may take a sixth of the room.
	interval=$((snapshots * 6 / (room_kb + 1) + 1))
	[ "$interval" -gt 1 ] && lack "The conntrack table is long: it was read every $interval s." 'Offload without an event is known that much less well.'
	say "collecting for $DURATION s on:${devices:- no device}. Make the fault happen now."
	at=0
	while [ "$ticks" -lt "$end" ]; do
		[ $((at % 5)) -eq 0 ] && beat
		[ $((at % 10)) -eq 0 ] && [ "$at" -gt 0 ] && say "$at of $DURATION s, $(size_kb) KiB"
		sleep 1
		[ -z "$enough" ] || break
		tick
		at=$((ticks - begun))
		[ $((at % interval)) -eq 0 ] && dump_conntrack
		[ -z "$neighbor_monitor" ] && dump_neighbors
		[ -z "$fdb_monitor" ] && dump_fdb
		dump_hardware
		if [ "$(size_kb)" -gt $((room_kb * 9 / 10)) ]; then
			lack "The room was full after $at s." 'What came later is not seen (--max-size, --host).'
			break
		fi
		if [ "$(free_kb)" -lt "$RESERVE_KB" ]; then
			lack "The router was short of memory after $at s." 'What came later is not seen (--max-size, --device).'
			break
		fi
	done
}

main </dev/null
