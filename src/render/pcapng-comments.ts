/** What the annotated capture says of its frames. */

import type { Analysis, Finding, MisdeliveredFrame, MisdeliveredLeg, Misdelivery, Origin } from '../model.js';
import { CONFIDENCE_WORDS, expectedText, isRightMac, printable } from './words.js';

/** Every comment begins so; `frame.comment contains "macscan"` in Wireshark selects the misdelivered frames. */
const MARK = 'macscan: ';

/** Well within what Wireshark shows of a comment. */
const MAX_COMMENT = 1000;

/** The misdelivered frames of one input, and the comment on each. */
export interface FrameComments {
  /** The comment on a frame; undefined: it is none of them. */
  of(frame: number): string | undefined;
}

/**
 * The comments on all misdelivered frames, by input.
 * @param isMoved whether the frames have other numbers in what is written, so that the comment must tell the original
 */
export async function commentsOn(analysis: Analysis, isMoved: boolean): Promise<Map<string, FrameComments>> {
  const misdeliveries = new Map(analysis.misdeliveries.map((m) => [m.id, m]));
  const byInput = new Map<string, CommentRows>();
  await analysis.eachFrame?.((frame) => {
    const { input } = frame.leg;
    let rows = byInput.get(input);
    if (!rows) byInput.set(input, (rows = new CommentRows(misdeliveries, isMoved ? input : undefined)));
    rows.add(frame);
  });
  return byInput;
}

/**
 * Unbroken rows of frames with the same comment: 12 bytes for each row, and each comment once, as there may be millions of
 * frames, of few flows.
 */
class CommentRows implements FrameComments {
  /** First and last frame of each row, and the index of its comment. */
  private rows = new Uint32Array(3 * 1024);
  private used = 0;
  private readonly comments: string[] = [];
  private readonly indices = new Map<MisdeliveredLeg, number>();
  private readonly misdeliveries: ReadonlyMap<string, Misdelivery>;
  /** What is said of the frame's number, when it gets another one. */
  private readonly movedFrom: string | undefined;
  /** Where the last one asked for stands: they are asked for in their order. */
  private at = 0;

  constructor(misdeliveries: ReadonlyMap<string, Misdelivery>, movedFrom: string | undefined) {
    this.misdeliveries = misdeliveries;
    this.movedFrom = movedFrom;
  }

  /** Frames come in ascending order. */
  add({ frame, leg }: MisdeliveredFrame): void {
    let index = this.indices.get(leg);
    if (index === undefined) {
      this.indices.set(leg, (index = this.comments.length));
      this.comments.push(commentOf(leg, this.misdeliveries.get(leg.misdelivery)));
    }
    const { rows, used } = this;
    if (used > 0 && rows[used - 2] === frame - 1 && rows[used - 1] === index) {
      rows[used - 2] = frame;
      return;
    }
    if (used === rows.length) {
      this.rows = new Uint32Array(used * 2);
      this.rows.set(rows);
    }
    this.rows.set([frame, frame, index], used);
    this.used += 3;
  }

  of(frame: number): string | undefined {
    const { rows, used } = this;
    if ((rows[this.at] ?? 0) > frame) this.at = 0;
    while (this.at < used && (rows[this.at + 1] ?? 0) < frame) this.at += 3;
    if (this.at >= used || (rows[this.at] ?? 0) > frame) return undefined;
    const comment = this.comments[rows[this.at + 2] ?? 0] ?? '';
    const number = this.movedFrom === undefined ? '' : `; ${this.movedFrom} frame ${frame}`;
    return printable(`${MARK}${comment}${number}`).slice(0, MAX_COMMENT);
  }
}

/** Expected and observed MAC, whose frame it is, and why. */
function commentOf(leg: MisdeliveredLeg, m: Misdelivery | undefined): string {
  const place = m && isRightMac(m) ? expectedText(m) : undefined;
  const expected = place === undefined ? leg.expected.join(' or ') : `${leg.dstMac} on ${place}`;
  const seenOn = m?.class === 'wrong-port' ? leg.device : `VLAN ${leg.vlan ?? 0}`;
  const observed = place === undefined ? leg.dstMac : `${leg.dstMac} on ${seenOn}`;
  const confidence = m?.confidence === undefined ? '' : ` (${CONFIDENCE_WORDS[m.confidence]})`;
  const parts = [
    `expected ${expected}, observed ${observed}`,
    `to ${leg.dstIp}, sent by ${leg.srcMac} on ${leg.device}`,
    leg.cause === undefined ? 'cause not known' : `cause ${leg.cause}${confidence}`,
    ...(leg.flow === undefined ? [] : [`flow ${leg.flow}`]),
  ];
  return parts.join('; ');
}

/**
 * Numbers of the frames of an input that tell of a finding and are not misdelivered themselves: those that say who had
 * which MAC, and those that the tests name, such as packets of an offloaded flow that went the right way.
 */
export function relatedFrames(analysis: Analysis, input: string): Set<number> {
  const frames = new Set<number>();
  const add = (origin: Origin | undefined): void => {
    if (origin?.input === input && origin.frame !== undefined) frames.add(origin.frame);
  };
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
