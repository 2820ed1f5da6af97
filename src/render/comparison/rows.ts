/** The matrix: the same question to both cases, line by line. A line that neither can answer is left out. */

import type { Analysis, Felt, Finding, Recovery } from '../../model.js';
import { CONFIDENCE_WORDS, count, span } from '../words.js';
import { faultsOf, type Row, type Side } from './matrix.js';
import { devicesText, effectiveGuards, type Router } from './router.js';

type Answer = (side: Side, analysis: Analysis) => string | undefined;

const MAX_LISTED = 5;

export function rowsOf(sides: readonly [Side, Side], analyses: readonly [Analysis, Analysis]): Row[] {
  return QUESTIONS.flatMap(([what, answer]) => {
    const [a, b] = [answer(sides[0], analyses[0]), answer(sides[1], analyses[1])];
    if (a === undefined && b === undefined) return [];
    const [one, other] = [a ?? missing(what, sides[0]), b ?? missing(what, sides[1])];
    return [{ what, values: [one, other], differs: one !== other }];
  });
}

/** Of a case without a fault there is nothing to know of its faults. */
function missing(what: string, { verdict }: Side): string {
  return verdict === 'delivered' && OF_FAULTS.has(what) ? 'none' : 'not known';
}

const OF_FAULTS: ReadonlySet<string> = new Set([
  'Normal after a take-over',
  'Causes',
  'Began',
  'Ended',
  'Felt meanwhile',
  'Affected flows seen offloaded',
]);

const QUESTIONS: readonly (readonly [string, Answer])[] = [
  ['Verdict', ({ verdict }) => verdict.replace('-', ' ')],
  ['Frames judged', ({ totals }) => count(totals.delivered + totals.misdelivered)],
  ['Misdelivered', ({ totals }) => `${count(totals.misdelivered)}${percentage(totals)}`],
  ['Normal after a take-over', ({ convergence }) => (convergence > 0 ? count(convergence) : undefined)],
  ['Not judged', ({ totals }) => count(totals.notJudged)],
  ['Flows affected', ({ verdict }, { flows }) => (verdict === 'not-judged' ? undefined : count(affected(flows)))],
  ['Causes', ({ causes }) => list(causes.map(({ cause, confidence }) => `${cause} (${confidenceText(confidence)})`))],
  ['Began', (_, analysis) => list(faultsOf(analysis).map(onsetText))],
  ['Ended', (_, analysis) => list(faultsOf(analysis).map(({ recovery }) => recovery && RECOVERY_WORDS[recovery.by]))],
  ['Felt meanwhile', (_, { impact }) => impact && feltText(impact.during)],
  ['Kernel', ({ router }) => router?.kernel],
  ['Distribution', ({ router }) => router?.distribution],
  ['Board', ({ router }) => router?.board],
  ['Offload', ({ router }) => router && OFFLOAD_WORDS[router.offloads]],
  ['Flowtable devices', ({ router }) => router && devicesText(router)],
  ['Hardware offload', ({ router }) => router && hardwareText(router)],
  ['Guards that keep traffic out', ({ router }) => router && guardsText(router)],
  ['Guards without effect', ({ router }) => router && list(withoutEffect(router))],
  ['Connections seen offloaded', ({ router }) => connectionsText(router)],
  ['Affected flows seen offloaded', (_, { flows }) => offloadedText(flows)],
  ['Foreseen from the configuration', (_, { predictions }) => list(predictions.map(({ cause }) => cause))],
];

function percentage({ delivered, misdelivered }: Side['totals']): string {
  const judged = delivered + misdelivered;
  return misdelivered > 0 ? ` (${((100 * misdelivered) / judged).toFixed(1)} %)` : '';
}

function affected(flows: Analysis['flows']): number {
  return flows.filter(({ misdelivered }) => misdelivered > 0).length;
}

function offloadedText(flows: Analysis['flows']): string | undefined {
  const wrong = flows.filter(({ misdelivered }) => misdelivered > 0);
  if (wrong.length === 0) return undefined;
  return `${count(wrong.filter(({ offload }) => offload.length > 0).length)} of ${count(wrong.length)}`;
}

function connectionsText(router: Router | undefined): string | undefined {
  const counts = router?.connections;
  if (!counts) return undefined;
  const hardware = counts.hardware > 0 ? `, ${count(counts.hardware)} in hardware` : '';
  return `${count(counts.offloaded)} of ${count(counts.seen)}${hardware}`;
}

function confidenceText(confidence: string): string {
  const known: Readonly<Record<string, string>> = CONFIDENCE_WORDS;
  return known[confidence] ?? confidence;
}

function onsetText({ onset }: Finding): string | undefined {
  if (!onset) return undefined;
  if (onset.after === 'unknown' || onset.since === undefined) return 'nothing known before it';
  return `${span(onset.since, onset.time)} after ${onset.after === 'offload' ? 'the offload' : 'the take-over'}`;
}

const RECOVERY_WORDS: Readonly<Record<Recovery['by'], string>> = {
  'conntrack-deleted': 'the conntrack entry was deleted',
  'offload-ended': 'the offload ended',
  'firewall-reload': 'the firewall was loaded anew',
  'capture-ended': 'not before the capture did',
  unknown: 'for a reason that is not known',
};

function feltText(felt: Felt): string {
  const parts = [
    felt.queries > 0 ? `${count(felt.unanswered)} of ${count(felt.queries)} queries without an answer` : '',
    felt.retransmissions > 0 ? `${count(felt.retransmissions)} TCP segments sent again` : '',
    felt.handshakesRepeated > 0 ? `${count(felt.handshakesRepeated)} WireGuard handshakes begun again` : '',
    `up to ${span('0', felt.longestStall)} without anything from the far side`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const OFFLOAD_WORDS: Readonly<Record<Router['offloads'], string | undefined>> = {
  yes: 'on',
  no: 'off',
  likely: 'on, as it seems (the rules were not shown)',
  unknown: undefined,
};

function hardwareText({ flowtables }: Router): string | undefined {
  const known = flowtables.flatMap(({ hardware }) => (hardware === undefined ? [] : [hardware]));
  if (known.length === 0) return undefined;
  return known.includes(true) ? 'yes' : 'no';
}

function guardsText(router: Router): string | undefined {
  const guards = effectiveGuards(router);
  if (guards.length > 0) return list(guards);
  return router.offloads === 'yes' ? 'none' : undefined;
}

function withoutEffect({ guards }: Router): string[] {
  return guards.filter(({ effect }) => effect === 'never').map(({ rule }) => rule);
}

/** Each once, the first few; undefined for none. */
function list(texts: readonly (string | undefined)[]): string | undefined {
  const all = [...new Set(texts.filter((text) => text !== undefined))];
  if (all.length === 0) return undefined;
  const rest = all.length > MAX_LISTED ? ` and ${count(all.length - MAX_LISTED)} more` : '';
  return all.slice(0, MAX_LISTED).join('; ') + rest;
}
