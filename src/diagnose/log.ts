/** What the logs tell, in order of time. */

import { parseMac, type Mac } from '../bytes/address.js';
import type { Origin } from '../model.js';
import type { LogEvent, LogEventFact } from '../records/facts.js';
import type { Scene } from './scene.js';
import { once } from './once.js';

/** A dated line of a log. It happened at `earliest` or later, and before `latest`; ns since the analysis epoch. */
export interface Logged {
  readonly fact: LogEventFact;
  readonly earliest: number;
  readonly latest: number;
  readonly mac: Mac | undefined;
  readonly origin: Origin;
}

/** The dated log lines of some kinds that may lie between two times, first ones first. */
export function loggedBetween(scene: Scene, kinds: readonly LogEvent[], from: number, to: number): Logged[] {
  return logOf(scene).filter(
    ({ fact, earliest, latest }) => latest >= from && earliest <= to && kinds.includes(fact.what),
  );
}

const logOf = once((scene): readonly Logged[] =>
  [...scene.r.facts.inputs.values()]
    .flatMap(({ log }) => log.map((fact) => logged(scene, fact)))
    .filter((line) => line !== undefined)
    .sort((a, b) => a.earliest - b.earliest),
);

function logged(scene: Scene, fact: LogEventFact): Logged | undefined {
  if (fact.time === undefined) return undefined;
  const earliest = scene.r.epoch.relative(fact.time);
  const origin = { input: scene.places.inputName(fact.origin.input), line: fact.origin.line };
  const mac = fact.mac === undefined ? undefined : parseMac(fact.mac);
  return { fact, earliest, latest: earliest + fact.resolution, mac, origin };
}
