/** Somebody claims another's IPv4 address in ARP replies that nobody asked for. */

import type { Cause } from '../cause.js';
import { explainSpoof, observeSpoofs } from '../spoofing.js';

export const arpSpoofing: Cause = {
  id: 'arp-spoofing',
  title: 'ARP spoofing: a MAC claims an address that another one has',
  explain: (scene, kase, tests) => explainSpoof(scene, kase, tests, 4),
  observe: (scene) => observeSpoofs(scene, 4),
};
