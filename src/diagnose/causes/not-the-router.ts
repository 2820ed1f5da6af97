/** Causes that are no fault of the router's forwarding, and events that are normal. */

import type { Cause } from '../cause.js';
import { arpSpoofing } from './arp-spoofing.js';
import { asymmetricRouting } from './asymmetric-routing.js';
import { bonding } from './bonding.js';
import { convergence } from './convergence.js';
import { dhcpReassignment } from './dhcp-reassignment.js';
import { duplicateAddress } from './duplicate-address.js';
import { flooding } from './flooding.js';
import { groupMac } from './group-mac.js';
import { hairpinNat } from './hairpin-nat.js';
import { icmpRedirect } from './icmp-redirect.js';
import { macTranslation } from './mac-translation.js';
import { mirror } from './mirror.js';
import { ndSpoofing } from './nd-spoofing.js';
import { nlb } from './nlb.js';
import { proxyArp } from './proxy-arp.js';
import { virtualRouter } from './virtual-router.js';
import { zeroMac } from './zero-mac.js';

export const NOT_THE_ROUTER: readonly Cause[] = [
  arpSpoofing,
  ndSpoofing,
  duplicateAddress,
  icmpRedirect,
  convergence,
  virtualRouter,
  dhcpReassignment,
  proxyArp,
  macTranslation,
  nlb,
  bonding,
  hairpinNat,
  asymmetricRouting,
  mirror,
  flooding,
  groupMac,
  zeroMac,
];
