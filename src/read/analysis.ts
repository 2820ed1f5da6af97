/** Reads a saved analysis (our own JSON). It may come from a stranger, so its shape is checked before it is believed. */

import { ANALYSIS_VERSION, type Analysis } from '../model.js';

export const MAX_ANALYSIS_BYTES = 256 * 1024 * 1024;

/** Tells a saved analysis by the first bytes of a file. */
export function looksLikeAnalysis(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head.subarray(0, 512));
  return /^\s*\{\s*"version"\s*:\s*"[\d.]+"\s*,\s*"generator"\s*:\s*\{\s*"name"\s*:\s*"macscan"/.test(text);
}

/** @returns the analysis, or a sentence about why it is none */
export function parseAnalysis(text: string): Analysis | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is no complete JSON';
  }
  const wrong = mismatch(value, ANALYSIS, 'analysis');
  if (wrong !== undefined) return wrong;
  if (!isAnalysis(value)) return 'it is no analysis';
  const major = value.version.split('.')[0];
  if (major !== ANALYSIS_VERSION.split('.')[0])
    return `it has version ${value.version}, this program reads ${ANALYSIS_VERSION}`;
  return value;
}

function isAnalysis(value: unknown): value is Analysis {
  return mismatch(value, ANALYSIS, 'analysis') === undefined;
}

/** A type by example: a primitive's name, a list with its element, an object with its members (`?` at the end: may lack). */
type Shape = 'string' | 'number' | 'boolean' | 'any' | readonly [Shape] | { readonly [member: string]: Shape };

const ORIGIN: Shape = { input: 'string', 'frame?': 'number', 'line?': 'number' };
const WITNESS: Shape = {
  kind: 'string',
  ip: 'string',
  mac: 'string',
  'port?': 'string',
  'time?': 'string',
  'origin?': ORIGIN,
};
const TUPLE = {
  srcIp: 'string',
  dstIp: 'string',
  protocol: 'number',
  'srcPort?': 'number',
  'dstPort?': 'number',
} as const;

const MOMENT: Shape = { time: 'string', 'earliest?': 'string', source: 'string', origin: ORIGIN };

const FELT: Shape = {
  duration: 'string',
  frames: 'number',
  queries: 'number',
  unanswered: 'number',
  retransmissions: 'number',
  handshakesRepeated: 'number',
  longestStall: 'string',
};
const IMPACT: Shape = { before: FELT, during: FELT, after: FELT };

const DELAY: Shape = { median: 'string', packets: 'number' };

const TRANSIT: Shape = {
  direction: 'string',
  phase: 'string',
  joinedBy: 'string',
  'boomerang?': 'boolean',
  sightings: [
    {
      input: 'string',
      frame: 'number',
      time: 'string',
      device: 'string',
      'vlan?': 'number',
      srcMac: 'string',
      dstMac: 'string',
      hopLimit: 'number',
      'translated?': TUPLE,
      'misdelivered?': 'boolean',
    },
  ],
};

const ANALYSIS: Shape = {
  version: 'string',
  generator: { name: 'string', version: 'string' },
  verdict: 'string',
  totals: { frames: 'number', delivered: 'number', misdelivered: 'number', notJudged: 'number' },
  inputs: [
    {
      name: 'string',
      kind: 'string',
      sha256: 'string',
      bytes: 'number',
      'frames?': 'number',
      'firstTime?': 'string',
      'lastTime?': 'string',
      'interfaces?': [
        {
          index: 'number',
          device: 'string',
          linkType: 'number',
          frames: 'number',
          'filter?': 'string',
          'snapLength?': 'number',
          'dropped?': 'number',
        },
      ],
      'facts?': 'any',
      'unknownLines?': 'number',
    },
  ],
  'window?': { 'from?': 'string', 'to?': 'string' },
  misdeliveries: [
    {
      id: 'string',
      input: 'string',
      device: 'string',
      'vlan?': 'number',
      srcMac: 'string',
      dstMac: 'string',
      dstIp: 'string',
      expected: ['string'],
      frames: 'number',
      frameRanges: [['number']],
      firstTime: 'string',
      lastTime: 'string',
      flows: ['string'],
      'cause?': 'string',
      'confidence?': 'string',
      'class?': 'string',
      because: [WITNESS],
      evidence: [
        {
          ...TUPLE,
          frame: 'number',
          time: 'string',
          srcMac: 'string',
          dstMac: 'string',
          'hopLimit?': 'number',
          length: 'number',
          'vlan?': 'number',
        },
      ],
    },
  ],
  flows: [
    {
      id: 'string',
      original: TUPLE,
      reply: TUPLE,
      joinedBy: 'string',
      offload: [{ kind: 'string', from: MOMENT, 'to?': MOMENT }],
      misdelivered: 'number',
      mappings: [
        {
          id: 'string',
          direction: 'string',
          input: 'string',
          device: 'string',
          'vlan?': 'number',
          srcMac: 'string',
          dstMac: 'string',
          frames: 'number',
          bytes: 'number',
          firstFrame: 'number',
          lastFrame: 'number',
          firstTime: 'string',
          lastTime: 'string',
          'folded?': 'boolean',
          verdict: 'string',
          delivered: 'number',
          misdelivered: 'number',
          notJudged: 'number',
          expected: ['string'],
        },
      ],
      'transits?': [TRANSIT],
      'impact?': IMPACT,
      'forwarding?': [{ direction: 'string', from: 'string', to: 'string', 'classic?': DELAY, 'offloaded?': DELAY }],
    },
  ],
  bindings: [
    {
      network: 'number',
      ip: 'string',
      mac: 'string',
      'from?': 'string',
      'to?': 'string',
      'conflict?': 'boolean',
      witnesses: [WITNESS],
    },
  ],
  findings: [
    {
      id: 'string',
      cause: 'string',
      confidence: 'string',
      title: 'string',
      summary: 'string',
      explains: ['string'],
      'onset?': { time: 'string', origin: ORIGIN, after: 'string', 'since?': 'string' },
      'recovery?': { time: 'string', by: 'string' },
      tests: [
        {
          id: 'string',
          title: 'string',
          result: 'string',
          what: 'string',
          evidence: [ORIGIN],
          'table?': {
            offloadedRight: 'number',
            offloadedWrong: 'number',
            otherRight: 'number',
            otherWrong: 'number',
            probability: 'number',
          },
        },
      ],
      considered: [{ cause: 'string', result: 'string', because: 'string', 'collect?': 'string' }],
      change: [{ what: 'string', commands: ['string'] }],
      collect: ['string'],
    },
  ],
  observations: [{ cause: 'string', title: 'string', summary: 'string', 'time?': 'string', evidence: [ORIGIN] }],
  predictions: [
    {
      cause: 'string',
      title: 'string',
      summary: 'string',
      confidence: 'string',
      prove: ['string'],
      change: [{ what: 'string', commands: ['string'] }],
      evidence: [ORIGIN],
    },
  ],
  'ruleset?': [{ id: 'string', result: 'string', what: 'string', evidence: [ORIGIN] }],
  notJudged: [{ reason: 'string', frames: 'number', what: 'string', 'collect?': 'string', inputs: ['string'] }],
  diagnostics: [
    {
      id: 'string',
      'input?': 'string',
      'frame?': 'number',
      'offset?': 'number',
      'line?': 'number',
      what: 'string',
      action: 'string',
      'count?': 'number',
    },
  ],
  'events?': [
    {
      time: 'string',
      kind: 'string',
      what: 'string',
      'device?': 'string',
      'ip?': 'string',
      'mac?': 'string',
      origin: ORIGIN,
    },
  ],
  'impact?': IMPACT,
  'clocks?': [
    { input: 'string', against: 'string', offset: 'string', uncertainty: 'string', by: 'string', pairs: 'number' },
  ],
  'systems?': [
    {
      inputs: ['string'],
      'kernel?': 'string',
      'distribution?': 'string',
      'board?': 'string',
      offloads: 'string',
      flowtables: [{ name: 'string', devices: ['string'], 'hardware?': 'boolean' }],
      guards: [{ rule: 'string', effect: 'string' }],
      'connections?': { seen: 'number', offloaded: 'number', hardware: 'number' },
    },
  ],
  'filter?': {
    expression: 'string',
    sentence: 'string',
    misdeliveries: 'number',
    flows: 'number',
    findings: 'number',
  },
  'redacted?': 'string',
  'partial?': 'boolean',
};

/** A sentence about the first place where a value has not the shape; undefined when it has. */
function mismatch(value: unknown, shape: Shape, path: string): string | undefined {
  if (shape === 'any') return undefined;
  if (typeof shape === 'string') return typeof value === shape ? undefined : `${path} is no ${shape}`;
  if (isList(shape)) {
    if (!Array.isArray(value)) return `${path} is no list`;
    for (const [i, element] of value.entries()) {
      const wrong = mismatch(element, shape[0], `${path}[${i}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return `${path} is no object`;
  const members = new Map<string, unknown>(Object.entries(value));
  for (const [key, member] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    const isMissing = members.get(name) === undefined;
    if (isMissing && key.endsWith('?')) continue;
    const wrong = mismatch(members.get(name), member, `${path}.${name}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape);
}
