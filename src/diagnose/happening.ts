/** Something that happened, before it is put into the analysis; and what is looked for. */

import type { Ip, Mac } from '../bytes/address.js';
import type { NetworkEvent, Origin } from '../model.js';
import type { FactOrigin } from '../records/facts.js';
import type { Scene } from './scene.js';

/** Time in ns since the analysis epoch. */
export interface Happening extends Omit<NetworkEvent, 'time'> {
  readonly time: number;
}

/** The addresses and MACs of what was misdelivered, and the time around it. */
export interface Focus {
  readonly ips: ReadonlySet<Ip>;
  /** Where the frames went, and where they should have gone. */
  readonly macs: ReadonlySet<Mac>;
  readonly senders: ReadonlySet<Mac>;
  readonly from: number;
  readonly to: number;
}

/** Where a fact stands, for the analysis. */
export function originOfFact(scene: Scene, { input, line }: FactOrigin): Origin {
  return { input: scene.places.inputName(input), line };
}
