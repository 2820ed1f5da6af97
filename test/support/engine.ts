import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Analysis, EachFrame, MisdeliveredFrame, Misdelivery } from '../../src/model.js';
import { renderJson } from '../../src/render/json.js';
import { scan, type Evidence, type ScanOptions } from '../../src/scan.js';
import { memorySource } from './collect-capture.js';
import { schemaErrors } from './schema.js';

/** An input of the engine, in memory. */
export interface Piece {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function textPiece(name: string, text: string): Piece {
  return { name, bytes: new TextEncoder().encode(text) };
}

/** All files below a folder, by path. */
export function folderPieces(path: string, wanted: (name: string) => boolean = () => true): Piece[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(path.length + 1))
    .filter(wanted)
    .sort()
    .map((name) => ({ name, bytes: readFileSync(`${path}/${name}`) }));
}

export async function analyze(pieces: readonly Piece[], options: Partial<ScanOptions> = {}): Promise<Analysis> {
  return analyzeEvidence(pieces.map(evidenceOf), options);
}

/**
 * Runs the engine. Every analysis made in the tests keeps to the schema and adds up.
 * @throws when it does not
 */
export async function analyzeEvidence(
  evidence: readonly Evidence[],
  options: Partial<ScanOptions> = {},
): Promise<Analysis> {
  const analysis = await scan(evidence, { generatorVersion: '0.0.0', ...options });
  const errors = [...schemaErrors(JSON.parse(renderJson(analysis))), ...oddities(analysis)];
  if (errors.length > 0) throw new Error(errors.slice(0, 10).join('\n'));
  return analysis;
}

/** Frames that an analysis calls misdelivered: those of a plain wrong MAC, by input. */
export function wrongFrames(analysis: Analysis): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const m of plainWrong(analysis)) found.set(m.input, [...(found.get(m.input) ?? []), ...framesOf(m)]);
  for (const frames of found.values()) frames.sort((a, b) => a - b);
  return found;
}

export function plainWrong(analysis: Analysis): Misdelivery[] {
  return analysis.misdeliveries.filter((m) => m.class === undefined);
}

/** Every frame number of a misdelivery. */
export function framesOf(m: Misdelivery): number[] {
  return m.frameRanges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** All that `Analysis.eachFrame` gives. */
export async function listedFrames({ eachFrame }: Analysis): Promise<MisdeliveredFrame[]> {
  const frames: MisdeliveredFrame[] = [];
  await eachFrame?.((frame) => frames.push(frame));
  return frames;
}

/** An `Analysis.eachFrame` that gives these. */
export function listing(frames: readonly MisdeliveredFrame[]): EachFrame {
  return (take) => {
    frames.forEach(take);
    return Promise.resolve();
  };
}

export function evidenceOf(piece: Piece): Evidence {
  const digest = createHash('sha256').update(piece.bytes).digest('hex');
  return { name: piece.name, size: piece.bytes.length, open: () => memorySource(piece.bytes), sha256: () => digest };
}

/** What no analysis may say, whatever the evidence. */
function oddities(analysis: Analysis): string[] {
  const odd: string[] = [];
  const { totals } = analysis;
  const parts = [totals.delivered, totals.misdelivered, totals.notJudged];
  if (parts.some((part) => part < 0) || parts.reduce((a, b) => a + b) !== totals.frames)
    odd.push(JSON.stringify(totals));
  const unjudged = analysis.notJudged.reduce((sum, entry) => sum + entry.frames, 0);
  if (unjudged !== totals.notJudged) odd.push(`reasons for ${unjudged} frames, ${totals.notJudged} not judged`);
  const wrong = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  const counted = wrong.reduce((sum, m) => sum + m.frames, 0);
  if (counted !== totals.misdelivered) odd.push(`${counted} frames in misdeliveries, ${totals.misdelivered} in total`);
  const inInputs = analysis.inputs.reduce((sum, input) => sum + (input.frames ?? 0), 0);
  if (inInputs !== totals.frames) odd.push(`${inInputs} frames in inputs, ${totals.frames} in total`);
  const names = new Set(analysis.inputs.map((input) => input.name));
  const flows = new Set(analysis.flows.map((flow) => flow.id));
  const keys = new Set<string>();
  const once = new Set<string>();
  for (const m of analysis.misdeliveries) {
    const frames = framesOf(m);
    if (frames.length !== m.frames) odd.push(`${m.id}: ${m.frames} frames, ${frames.length} in ranges`);
    if (frames.some((frame, i) => i > 0 && frame <= (frames[i - 1] ?? 0))) odd.push(`${m.id}: ranges out of order`);
    if (m.frameRanges.some(([first], i) => i > 0 && first === (m.frameRanges[i - 1]?.[1] ?? 0) + 1))
      odd.push(`${m.id}: ranges not merged`);
    for (const frame of frames) {
      if (once.has(`${m.input} ${frame}`)) odd.push(`${m.id}: frame ${frame} of ${m.input} counted twice`);
      once.add(`${m.input} ${frame}`);
    }
    const isRightMac = m.class === 'wrong-port' || (m.class === 'wrong-egress' && m.vlan !== undefined);
    if (m.expected.includes(m.dstMac) && !isRightMac) odd.push(`${m.id}: the observed MAC is expected`);
    if (m.expected.length === 0) odd.push(`${m.id}: nothing expected`);
    if (m.because.length === 0) odd.push(`${m.id}: no witness`);
    if (!names.has(m.input)) odd.push(`${m.id}: no input ${m.input}`);
    if (flows.size < 2000 && m.flows.some((id) => !flows.has(id))) odd.push(`${m.id}: a flow that is not listed`);
    const key = JSON.stringify([m.input, m.device, m.vlan, m.srcMac, m.dstIp, m.dstMac, m.class]);
    if (keys.has(key)) odd.push(`${m.id}: a second misdelivery of the same key`);
    keys.add(key);
  }
  const verdict = totals.misdelivered > 0 ? 'misdelivered' : totals.delivered > 0 ? 'delivered' : 'not-judged';
  if (analysis.verdict !== verdict) odd.push(`verdict ${analysis.verdict}, totals say ${verdict}`);
  return odd;
}
