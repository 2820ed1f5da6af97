/** How the next hop that a frame went to is wrong. */

import type { Mac } from '../bytes/address.js';
import type { Origin } from '../model.js';

/** A frame that shows the right way. ns since the analysis epoch. */
export interface SeenAt {
  readonly tap: number;
  readonly frame: number;
  readonly time: number;
}

export interface NextHopFault {
  /**
   * `bypass`: past a gateway that the client's packets go by. `loop`: back to the MAC that the packet came from. `lost`:
   * to a gateway that the tables do not name any more.
   */
  readonly kind: 'bypass' | 'loop' | 'lost';
  /** The gateway that was passed by, that the packets came from and went back to, or that is lost. */
  readonly gateway: Mac;
  /** Packets of the same client that took the right way while others took the wrong one. */
  readonly right: readonly SeenAt[];
  /** When the right way was shown last before the first frame that went wrong; ns since the analysis epoch. */
  readonly shown: number;
  /** What the tables lost, and where that stands. */
  readonly change?: { readonly what: string; readonly time: number; readonly origin: Origin };
}
