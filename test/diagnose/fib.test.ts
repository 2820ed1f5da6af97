import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/bytes/address.js';
import { Fib, type FibQuery } from '../../src/diagnose/fib.js';
import type { Fact } from '../../src/records/facts.js';
import { readText } from '../support/read-text.js';
import { hasTool } from '../support/tool.js';

/** A table of the marked traffic whose default is on the client's own network, and one whose default is elsewhere. */
const RULES = `# ip rule show
0:	from all lookup local
32765:	from all fwmark 0xff lookup 100
32766:	from all lookup main
32767:	from all lookup default
`;
const ROUTES = `# ip route show table all
default via 10.0.0.3 dev br-lan table 100
default via 203.0.113.1 dev wan
10.0.0.0/24 dev br-lan proto kernel scope link src 10.0.0.1
10.9.0.0/16 via 10.0.0.7 dev br-lan
203.0.113.0/24 dev wan proto kernel scope link src 203.0.113.2
`;

function fibOf(text: string, addresses: AddressTable): Fib {
  const facts: readonly Fact[] = readText(text).facts;
  return new Fib(
    facts.filter((fact) => fact.kind === 'rule'),
    facts.filter((fact) => fact.kind === 'route'),
    addresses,
  );
}

interface Asked {
  readonly to: string;
  readonly from?: string;
  readonly oif?: string;
  readonly mark?: number;
}

/** The answer as `ip route get` prints it, without what is not the route: `via A dev D`, `dev D` or `unreachable`. */
function answer(fib: Fib, addresses: AddressTable, asked: Asked): string {
  const ip = (text: string): number => {
    const parsed = addresses.parse(text);
    if (parsed === undefined) throw new Error(text);
    return parsed;
  };
  const query: FibQuery = {
    destination: ip(asked.to),
    ...(asked.from === undefined ? {} : { source: ip(asked.from) }),
    ...(asked.oif === undefined ? {} : { oif: asked.oif }),
    ...(asked.mark === undefined ? {} : { mark: asked.mark }),
  };
  const found = fib.lookup(query);
  if (found.kind === 'unreachable') return 'unreachable';
  if (found.kind === 'assumed-on-link') return `dev ${found.device}`;
  return found.hop.via === undefined ? `dev ${found.hop.device}` : `via ${found.hop.via} dev ${found.hop.device}`;
}

describe('what the kernel answered', () => {
  const addresses = new AddressTable();
  const fib = fibOf(RULES + ROUTES, addresses);
  const ask = (asked: Asked, from = fib): string => answer(from, addresses, asked);

  it('gives the next hop of the marked table for a client on the same device', () => {
    expect(ask({ to: '10.0.0.2', oif: 'br-lan', mark: 0xff })).toBe('via 10.0.0.3 dev br-lan');
    expect(ask({ to: '10.0.0.2', oif: 'br-lan' })).toBe('dev br-lan');
  });

  it('gives the wrong router for a client behind another router of the LAN', () => {
    expect(ask({ to: '10.9.1.1', oif: 'br-lan', mark: 0xff })).toBe('via 10.0.0.3 dev br-lan');
    expect(ask({ to: '10.9.1.1', oif: 'br-lan' })).toBe('via 10.0.0.7 dev br-lan');
  });

  it('takes a far address for a neighbour when no route is on the device', () => {
    expect(ask({ to: '8.8.8.8', oif: 'br-lan' })).toBe('dev br-lan');
    expect(ask({ to: '8.8.8.8', oif: 'br-lan', mark: 0xff })).toBe('via 10.0.0.3 dev br-lan');
  });

  it('passes over a next hop on another device for IPv4, but not for IPv6 once the source is set', () => {
    const elsewhere = fibOf(`${RULES}${ROUTES.replace('10.0.0.3 dev br-lan', '10.8.0.1 dev vpn0')}`, addresses);
    expect(ask({ to: '10.0.0.2', oif: 'br-lan', mark: 0xff }, elsewhere)).toBe('dev br-lan');
    const six = fibOf(
      `# ip -6 rule show
0:	from all lookup local
32765:	from all fwmark 0xff lookup 100
32766:	from all lookup main
# ip -6 route show table all
default via fd00:c::1 dev vpn0 table 100 metric 1024 pref medium
fd00:a::/64 dev br-lan proto kernel metric 256 pref medium
`,
      addresses,
    );
    const asked = { to: 'fd00:a::2', oif: 'br-lan', mark: 0xff };
    expect(ask({ ...asked, from: '2001:db8::8' }, six)).toBe('via fd00:c::1 dev vpn0');
    expect(ask(asked, six)).toBe('dev br-lan');
  });

  it('is cured by the connected route, and by the specific routes of main', () => {
    const copied = fibOf(`${RULES}${ROUTES}10.0.0.0/24 dev br-lan table 100\n`, addresses);
    const specific = fibOf(`${RULES}1000:	from all lookup main suppress_prefixlength 0\n${ROUTES}`, addresses);
    for (const cured of [copied, specific]) {
      expect(ask({ to: '10.0.0.2', oif: 'br-lan', mark: 0xff }, cured)).toBe('dev br-lan');
      expect(ask({ to: '8.8.8.8', oif: 'br-lan', mark: 0xff }, cured)).toBe('via 10.0.0.3 dev br-lan');
    }
  });

  it('never matches the device a packet came in on', () => {
    const byDevice = fibOf(`${RULES.replace('fwmark', 'iif br-lan fwmark')}${ROUTES}`, addresses);
    expect(ask({ to: '10.0.0.2', oif: 'br-lan', mark: 0xff }, byDevice)).toBe('dev br-lan');
  });
});

/** Also false where the tools are there and this machine allows no network namespaces. */
const canMakeNetworks =
  hasTool('ip') &&
  spawnSync('unshare', ['-n', 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'p0']).status === 0;

/** A run makes and asks a network of its own, about a fifth of a second. */
const NUM_RUNS = 8;

/** Prefixes, rules and questions of one small world: few of each, so that they meet. */
const PREFIXES = ['10.1.0.0/24', '10.1.0.128/25', '10.1.0.130/32', '10.2.0.0/16', '10.0.0.0/8', 'default'];
const PREFIXES6 = ['fd01::/64', 'fd01::8000/113', 'fd01::8002/128', 'fd02::/32', 'fd00::/8', 'default'];
const DEVICES = ['v0', 'v1', 'v2'];
const TABLES = ['main', '100', '200'];

describe.skipIf(!canMakeNetworks)('the kernel of this machine', () => {
  const routes = fc.uniqueArray(
    fc.record({
      prefix: fc.nat(PREFIXES.length - 1),
      table: fc.constantFrom(...TABLES),
      device: fc.nat(DEVICES.length - 1),
      metric: fc.constantFrom(10, 20),
      type: fc.constantFrom('via', 'via', 'via', 'link', 'link', 'unreachable', 'throw'),
    }),
    { maxLength: 9, selector: (route) => `${route.prefix} ${route.table} ${route.metric}` },
  );
  const rules = fc.array(
    fc.record({
      not: fc.constantFrom('', '', '', 'not '),
      selector: fc.constantFrom(
        ...['', 'fwmark 0xff', 'fwmark 0x10/0xf0', 'to 10.1.0.0/24', 'from 10.250.0.1', 'iif v0', 'oif v1', 'iif lo'],
      ),
      action: fc.constantFrom(
        ...[
          'lookup 100',
          'lookup 200',
          'lookup main',
          'lookup 100 suppress_prefixlength 0',
          'unreachable',
          'goto 32766',
          'goto 5003',
        ],
      ),
    }),
    { maxLength: 4 },
  );

  it.each([4, 6] as const)('gives the same answers for IPv%i', (family) => {
    fc.assert(
      fc.property(routes, rules, (someRoutes, someRules) => {
        const { dump, asked, answers } = inNetwork(family, someRoutes, someRules);
        const addresses = new AddressTable();
        const fib = fibOf(dump, addresses);
        expect(
          asked.map((query) => answer(fib, addresses, query)),
          dump,
        ).toEqual(answers);
      }),
      { numRuns: NUM_RUNS },
    );
  });
});

interface SomeRoute {
  readonly prefix: number;
  readonly table: string;
  readonly device: number;
  readonly metric: number;
  readonly type: string;
}

function inNetwork(
  family: 4 | 6,
  routes: readonly SomeRoute[],
  rules: readonly { not: string; selector: string; action: string }[],
): { dump: string; asked: Asked[]; answers: string[] } {
  const ip = `ip -${family}`;
  const six = family === 6;
  const lines = ['ip link set lo up'];
  for (const [i, device] of DEVICES.entries()) {
    lines.push(`ip link add ${device} type veth peer name p${i}`, `ip link set ${device} up`, `ip link set p${i} up`);
    lines.push(`${ip} addr add ${six ? `fdf${i}::1/64 nodad` : `10.25${i}.0.1/24`} dev ${device}`);
  }
  for (const route of routes) {
    const prefix = (six ? PREFIXES6 : PREFIXES)[route.prefix] ?? '';
    const rest = `table ${route.table} metric ${route.metric}`;
    const device = DEVICES[route.device] ?? '';
    const via = six ? `fdf${route.device}::9` : `10.25${route.device}.0.9`;
    if (route.type === 'via') lines.push(`${ip} route add ${prefix} via ${via} dev ${device} ${rest}`);
    else if (route.type === 'link') lines.push(`${ip} route add ${prefix} dev ${device} ${rest}`);
    else lines.push(`${ip} route add ${route.type} ${prefix} ${rest}`);
  }
  for (const [i, { not, selector, action }] of rules.entries()) {
    const translated = six ? selector.replace('10.1.0.0/24', 'fd01::/64').replace('10.250.0.1', 'fdf0::1') : selector;
    lines.push(`${ip} rule add pref ${5000 + i} ${not}${translated} ${action}`);
  }
  lines.push(`echo '# ${ip} rule show'; ${ip} rule show`);
  lines.push(`echo '# ${ip} route show table all'; ${ip} route show table all; echo ==`);
  const asked: Asked[] = [];
  const targets = six
    ? ['fd01::9', 'fd01::8001', 'fd01::8002', 'fd02::1', '2001:db8::1']
    : ['10.1.0.9', '10.1.0.129', '10.1.0.130', '10.2.0.1', '198.51.100.1'];
  for (const to of targets) {
    for (const oif of [undefined, 'v0', 'v1']) {
      for (const mark of [undefined, 0xff]) {
        for (const from of [undefined, six ? 'fdf0::1' : '10.250.0.1']) {
          asked.push({ to, ...(oif ? { oif } : {}), ...(mark ? { mark } : {}), ...(from ? { from } : {}) });
        }
      }
    }
  }
  for (const { to, from, oif, mark } of asked) {
    const words = [from && `from ${from}`, oif && `oif ${oif}`, mark && `mark ${mark}`].filter(Boolean).join(' ');
    lines.push(`${ip} route get ${to} ${words} 2>&1 | head -1`);
  }
  const out = execFileSync('unshare', ['-n', 'sh'], {
    input: lines.join('\n'),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [dump = '', answers = ''] = out.split('==\n');
  return { dump, asked, answers: answers.trimEnd().split('\n').map(shortened) };
}

function shortened(line: string): string {
  if (/^(?:RTNETLINK|unreachable|blackhole|prohibit)/.test(line)) return 'unreachable';
  return /(?:via \S+ )?dev \S+/.exec(line)?.[0] ?? line;
}
