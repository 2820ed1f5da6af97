import type { Scenario } from '../scenario.js';
import { CHANGED_MAC } from './changed-mac.js';
import { GUARDED } from './guarded.js';
import { LOOK_ALIKES } from './look-alikes.js';
import { POLICY_ROUTING } from './policy-routing.js';
import { REPLACED_HOST } from './replaced-host.js';
import { ROAMING } from './roaming.js';
import { SECOND_PATH } from './second-path.js';
import { TWO_LINES } from './two-lines.js';
import { UPLINKS } from './uplinks.js';
import { VLANS } from './vlans.js';

/** All experiments, in the order in which they are told of. */
export const SCENARIOS: readonly Scenario[] = [
  ...REPLACED_HOST,
  ...CHANGED_MAC,
  ...UPLINKS,
  ...ROAMING,
  ...VLANS,
  ...POLICY_ROUTING,
  ...SECOND_PATH,
  ...TWO_LINES,
  ...GUARDED,
  LOOK_ALIKES,
];
