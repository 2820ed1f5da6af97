/** How the next hop that a frame went to is wrong. */

import type { Mac } from '../bytes/address.js';

/** A frame that shows the right way. ns since the analysis epoch. */
export interface SeenAt {
  readonly tap: number;
  readonly frame: number;
  readonly time: number;
}

export interface NextHopFault {
  /** `bypass`: past a gateway that the client's packets go by. `loop`: back to the MAC that the packet came from. */
  readonly kind: 'bypass' | 'loop';
  /** The gateway that was passed by, or that the packets came from and went back to. */
  readonly gateway: Mac;
  /** Packets of the same client that took the right way while others took the wrong one. */
  readonly right: readonly SeenAt[];
}
