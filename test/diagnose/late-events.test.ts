import { expect, it } from 'vitest';
import { analyze, folderPieces, type Piece } from '../support/engine.js';

const root = new URL('../../captures/policy-routing', import.meta.url).pathname;

it.each([0, 20, 60, 95])('explains the same when conntrack events are read %i ms late', async (late) => {
  const pieces = folderPieces(root, (name) => !/README|expected/.test(name));
  const analysis = await analyze(
    pieces.map((piece) => (piece.name === 'conntrack-E.log' ? delayed(piece, late) : piece)),
  );
  expect(analysis.findings.map(({ cause }) => cause)).toEqual(['pbr-next-hop']);
});

function delayed(piece: Piece, ms: number): Piece {
  const text = new TextDecoder().decode(piece.bytes);
  const later = text.replaceAll(/^\[(\d+)\.(\d{6})\]/gm, (_all, seconds: string, fraction: string) => {
    const time = BigInt(seconds + fraction) + BigInt(ms) * 1000n;
    return `[${time / 1_000_000n}.${(time % 1_000_000n).toString().padStart(6, '0')}]`;
  });
  return { ...piece, bytes: new TextEncoder().encode(later) };
}
