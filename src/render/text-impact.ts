/** What users felt, in one sentence. */

import type { Analysis, Felt, Flow } from '../model.js';
import { count, counted, printable, span } from './words.js';

export interface Layout {
  readonly verbose: boolean;
  readonly bold: (text: string) => string;
  readonly wrap: (text: string, indent: string, hanging?: string) => string[];
}

/** Empty when no packet of a flow could be followed, or nothing shows that anybody felt it. */
export function impactLines(analysis: Analysis, { verbose, bold, wrap }: Layout): string[] {
  const { impact } = analysis;
  if (!impact) return [];
  const isQuiet = parts(impact.during).length === 0 && Number(impact.during.longestStall) === 0;
  // Packets of one direction, or answered ones: there is nothing to tell.
  if (isQuiet && !verbose) return [];
  const lines = ['', bold('What users felt'), ...wrap(sentence(impact.during, impact), '  ', '  ')];
  if (verbose) {
    for (const [when, felt] of [['before', impact.before] as const, ['after', impact.after] as const]) {
      const stall = `at most ${seconds(felt.longestStall)} without anything from the far side`;
      const what = [counted(felt.frames, 'packet'), ...parts(felt), stall].join(', ');
      lines.push(...wrap(`${when} (${seconds(felt.duration)}): ${what}`, '  ', '  '));
    }
    lines.push(...analysis.flows.slice(0, MAX_FLOWS).flatMap((flow) => forwardingLines(flow, wrap)));
  }
  return lines;
}

const MAX_FLOWS = 3;

function forwardingLines(flow: Flow, wrap: Layout['wrap']): string[] {
  return (flow.forwarding ?? []).flatMap(({ direction, from, to, classic, offloaded }) => {
    const how = [
      classic ? `${seconds(classic.median)} by the classic path (${counted(classic.packets, 'packet')})` : '',
      offloaded ? `${seconds(offloaded.median)} offloaded (${counted(offloaded.packets, 'packet')})` : '',
    ].filter((text) => text !== '');
    const way = `from ${printable(from)} to ${printable(to)}`;
    return wrap(`flow ${flow.id}, ${direction} direction, ${way}: ${how.join(', ')}`, '  ', '  ');
  });
}

function sentence(during: Felt, { before, after }: { before: Felt; after: Felt }): string {
  const stall = `up to ${seconds(during.longestStall)} without anything from the far side`;
  const apart = [
    `${seconds(before.longestStall)} before`,
    after.frames > 0 ? `${seconds(after.longestStall)} after` : '',
  ];
  const usual = `(${apart.filter((text) => text !== '').join(', ')})`;
  const felt = parts(during);
  const list = felt.length === 0 || Number(during.longestStall) > 0 ? [...felt, `${stall} ${usual}`] : felt;
  return `In the ${seconds(during.duration)} from the first to the last such frame: ${list.join(', ')}.`;
}

function parts(felt: Felt): string[] {
  const { queries, unanswered, retransmissions, handshakesRepeated } = felt;
  return [
    queries > 0
      ? `${count(unanswered)} of ${count(queries)} ${queries === 1 ? 'query' : 'queries'} without an answer`
      : '',
    retransmissions > 0 ? `${counted(retransmissions, 'TCP segment')} sent again` : '',
    handshakesRepeated > 0 ? `${counted(handshakesRepeated, 'WireGuard handshake')} begun again` : '',
  ].filter((text) => text !== '');
}

function seconds(ns: string): string {
  return span('0', ns);
}
