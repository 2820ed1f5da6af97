/** What the annotated capture says of its frames. */

import type { Analysis, Finding, MisdeliveredFrame, Misdelivery, Origin } from '../model.js';
import { CONFIDENCE_WORDS, expectedText, isRightMac, printable } from './words.js';

/** Every comment begins so; `frame.comment contains "macscan"` in Wireshark selects the misdelivered frames. */
const MARK = 'macscan: ';

/** Well within what Wireshark shows of a comment. */
const MAX_COMMENT = 1000;

/**
 * The comments on the misdelivered frames of one input, by frame number.
 * @param isMoved whether the frames have other numbers in what is written, so that the comment must tell the original
 */
export function commentsOn(analysis: Analysis, input: string, isMoved: boolean): (frame: number) => string | undefined {
  const frames = new Map<number, MisdeliveredFrame>();
  for (const frame of analysis.frames ?? []) if (frame.input === input) frames.set(frame.frame, frame);
  const misdeliveries = new Map(analysis.misdeliveries.map((m) => [m.id, m]));
  return (number) => {
    const frame = frames.get(number);
    return frame ? commentOf(frame, misdeliveries.get(frame.misdelivery), isMoved) : undefined;
  };
}

/** Expected and observed MAC, whose frame it is, and why. */
function commentOf(frame: MisdeliveredFrame, m: Misdelivery | undefined, isMoved: boolean): string {
  const place = m && isRightMac(m) ? expectedText(m) : undefined;
  const expected = place === undefined ? frame.expected.join(' or ') : `${frame.dstMac} on ${place}`;
  const seenOn = m?.class === 'wrong-port' ? frame.device : `VLAN ${frame.vlan ?? 0}`;
  const observed = place === undefined ? frame.dstMac : `${frame.dstMac} on ${seenOn}`;
  const confidence = m?.confidence === undefined ? '' : ` (${CONFIDENCE_WORDS[m.confidence]})`;
  const parts = [
    `expected ${expected}, observed ${observed}`,
    `to ${frame.dstIp}, sent by ${frame.srcMac} on ${frame.device}`,
    frame.cause === undefined ? 'cause not known' : `cause ${frame.cause}${confidence}`,
    ...(frame.flow === undefined ? [] : [`flow ${frame.flow}`]),
    ...(isMoved ? [`${frame.input} frame ${frame.frame}`] : []),
  ];
  return printable(`${MARK}${parts.join('; ')}`).slice(0, MAX_COMMENT);
}

/**
 * Numbers of the frames of an input that carry a finding: misdelivered ones, those that say who had which MAC, and those
 * that the tests name, such as packets of an offloaded flow that went the right way.
 */
export function relatedFrames(analysis: Analysis, input: string): Set<number> {
  const frames = new Set<number>();
  const add = (origin: Origin | undefined): void => {
    if (origin?.input === input && origin.frame !== undefined) frames.add(origin.frame);
  };
  for (const frame of analysis.frames ?? []) add(frame);
  for (const { because } of analysis.misdeliveries) for (const witness of because) add(witness.origin);
  for (const { witnesses } of analysis.bindings) for (const witness of witnesses) add(witness.origin);
  for (const finding of analysis.findings) for (const origin of originsOf(finding)) add(origin);
  for (const { transits } of analysis.flows) {
    for (const transit of transits ?? []) for (const sighting of transit.sightings) add(sighting);
  }
  return frames;
}

function originsOf(finding: Finding): Origin[] {
  return [...(finding.onset ? [finding.onset.origin] : []), ...finding.tests.flatMap(({ evidence }) => evidence)];
}
