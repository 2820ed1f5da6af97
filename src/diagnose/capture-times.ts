/** Captures whose times the others do not share: a wrong clock that no packet shows looks the same. */

import { macPairsOf } from '../detect/mac-pairs.js';
import type { Diagnostic } from '../model.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { InputNames } from './clocks.js';

interface Span {
  readonly first: number;
  readonly last: number;
}

/** A capture that goes on with another one begins this soon after it, ns. */
const APART = 6e10;
/** A capture without MACs that begins so long before the others, or ends so long after them, may have another clock, ns. */
const BEYOND = 3e10;
const MAX_NAMES = 3;

/** Captures of another time than all others, and those of partly another time that cannot be compared with them. */
export function captureTimeDiagnostics(r: Reconstruction, names: InputNames): Diagnostic[] {
  const spans = new Map([...r.spans].filter(([, { first, last }]) => first <= last));
  return [...apartFromAll(spans, names), ...uncompared(r, spans, names)];
}

function apartFromAll(spans: ReadonlyMap<number, Span>, names: InputNames): Diagnostic[] {
  const all = [...spans];
  const apart = all.filter(([input, { first, last }]) =>
    all.every(([other, span]) => other === input || span.first > last + APART || span.last < first - APART),
  );
  if (all.length < 2 || apart.length === 0) return [];
  const shown = apart.slice(0, MAX_NAMES).map(([input]) => names.inputName(input));
  const more = apart.length > shown.length ? ` and ${apart.length - shown.length} more` : '';
  return [
    {
      id: 'no-common-time',
      ...(apart.length === 1 ? { input: shown[0] ?? '' } : {}),
      what: `No other capture is of the time of ${shown.join(', ')}${more}, and no packet shows that a clock is wrong.`,
      action: 'Each was judged at the time that it shows.',
    },
  ];
}

/** Clocks are compared by packets between two MACs; a capture on "any" has none, but hears who has which address. */
function uncompared(r: Reconstruction, spans: ReadonlyMap<number, Span>, names: InputNames): Diagnostic[] {
  const compared = inputsWithLegs(r);
  const others = [...spans].filter(([input]) => compared.has(input)).map(([, span]) => span);
  const begin = Math.min(...others.map(({ first }) => first));
  const end = Math.max(...others.map(({ last }) => last));
  if (others.length === 0) return [];
  return [...spans].flatMap(([input, { first, last }]): Diagnostic[] => {
    const isWithin = first > begin - BEYOND && last < end + BEYOND;
    const isApart = first > end + APART || last < begin - APART;
    if (compared.has(input) || isWithin || isApart) return [];
    return [
      {
        id: 'clock-not-compared',
        input: names.inputName(input),
        what: 'It holds no destination MACs, so that its clock could not be compared with the others, and shows times that no other capture has.',
        action: 'What it says of addresses was used as of the times that it shows. Leave it out if its clock is wrong.',
      },
    ];
  });
}

function inputsWithLegs(r: Reconstruction): Set<number> {
  const pairs = macPairsOf(r);
  const inputs = new Set<number>();
  for (let pair = 0; pair < pairs.count; pair++) inputs.add(r.taps.all[pairs.tap(pair)]?.input ?? -1);
  return inputs;
}
