/** An analysis with every address and known name replaced, so that every output that is made of it has none of them. */

import type { Analysis, EachFrame, MisdeliveredLeg } from '../model.js';
import { parseAnalysis } from '../read/analysis.js';
import type { AddressMapping } from './mapping.js';
import type { TextRedactor } from './text.js';

/** Strings that are numbers, ids or digests: they hold no address, and long digits could be mistaken for one. */
const KEPT: ReadonlySet<string> = new Set([
  'sha256',
  'time',
  'firstTime',
  'lastTime',
  'from',
  'to',
  'since',
  'earliest',
  'moved',
  'offset',
  'uncertainty',
  'duration',
  'longestStall',
]);

/**
 * @returns a new analysis that says how thoroughly it was redacted; the given one is left as it is. Fields and free text
 * are treated alike, so that a field that is new is not forgotten.
 */
export function redactAnalysis(analysis: Analysis, mapping: AddressMapping, text: TextRedactor): Analysis {
  const replace = (key: string, value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    // The capture filter of an interface may name hosts, which no pattern knows.
    if (key === 'filter') return undefined;
    return KEPT.has(key) && isNumberOrDigest(value) ? value : text.redact(value);
  };
  // Once to meet every address: bare digits, as in the name of a device, are told by what was met.
  JSON.stringify(analysis, replace);
  const replaced = JSON.stringify(analysis, replace);
  const result = parseAnalysis(replaced);
  if (typeof result === 'string') throw new Error(`the redacted analysis is none: ${result}`);
  const { eachFrame } = analysis;
  return {
    ...result,
    redacted: mapping.level,
    ...(eachFrame ? { eachFrame: redactedFrames(eachFrame, mapping, text) } : {}),
  };
}

function redactedFrames(eachFrame: EachFrame, mapping: AddressMapping, text: TextRedactor): EachFrame {
  const known = new Map<MisdeliveredLeg, MisdeliveredLeg>();
  return (take) =>
    eachFrame(({ leg, ...frame }) => {
      const redacted = known.get(leg) ?? redactLeg(leg, mapping, text);
      known.set(leg, redacted);
      take({ ...frame, leg: redacted });
    });
}

function redactLeg(leg: MisdeliveredLeg, mapping: AddressMapping, text: TextRedactor): MisdeliveredLeg {
  return {
    ...leg,
    input: text.redact(leg.input),
    device: text.redact(leg.device),
    srcMac: mapping.macText(leg.srcMac),
    dstMac: mapping.macText(leg.dstMac),
    expected: leg.expected.map((mac) => mapping.macText(mac)),
    srcIp: mapping.ipText(leg.srcIp),
    dstIp: mapping.ipText(leg.dstIp),
  };
}

function isNumberOrDigest(value: string): boolean {
  return /^(?:-?\d{0,30}|[0-9a-f]{64})$/.test(value);
}
