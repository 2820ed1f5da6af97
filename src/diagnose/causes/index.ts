/** All causes, in the order in which they are tried: the first that fits explains a case. */

import type { Cause } from '../cause.js';
import { pbrNextHop } from './pbr-next-hop.js';
import { pbrTableIncomplete } from './pbr-table-incomplete.js';
import { staleMac } from './stale-mac.js';

export const CAUSES: readonly Cause[] = [staleMac, pbrTableIncomplete, pbrNextHop];
