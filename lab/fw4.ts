/** Parts of a ruleset that differ between scenarios; lines of nftables. */
export interface Fw4Options {
  /** Devices of the flowtable; without them nothing is offloaded. */
  readonly flowtable?: readonly string[];
  /** Instead of `meta l4proto { tcp, udp } flow add @ft;`, in the chain `forward`. */
  readonly offload?: string;
  /** Before routing, where policy routing sets marks. */
  readonly prerouting?: readonly string[];
  /** In forwarding, before the filter. */
  readonly mangleForward?: readonly string[];
  readonly dstnat?: readonly string[];
  readonly srcnat?: readonly string[];
  /** The table's family and name; firewall4's, when missing. */
  readonly table?: string;
  /** More chains, as they stand. */
  readonly chains?: string;
}

/** A ruleset in the form that OpenWrt's firewall4 gives it: offload comes first in the chain `forward`. */
export function fw4(options: Fw4Options): string {
  const { flowtable, prerouting = [], mangleForward = [], dstnat = [], srcnat = [] } = options;
  const offload = options.offload ?? 'meta l4proto { tcp, udp } flow add @ft;';
  return `table ${options.table ?? 'inet fw4'} {
${
  flowtable === undefined
    ? ''
    : `	flowtable ft {
		hook ingress priority filter
		devices = { ${flowtable.join(', ')} }
		counter
	}
`
}	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state { established, related } accept
		meta l4proto { icmp, ipv6-icmp } accept
		iifname != "wan" accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
${lines(flowtable === undefined ? [] : [offload])}		ct state { established, related } accept
		ct status dnat accept
		iifname != "wan" accept
		iifname "wan" ip6 daddr 2001:db8:1::/64 udp dport 51820 accept
	}
${chain('mangle_prerouting', 'filter hook prerouting priority mangle', prerouting)}${chain(
    'mangle_forward',
    'filter hook forward priority mangle',
    mangleForward,
  )}${chain('dstnat', 'nat hook prerouting priority dstnat', dstnat)}	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan" meta nfproto ipv4 masquerade
${lines(srcnat)}	}
${options.chains ?? ''}}
`;
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return rules.length === 0 ? '' : `	chain ${name} {\n		type ${hook}; policy accept;\n${lines(rules)}	}\n`;
}

function lines(rules: readonly string[]): string {
  return rules.map((rule) => `		${rule}\n`).join('');
}
