import { isCollected } from './collect.js';
import type { Scenario } from './scenario.js';

/** The scenario as a shell script: `script LAB-FOLDER RESULTS-FOLDER`. @param every s between packets of a flow */
export function scriptOf(scenario: Scenario, every: number): string {
  const { name, network, rulesets, setup, captures, steps } = scenario;
  const lines = [
    '#!/bin/sh',
    `# ${scenario.title}`,
    'lab=$1',
    'out=$2',
    `name=${name}`,
    `IPV6=${scenario.usesIpv6 ? 1 : 0}`,
    `EVERY=${every}`,
    '. "$lab/lib.sh"',
    '',
    ...network,
    ...Object.keys(rulesets).map((host) => `ruleset ${host} "$lab/scenarios/${name}.${host}.nft"`),
    ...setup,
    '',
    'watch_router',
    ...captures.map((device) => `capture ${device.includes(':') ? device.replace(':', ' ') : `router ${device}`}`),
    ...(isCollected(scenario) ? ['collect_router'] : []),
    'event captures_running',
    'dump pre',
    ...steps,
    'dump end',
    'finish',
    '',
  ];
  return lines.join('\n');
}

/** All files of the scenario, by their path in the payload. */
export function filesOf(scenario: Scenario, every: number): [string, string][] {
  return [
    [`scenarios/${scenario.name}.sh`, scriptOf(scenario, every)],
    ...Object.entries({ ...scenario.rulesets, ...scenario.files }).map(([host, text]): [string, string] => [
      `scenarios/${scenario.name}.${host}.nft`,
      text,
    ]),
  ];
}
