import { fw4 } from '../fw4.js';
import { MARKED_TABLE, MEET_ALL, SERVER, VPN, VPN_RULESET } from '../places.js';
import type { Scenario, Wrong } from '../scenario.js';
import { CLIENT_TO_VPN, MARKED, PORTS } from './policy-routing.js';

const INCLUDE = '\tinclude "/etc/nftables.d/*.nft"\n';

/** What `macscan guard` prints for a scenario, applied in the middle of another run of it, and undone again. */
export const GUARDED: readonly Scenario[] = [
  {
    ...guarded(
      'guard-openwrt',
      'policy-routing',
      ['openwrt'],
      [
        // As its first line of advice says: the text becomes an include of firewall4.
        'cp "$lab/scenarios/$name.guard.nft" "$scratch/nftables.d/20-guarded-offload.nft"',
      ],
    ),
    rulesets: { router: fw4({ ...MARKED, flowtable: PORTS }), vpn: VPN_RULESET },
    files: {
      'fw4-0': fw4({ ...MARKED, chains: INCLUDE }),
      'fw4-1': fw4({ ...MARKED, flowtable: PORTS, chains: INCLUDE }),
    },
  },
  {
    ...guarded('guard-nftables', 'policy-routing-bridge', [], ['ruleset router "$lab/scenarios/$name.guard.nft"']),
    rulesets: {
      router: fw4({ ...MARKED, flowtable: ['br-lan', 'wan'], table: 'inet firewall' }),
      vpn: VPN_RULESET,
    },
  },
];

function guarded(
  name: string,
  guardOf: string,
  setup: readonly string[],
  load: readonly string[],
): Omit<Scenario, 'rulesets'> {
  return {
    name,
    title: `What \`macscan guard\` prints for ${guardOf} is applied in the middle of it, and undone.`,
    guardOf,
    network: VPN.network,
    setup: [
      ...setup,
      ...MARKED_TABLE,
      `serve internet udp ${SERVER} 5300 3`,
      `serve internet udp ${SERVER} 5400`,
      `serve internet udp ${SERVER} 5500`,
    ],
    captures: ['br-lan', 'lan1', 'lan2', 'lan3', 'wan', 'client:eth0', 'vpn:eth0'],
    steps: [
      ...MEET_ALL,
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      'offloaded udp dport=5300',
      'offloaded udp dport=5400',
      'sent victim 30',
      'dump fault',
      ...load,
      'guard_commands apply',
      'until_true "the old entry of the victim to end" not_offloaded_now udp dport=5300',
      'event guarded',
      'received victim 30',
      `talk client second udp 10.0.0.2 41001 ${SERVER} 5500`,
      'received second 20',
      'not_offloaded udp dport=5300',
      'not_offloaded udp dport=5500',
      'offloaded udp dport=5400',
      'received background 30',
      'event "offloaded while guarded: $(offloaded_entries)"',
      'dump guarded',
      'event undo',
      'guard_commands undo',
      'event undone',
      // Of the old flow either direction may come first; of a new one the client's does.
      `talk client third udp 10.0.0.2 41002 ${SERVER} 5300`,
      'offloaded udp sport=41002',
      'sent third 40',
      'offloaded udp dport=5400',
    ],
    owners: VPN.owners,
    wrong: [
      during('before the guard', 'captures_running', 'guarded', { least: 20 }),
      during('while guarded', 'guarded', 'undo', { most: 0 }),
      during('after the undo', 'undo', undefined, { least: 20 }),
    ],
    expect: { wrongFrames: 40, isOffloaded: true, cause: 'pbr-next-hop' },
  };
}

function during(when: string, since: string, until: string | undefined, bounds: Pick<Wrong, 'least' | 'most'>): Wrong {
  return {
    ...CLIENT_TO_VPN,
    label: `${CLIENT_TO_VPN.label} ${when}`,
    since,
    ...(until === undefined ? {} : { until }),
    ...bounds,
  };
}
