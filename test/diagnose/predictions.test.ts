import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { renderText } from '../../src/render/text.js';
import { analyze, folderPieces, textPiece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool } from '../support/tool.js';

const RULES = `# ip rule show
0:	from all lookup local
32765:	from all fwmark 0xff lookup 100
32766:	from all lookup main
32767:	from all lookup default
`;
const MAIN = `default via 203.0.113.1 dev wan
10.0.0.0/24 dev br-lan proto kernel scope link src 10.0.0.1
203.0.113.0/24 dev wan proto kernel scope link src 203.0.113.2
`;
const ONE_ARM = 'default via 10.0.0.3 dev br-lan table 100\n';
const FLOW_ADD = 'meta l4proto { tcp, udp } flow add @ft';
const LINKS = `# ip -d link show
2: br-lan: <BROADCAST,UP> mtu 1500 state UP
    link/ether 94:83:c4:10:00:01 brd ff:ff:ff:ff:ff:ff
    bridge forward_delay 0
3: lan1@if2: <BROADCAST,UP> mtu 1500 master br-lan state UP
    link/ether 94:83:c4:10:00:11 brd ff:ff:ff:ff:ff:ff
4: wan@if2: <BROADCAST,UP> mtu 1500 state UP
    link/ether 94:83:c4:10:00:02 brd ff:ff:ff:ff:ff:ff
`;

interface Setup {
  readonly rules?: string;
  readonly routes?: string;
  /** The rules of the forward chain; undefined for no ruleset at all. */
  readonly forward?: readonly string[] | undefined;
  readonly devices?: string;
  readonly marking?: readonly string[];
  readonly kernel?: string;
  readonly more?: string;
}

function ruleset({
  forward = [FLOW_ADD],
  devices = 'br-lan, wan',
  marking = ['iifname "br-lan" meta mark set 0x000000ff'],
}: Setup): string {
  return `# nft list ruleset
table inet fw4 {
	flowtable ft {
		hook ingress priority filter
		devices = { ${devices} }
	}

	chain mangle_prerouting {
		type filter hook prerouting priority mangle; policy accept;
${marking.map((rule) => `\t\t${rule}\n`).join('')}	}

	chain forward {
		type filter hook forward priority filter; policy accept;
${forward.map((rule) => `\t\t${rule}\n`).join('')}	}
}
`;
}

async function foreseen(setup: Setup): Promise<Analysis> {
  const { rules = RULES, routes = ONE_ARM + MAIN, kernel = '6.6.86' } = setup;
  const shown = 'forward' in setup && setup.forward === undefined ? '' : ruleset(setup);
  const uname = kernel === '' ? '' : `# uname -a\nLinux router ${kernel} #0 SMP aarch64 GNU/Linux\n`;
  const text = `${LINKS}${rules}# ip route show table all\n${routes}${setup.more ?? ''}${uname}${shown}`;
  return analyze([textPiece('router.txt', text)]);
}

async function causes(setup: Setup): Promise<string[]> {
  return (await foreseen(setup)).predictions.map(({ cause }) => cause);
}

async function checks(setup: Setup): Promise<string[]> {
  return ((await foreseen(setup)).ruleset ?? []).map(({ id }) => id);
}

describe('policy routing through a gateway on the network of the clients', () => {
  it('is foreseen for replies, and for requests whose reply triggers the offload', async () => {
    const { predictions, verdict } = await foreseen({});
    expect(verdict).toBe('not-judged');
    expect(predictions.map(({ cause, prove }) => [cause, prove])).toEqual([
      ['pbr-next-hop', ['ip route get 10.0.0.2 oif br-lan mark 0xff']],
      ['pbr-on-link', ['ip route get 198.51.100.1 oif br-lan']],
    ]);
    expect(predictions[0]?.change.flatMap(({ commands }) => commands)).toEqual([
      'ip route add 10.0.0.0/24 dev br-lan table 100',
      'ip rule add pref 1000 lookup main suppress_prefixlength 0',
    ]);
  });

  it('is cured by either route', async () => {
    expect(await causes({ routes: `${ONE_ARM}10.0.0.0/24 dev br-lan table 100\n${MAIN}` })).toEqual(['pbr-on-link']);
    expect(await causes({ rules: `${RULES}1000:	from all lookup main suppress_prefixlength 0\n` })).toEqual([
      'pbr-on-link',
    ]);
  });

  it('is only half the fault when the rule names the device', async () => {
    expect(await causes({ rules: RULES.replace('fwmark', 'iif br-lan fwmark') })).toEqual(['pbr-on-link']);
  });

  it('is not foreseen when the kernel is older than 5.19, and says so when it is not known', async () => {
    expect(await causes({ kernel: '5.15.167' })).toEqual(['pbr-on-link']);
    expect(await causes({ kernel: '5.19.0' })).toContain('pbr-next-hop');
    const { predictions } = await foreseen({ kernel: '' });
    expect(predictions[0]?.summary).toContain('a kernel of 5.19 or newer');
  });

  it('stands on rules and routes alone, and says what it takes', async () => {
    const { predictions } = await foreseen({ forward: undefined });
    expect(predictions.map(({ cause }) => cause)).toEqual(['pbr-next-hop', 'pbr-on-link']);
    expect(predictions[0]?.summary).toContain('that flows are offloaded');
  });

  it('takes a rule that offloads, and a device of the flowtable that replies come in on', async () => {
    expect(await causes({ forward: ['ct state established,related accept'] })).toEqual([]);
    expect(await causes({ forward: ['ct state { established, related } accept', FLOW_ADD] })).toEqual([]);
    expect(await causes({ devices: 'eth7, eth8' })).toEqual([]);
    expect(await checks({ devices: 'eth7, eth8' })).toEqual(['path-not-in-flowtable']);
    expect(await causes({ devices: 'lan1, wan' })).toContain('pbr-next-hop');
  });

  it('takes the word of the settings where no ruleset is shown', async () => {
    const of = (value: number): string => `# uci show firewall\nfirewall.@defaults[0].flow_offloading='${value}'\n`;
    expect(await causes({ forward: undefined, more: of(0) })).toEqual([]);
    const { predictions } = await foreseen({ forward: undefined, more: of(1) });
    expect(predictions.map(({ cause }) => cause)).toEqual(['pbr-next-hop', 'pbr-on-link']);
    expect(predictions[0]?.summary).not.toContain('that flows are offloaded');
  });

  it('tells the tables themselves when replies get the mark back', async () => {
    const marking = ['ct mark 0xff meta mark set ct mark', 'iifname "br-lan" meta mark set 0x000000ff'];
    expect(await causes({ marking })).toEqual(['pbr-table-incomplete']);
    expect(await causes({ marking, forward: ['ct state established accept'] })).toEqual(['pbr-table-incomplete']);
    expect(await causes({ marking, routes: `${ONE_ARM}10.0.0.0/24 dev br-lan table 100\n${MAIN}` })).toEqual([]);
  });

  it('knows when replies do not get the mark back', async () => {
    const set = 'iifname "br-lan" meta mark set 0x000000ff';
    for (const rule of [
      'iifname "lan9" meta mark set ct mark',
      'iifname != "br-lan" meta mark set ct mark',
      'ct direction original meta mark set ct mark',
    ]) {
      expect(await causes({ marking: [rule, set] })).toEqual(['pbr-next-hop', 'pbr-on-link']);
    }
    const routes = `default via 10.8.0.1 dev vpn0 table 100\n${MAIN}10.8.0.0/24 dev vpn0 scope link\n`;
    expect(await causes({ routes, marking: ['meta mark set ct mark', set] })).toEqual(['pbr-table-incomplete']);
  });

  it('covers networks behind another router', async () => {
    const { predictions } = await foreseen({ routes: `${ONE_ARM}${MAIN}10.9.0.0/16 via 10.0.0.7 dev br-lan\n` });
    expect(
      predictions.map(({ summary }) => /instead of (?:to the client|`via [\d.]+`)/.exec(summary)?.[0]).slice(0, 2),
    ).toEqual(['instead of to the client', 'instead of `via 10.0.0.7`']);
  });
});

describe('policy routing elsewhere', () => {
  it('is fine for IPv4 with a gateway on another device, whose replies stay on it', async () => {
    const routes = `default via 10.8.0.1 dev vpn0 table 100\n${MAIN}10.8.0.0/24 dev vpn0 scope link\n`;
    expect(await causes({ routes, devices: 'br-lan, wan' })).toEqual([]);
  });

  it('is no client network that leads outward', async () => {
    const routes = `default via 203.0.113.1 dev wan table 100\n${MAIN}`;
    expect(await causes({ routes, marking: [] })).toEqual([]);
  });

  it('loops for IPv6, whatever device the gateway is on', async () => {
    const rules = `# ip -6 rule show
0:	from all lookup local
32765:	from all fwmark 0xff lookup 100
32766:	from all lookup main
`;
    const routes = `default via fd00:c::1 dev vpn0 table 100 metric 1024 pref medium
fd00:a::/64 dev br-lan proto kernel metric 256 pref medium
fd00:c::/64 dev vpn0 proto kernel metric 256 pref medium
default via fe80::1 dev wan metric 512 pref medium
`;
    const { predictions } = await foreseen({ rules, routes, devices: 'br-lan, vpn0, wan' });
    expect(predictions.map(({ cause, prove }) => [cause, prove])).toEqual([
      ['pbr-ipv6-loop', ['ip -6 route get fd00:a::2 from 2001:db8::1 oif br-lan mark 0xff']],
    ]);
    const cured = `${routes}fd00:a::/64 dev br-lan table 100 metric 256 pref medium\n`;
    expect(await causes({ rules, routes: cured, devices: 'br-lan, vpn0, wan' })).toEqual([]);
  });
});

describe('a whole configuration of OpenWrt', () => {
  const pbr = `# ip rule show
0:	from all lookup local
29998:	from all fwmark 0x20000/0xff0000 lookup pbr_vpn
29999:	from all fwmark 0x10000/0xff0000 lookup pbr_wan
32766:	from all lookup main
32767:	from all lookup default
# ip -6 rule show
0:	from all lookup local
29998:	from all fwmark 0x20000/0xff0000 lookup pbr_vpn
32766:	from all lookup main
# ip route show table all
default dev wgvpn table pbr_vpn
default via 203.0.113.1 dev eth1 table pbr_wan
default via 203.0.113.1 dev eth1 proto static src 203.0.113.2
10.7.0.0/24 dev wgvpn proto kernel scope link src 10.7.0.2
192.168.1.0/24 dev br-lan proto kernel scope link src 192.168.1.1
203.0.113.0/24 dev eth1 proto kernel scope link src 203.0.113.2
# ip -6 route show table all
default dev wgvpn table pbr_vpn metric 1024 pref medium
fd12:3456:789a::/64 dev br-lan proto static metric 1024 pref medium
default via fe80::1 dev eth1 proto static metric 384 pref medium
`;
  const fw4 = (devices: string): string => `# nft list ruleset
table inet fw4 {
	flowtable ft {
		hook ingress priority filter
		devices = { ${devices} }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		meta l4proto { tcp, udp } flow add @ft
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle forwarded flows"
		iifname "br-lan" jump forward_lan comment "!fw4: Handle lan IPv4/IPv6 forward traffic"
		jump handle_reject
	}

	chain mangle_prerouting {
		type filter hook prerouting priority mangle; policy accept;
		jump pbr_prerouting comment "Jump into pbr prerouting chain"
	}

	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth1" jump srcnat_wan comment "!fw4: Handle wan IPv4/IPv6 srcnat traffic"
	}

	chain srcnat_wan {
		meta nfproto ipv4 masquerade comment "!fw4: Masquerade IPv4 wan traffic"
	}

	chain pbr_prerouting {
		ip saddr { 192.168.1.50 } goto pbr_mark_0x020000 comment "tv"
	}

	chain pbr_mark_0x020000 {
		meta mark set meta mark & 0xff00ffff | 0x00020000
		return
	}
}
`;

  it('has nothing wrong for IPv4, and loops for IPv6 where replies take the fast path', async () => {
    const of = async (devices: string): Promise<Analysis> =>
      analyze([textPiece('router.txt', LINKS + pbr + fw4(devices))]);
    expect((await of('"br-lan", "eth1"')).predictions).toEqual([]);
    const { predictions } = await of('"br-lan", "eth1", "wgvpn"');
    expect(predictions.map(({ cause, prove }) => [cause, prove])).toEqual([
      ['pbr-ipv6-loop', ['ip -6 route get fd12:3456:789a::2 from 2001:db8::1 oif br-lan mark 0x20000']],
    ]);
    expect(predictions[0]?.summary).toContain('`dev wgvpn`');
  });
});

/** Also false where the tools are there and this machine allows no network namespaces. */
const canMakeNetworks =
  hasTool('ip') &&
  spawnSync('unshare', ['-n', 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'p0']).status === 0;

describe.skipIf(!canMakeNetworks)('the commands that prove it', () => {
  /** Makes the network, and prints its rules and routes, and what the commands answer. */
  function inNetwork(setup: readonly string[], commands: readonly string[]): { dump: string; answers: string } {
    const devices = ['br-lan', 'wan', 'vpn0'].map(
      (name, i) => `ip link add ${name} type veth peer name p${i}; ip link set ${name} up; ip link set p${i} up`,
    );
    const dumps = ['ip rule show', 'ip -6 rule show', 'ip route show table all', 'ip -6 route show table all'];
    const script = [
      'ip link set lo up',
      ...devices,
      ...setup,
      ...dumps.map((command) => `echo '# ${command}'; ${command}`),
      'echo ==',
      ...commands.map((command) => `${command} 2>&1 | head -1`),
    ];
    const out = execFileSync('unshare', ['-n', 'sh'], { input: script.join('\n'), encoding: 'utf8', stdio: 'pipe' });
    const [dump = '', answers = ''] = out.split('==\n');
    return { dump, answers };
  }

  const lan = [
    'ip addr add 10.0.0.1/24 dev br-lan',
    'ip addr add 203.0.113.2/24 dev wan',
    'ip route add default via 203.0.113.1',
  ];
  const marked = 'ip rule add fwmark 0xff lookup 100';
  const lan6 = [
    'ip -6 addr add fd00:a::1/64 dev br-lan nodad',
    'ip -6 addr add fd00:c::9/64 dev vpn0 nodad',
    'ip -6 rule add fwmark 0xff lookup 100',
  ];

  it.each([
    [
      'one-armed',
      [...lan, marked, 'ip route add default via 10.0.0.3 dev br-lan table 100'],
      ['pbr-next-hop', 'pbr-on-link'],
    ],
    [
      'split',
      [
        ...lan,
        marked,
        'ip route add default via 10.0.0.3 dev br-lan table 100',
        'ip route add 198.51.100.0/24 via 203.0.113.1 dev wan table 100',
      ],
      ['pbr-next-hop', 'pbr-on-link'],
    ],
    ['IPv6', [...lan6, 'ip -6 route add default via fd00:c::1 dev vpn0 table 100'], ['pbr-ipv6-loop']],
    ['IPv6 tunnel', [...lan6, 'ip -6 route add default dev vpn0 table 100'], ['pbr-ipv6-loop']],
  ])('answer as foretold: %s', async (_name, setup, expected) => {
    const { dump } = inNetwork(setup, []);
    const { predictions } = await analyze([textPiece('router.txt', dump)]);
    expect(predictions.map(({ cause }) => cause)).toEqual(expected);
    for (const { summary, prove, change } of predictions) {
      const way = /go `(.*?)` /.exec(summary)?.[1];
      const before = inNetwork(setup, prove).answers;
      if (way === undefined) expect(before).toMatch(/ dev br-lan /);
      if (way === undefined) expect(before).not.toContain(' via ');
      else expect(before).toContain(` ${way} `);
      for (const cure of change.flatMap(({ commands }) => commands)) {
        const after = inNetwork([...setup, cure], prove);
        expect(after.answers).toMatch(/ dev br-lan /);
        expect(after.answers).not.toContain(' via ');
        const again = await analyze([textPiece('router.txt', after.dump)]);
        expect(again.predictions.map(({ cause }) => cause)).toEqual(
          expected.filter((cause) => cause === 'pbr-on-link'),
        );
      }
    }
  });
});

describe('guards', () => {
  it.each([
    ['meta mark != 0x00000000 return', ['pbr-on-link'], 'guard-works'],
    ['meta mark & 0x000000ff != 0x00000000 return', ['pbr-on-link'], 'guard-works'],
    ['meta mark 0x000000ff return', ['pbr-on-link'], 'guard-works'],
    ['meta mark 0x00000100 return', ['pbr-next-hop', 'pbr-on-link'], 'guard-works'],
    ['ct status snat return', ['pbr-next-hop'], 'guard-works'],
    ['ct status snat,dnat return', [], 'guard-works'],
    ['ct status { snat, dnat } return', ['pbr-next-hop', 'pbr-on-link'], 'guard-never-matches'],
    ['ct status == dnat return', ['pbr-next-hop', 'pbr-on-link'], 'guard-never-matches'],
    ['ct status vmap { dnat : return, snat : return }', ['pbr-next-hop', 'pbr-on-link'], 'guard-never-matches'],
    ['ct status != dnat return', [], 'guard-keeps-all'],
    ['iifname "br-lan" meta mark != 0x00000000 return', ['pbr-next-hop', 'pbr-on-link'], 'guard-partial'],
  ])('%s', async (guard, expected, id) => {
    const forward = [`${guard} comment "keep out, { please }"`, FLOW_ADD];
    expect(await causes({ forward })).toEqual(expected);
    expect(await checks({ forward })).toEqual([id]);
  });

  it.each([
    [`meta mark 0x00000000 ${FLOW_ADD}`, ['pbr-on-link'], 'guard-works'],
    [`meta mark & 0x000000ff == 0x00000000 ${FLOW_ADD}`, ['pbr-on-link'], 'guard-works'],
    [`ct status ! dnat ${FLOW_ADD}`, ['pbr-next-hop', 'pbr-on-link'], 'guard-works'],
    [`ct status != dnat ${FLOW_ADD}`, ['pbr-next-hop', 'pbr-on-link'], 'guard-never-matches'],
  ])('in the rule itself: %s', async (rule, expected, id) => {
    expect(await causes({ forward: [rule] })).toEqual(expected);
    expect(await checks({ forward: [rule] })).toEqual([id]);
  });

  it('remember the mark of a connection', async () => {
    const forward = ['meta mark != 0x00000000 ct mark set meta mark return', 'ct mark != 0x00000000 return', FLOW_ADD];
    expect(await causes({ forward })).toEqual([]);
  });

  it('have no effect behind the rule that offloads, nor in another chain', async () => {
    expect(await checks({ forward: [FLOW_ADD, 'meta mark != 0x00000000 return'] })).toEqual(['guard-misplaced']);
  });

  it('drop what they match in a chain whose policy is drop', async () => {
    const text = ruleset({ forward: ['meta mark != 0x00000000 return', FLOW_ADD] }).replace(
      /(hook forward .*)accept/,
      '$1drop',
    );
    const { ruleset: found } = await analyze([textPiece('router.txt', text)]);
    expect(found?.map(({ id }) => id)).toEqual(['guard-drops']);
  });

  it('never run the rule behind one that takes established traffic away', async () => {
    expect(await checks({ forward: ['ct state established,related accept', FLOW_ADD] })).toEqual([
      'offload-never-runs',
    ]);
    expect(await checks({ forward: ['ct state vmap { established : accept, related : accept }', FLOW_ADD] })).toEqual([
      'offload-never-runs',
    ]);
    expect(await checks({ forward: ['iifname "lan1" ct state established accept', FLOW_ADD] })).toEqual([]);
  });

  it('are told from bridge ports and hardware in the flowtable', async () => {
    expect(await checks({ devices: 'lan1, wan' })).toEqual(['ports-in-flowtable']);
    expect(await checks({ devices: 'lan1, wan }\n		flags offload\n		# {' })).toEqual([
      'hardware-offload',
      'ports-in-flowtable',
    ]);
  });
});

describe.skipIf(!hasShared)('known configurations', () => {
  const configuration = /ruleset-|rule|route|link|addr|uname|nft/;
  const of = async (name: string, wanted = configuration): Promise<Analysis> =>
    analyze(folderPieces(sharedPath('captures', name), (file) => wanted.test(file) && !/pcap|truth/.test(file)));

  it.each([
    ['S0', [], []],
    ['S1', [], ['ports-in-flowtable']],
    ['S1c', [], ['ports-in-flowtable']],
    ['S2', [], []],
    ['S3b', ['pbr-next-hop', 'pbr-on-link'], []],
    ['S3c', [], []],
    // Without the wrong MAC, but the router still asks for far addresses: the guard does not know replies.
    ['S4a', ['pbr-on-link'], ['guard-works', 'guard-never-matches', 'ports-in-flowtable']],
    ['S8', [], ['ports-in-flowtable']],
  ])('%s', async (name, predictions, ids) => {
    const analysis = await of(name);
    expect(analysis.verdict).toBe('not-judged');
    expect(analysis.predictions.map(({ cause }) => cause)).toEqual(predictions);
    expect((analysis.ruleset ?? []).map(({ id }) => id)).toEqual(ids);
  });

  it('say the same as JSON, which hides the flags', async () => {
    for (const name of ['S3b', 'S4a', 'S3c']) {
      const [json, text] = [
        await of(name, /nft-ruleset\.json|ip-|uname/),
        await of(name, /nft-ruleset\.txt|ip-|uname/),
      ];
      expect(json.predictions.map(({ cause }) => cause)).toEqual(text.predictions.map(({ cause }) => cause));
      expect(json.ruleset?.map(({ id }) => id)).toEqual(text.ruleset?.map(({ id }) => id));
    }
  });

  it('print a short section', async () => {
    const text = renderText(await of('S4a'), { color: false, verbose: false, quiet: false });
    expect(text).toMatch(/^NOT JUDGED/);
    expect(text.slice(text.indexOf('Foreseen'))).toMatchInlineSnapshot(`
      "Foreseen from the configuration
        The router will take far addresses for neighbours (pbr-on-link): When a reply
          that came in on br-lan without mark 0xff has its flow offloaded (UDP, such
          as DNS), main has no way out on br-lan: the router then asks br-lan for the
          far address itself, and the client's packets of that flow are lost instead
          of going via 10.0.0.3. The command below shows it when it answers without
          \`via\`.
            ip route get 198.51.100.1 oif br-lan
          Keep such traffic out of the flowtable: \`macscan guard\` with this evidence
          prints how.
          Or give replies the mark of their connection: save it (\`ct mark set meta
          mark\`), and restore it in prerouting (\`meta mark set ct mark\`), once the
          table has the networks of the clients.
        Fine: \`meta mark != 0x00000000 return\` keeps packets that carry such a mark
          out of the flowtable, but not replies that come without it.
          (dump-steady/nft-ruleset.txt line 23)
        Ruleset: \`ct status { snat, dnat } return\` keeps nothing out: it compares the
          whole status word, which always says more (confirmed, seen-reply). NATed
          traffic is offloaded all the same; write \`ct status dnat return\` and \`ct
          status snat return\`, which test bits. (dump-steady/nft-ruleset.txt line 24)
        Risk: Flowtable ft lists bridge ports (lan1, lan2, lan3): MAC and port are
          copied once per flow, and stay when a host moves or is replaced (stale-mac,
          wrong-port); the bridge itself in their stead has them looked up for each
          packet. (dump-steady/nft-ruleset.txt line 3)

      Read: 0 captures, 9 dumps, 1 file without evidence (-v lists them).
      "
    `);
  });
});

describe('hostile configurations', () => {
  const word = fc.constantFrom(
    ...'ct status mark meta set & | != == { } snat dnat return accept drop vmap : flow add @ft jump forward 0xff 0 , ! iifname "br-lan" established state counter'.split(
      ' ',
    ),
  );

  it('are read without a stumble', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(word, { maxLength: 12 }), { maxLength: 8 }), async (rules) => {
        const { ruleset: found = [] } = await foreseen({ forward: rules.map((words) => words.join(' ')) });
        for (const { what } of found) expect(what).toMatch(/\.$/);
      }),
      { numRuns: 200 },
    );
  });

  it('are read in time', async () => {
    const many = Array.from(
      { length: 5_000 },
      (_, i) => `10.${50 + (i >> 14)}.${(i >> 6) & 255}.${(i & 63) << 2}/30 via 10.0.0.7 dev br-lan`,
    );
    const inTable = many.map((route) => `${route} table 100`);
    const forward = [
      `ct state ${'established,'.repeat(5000)}! accept`,
      `ct status { ${'dnat, '.repeat(9000)} } return`,
      ...Array.from({ length: 5000 }, () => FLOW_ADD),
    ];
    const started = performance.now();
    await foreseen({ routes: `${ONE_ARM}${MAIN}${many.join('\n')}\n${inTable.join('\n')}\n`, forward });
    expect(performance.now() - started).toBeLessThan(4000);
  });
});
