/** All causes, in the order in which they are tried: the first that fits explains a case. */

import type { Cause } from '../cause.js';
import { bridgeOffloadSkip } from './bridge-offload-skip.js';
import { bridgedFrameTaken } from './bridged-frame-taken.js';
import { forwardingLoop } from './forwarding-loop.js';
import { hardwareL2Wrong } from './hardware-l2-wrong.js';
import { NOT_THE_ROUTER } from './not-the-router.js';
import { pbrIpv6Loop } from './pbr-ipv6-loop.js';
import { pbrNextHop } from './pbr-next-hop.js';
import { pbrOnLink } from './pbr-on-link.js';
import { pbrTableIncomplete } from './pbr-table-incomplete.js';
import { staleHardwareEntry } from './stale-hardware-entry.js';
import { staleMac } from './stale-mac.js';
import { staleRoute } from './stale-route.js';
import { vpnBypass } from './vpn-bypass.js';
import { wrongEgress } from './wrong-egress.js';
import { wrongPort } from './wrong-port.js';
import { wrongVlan } from './wrong-vlan.js';

export const CAUSES: readonly Cause[] = [
  ...NOT_THE_ROUTER,
  wrongPort,
  vpnBypass,
  forwardingLoop,
  staleRoute,
  pbrIpv6Loop,
  wrongVlan,
  wrongEgress,
  bridgeOffloadSkip,
  staleHardwareEntry,
  hardwareL2Wrong,
  staleMac,
  bridgedFrameTaken,
  pbrTableIncomplete,
  pbrNextHop,
  pbrOnLink,
];
