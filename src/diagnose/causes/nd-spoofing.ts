/** Somebody claims another's IPv6 address in neighbor advertisements that nobody asked for. */

import type { Cause } from '../cause.js';
import { explainSpoof, observeSpoofs } from '../spoofing.js';

export const ndSpoofing: Cause = {
  id: 'nd-spoofing',
  title: 'Neighbour discovery spoofing: a MAC claims an address that another one has',
  explain: (scene, kase, tests) => explainSpoof(scene, kase, tests, 6),
  observe: (scene) => observeSpoofs(scene, 6),
};
