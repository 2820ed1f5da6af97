/** What two cases together show, and what they do not. */

import type { Analysis } from '../../model.js';
import { count, counted } from '../words.js';
import type { Side } from './matrix.js';
import { differencesOf, type Difference } from './router.js';

/** The conclusion, a sentence or a few. */
export function concludes(sides: readonly [Side, Side], analyses: readonly [Analysis, Analysis]): string {
  const sentences = [...judgement(sides, analyses)];
  for (const side of sides) if (side.partial) sentences.push(`The reading of ${side.name} was interrupted.`);
  return sentences.join(' ');
}

function* judgement([a, b]: readonly [Side, Side], analyses: readonly [Analysis, Analysis]): Iterable<string> {
  const differences = differencesOf(a.router, b.router);
  const open = [a, b].filter(({ verdict }) => verdict === 'not-judged');
  if (open.length === 2) yield 'Neither case could be judged: nothing can be said of what makes a difference.';
  else if (open.length === 1) {
    const judged = open[0] === a ? b : a;
    yield `${open[0]?.name ?? ''} could not be judged, so that nothing can be said of what makes a difference; ${judged.name} ${judged.verdict === 'misdelivered' ? 'shows the fault' : 'does not show the fault'}.`;
  } else if (a.verdict !== b.verdict) yield* oneOfTwo(a, b, differences, analyses);
  else if (a.verdict === 'misdelivered') yield* both(a, b, differences);
  else {
    yield `Neither case shows the fault${differences.length > 0 ? `, ${differences.map(({ words }) => `neither ${words[0]} nor ${words[1]}`).join(', ')}` : ''}.`;
    yield 'That it cannot happen is not shown by that.';
  }
}

function* oneOfTwo(
  a: Side,
  b: Side,
  differences: readonly Difference[],
  analyses: readonly [Analysis, Analysis],
): Iterable<string> {
  const isFirst = a.verdict === 'misdelivered';
  const [wrong, right] = isFirst ? [a, b] : [b, a];
  const [of, other] = isFirst ? [0, 1] : [1, 0];
  const [only] = differences;
  if (only && differences.length === 1) {
    yield `The fault is there ${only.words[of] ?? ''} and not ${contrast(only.words[of] ?? '', only.words[other] ?? '')}.`;
    yield 'Nothing else is known to differ between the two routers; what their hosts did may.';
  } else {
    yield `The fault is there in ${wrong.name} and not in ${right.name}.`;
    if (only) {
      const [last, ...rest] = differences.map(({ what }) => what).toReversed();
      yield `The two differ in ${rest.toReversed().join(', ')} and ${last ?? ''}: which of these makes it is not shown.`;
    } else yield 'No difference between the two routers is known from their dumps: what makes it is not shown.';
  }
  yield* doubts(wrong, right, analyses[of], analyses[other]);
}

/** The case without the fault may just not have had the occasion for it. */
function* doubts(
  wrong: Side,
  right: Side,
  faulty: Analysis | undefined,
  clean: Analysis | undefined,
): Iterable<string> {
  const needsTakeOver = faulty?.findings.some(({ onset }) => onset?.after === 'take-over') ?? false;
  if (needsTakeOver && clean && !showsTakeOver(clean))
    yield `${right.name} shows no sign of an address that changed its MAC, though, without which the fault cannot appear.`;
  const judged = right.totals.delivered;
  const share = wrong.totals.misdelivered / (wrong.totals.delivered + wrong.totals.misdelivered);
  if (judged * share < FEW)
    yield `Only ${counted(judged, 'frame')} of ${right.name} could be judged, too few to expect it at the rate of ${wrong.name}.`;
}

/** Fewer faulty frames than this, expected at the other case's rate, may be none by chance. */
const FEW = 5;

function showsTakeOver(analysis: Analysis): boolean {
  return (
    analysis.misdeliveries.some((m) => m.class === 'convergence') ||
    (analysis.events ?? []).some(({ kind }) => kind === 'take-over') ||
    [...analysis.findings, ...analysis.observations].some(({ cause }) => cause === 'convergence')
  );
}

function* both(a: Side, b: Side, differences: readonly Difference[]): Iterable<string> {
  const figures = [a, b].map(({ totals }) => `${count(totals.misdelivered)} of ${judgedText(totals)}`).join(', ');
  const [one, other] = [a, b].map(({ causes }) => [...new Set(causes.map(({ cause }) => cause))].sort().join(', '));
  if (one !== other) {
    yield `Both cases show frames that went wrong (${figures}), and not for the same cause: ${named(one)} in ${a.name}, ${named(other)} in ${b.name}.`;
    return;
  }
  const [only] = differences;
  if (only && differences.length === 1) {
    yield `The fault is there ${only.words[0]}, and ${only.words[1]} as well (${figures}): ${only.what} does not decide it.`;
  } else {
    yield `The fault is there in both (${figures}).`;
    if (only) yield `They differ in ${differences.map(({ what }) => what).join(', ')}: none of these decides it.`;
  }
}

/** The second words without what both end in: `with offload` and not `without`. */
function contrast(first: string, second: string): string {
  const ending = [' offload', ' in the flowtable'].find((one) => first.endsWith(one) && second.endsWith(one));
  return ending === undefined ? second : second.slice(0, -ending.length);
}

function named(causes: string | undefined): string {
  return causes === undefined || causes === '' ? 'none named' : causes;
}

function judgedText({ delivered, misdelivered }: Side['totals']): string {
  return counted(delivered + misdelivered, 'judged frame');
}
