/** What kind an input is, by its first bytes: names say nothing. */

import type { ByteSource } from './bytes/source.js';
import type { InputKind } from './model.js';
import { looksLikeAnalysis } from './read/analysis.js';
import { sniffCapture } from './read/capture.js';

const HEAD = 4096;

/** What can be opened at its beginning. */
interface Opens {
  open(head: 'head'): ByteSource | Promise<ByteSource>;
}

/**
 * The first bytes of an input, decompressed; fewer than 4096 where it ends before.
 * @throws InputError when it cannot be read
 */
export async function headOf(input: Opens): Promise<Uint8Array> {
  const source = await input.open('head');
  const head = new Uint8Array(HEAD);
  let length = 0;
  try {
    while (length < HEAD) {
      const read = await source.read(head, length, HEAD - length);
      if (read === 0) break;
      length += read;
    }
  } finally {
    source.close();
  }
  return head.subarray(0, length);
}

/** @param head as `headOf` gives it */
export function kindOfHead(head: Uint8Array): InputKind {
  if (head.length === 0) return 'empty';
  if (looksLikeAnalysis(head)) return 'analysis';
  return sniffCapture(head) ?? (isBinary(head) ? 'unknown' : 'text');
}

/** Text has no zero bytes, unless it is UTF-16, which begins with a byte order mark. */
function isBinary(head: Uint8Array): boolean {
  const isWide = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return head.includes(0) && !isWide;
}
