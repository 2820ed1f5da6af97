/** `macscan guard <evidence...>`: prints what keeps a ruleset from offloading what offload gets wrong. It applies nothing. */

import { collectEvidence } from '../bytes/evidence.js';
import { guardText } from '../diagnose/guard.js';
import { InputReader } from '../input-reader.js';
import { digestHosts } from '../reconstruct/hosts.js';
import { Reconstruction } from '../reconstruct/reconstruction.js';
import { printable } from '../render/words.js';
import { EXIT, interrupted, writeError, writeOut } from './process.js';

/** @returns the exit code: success when a guard was printed or none is needed, failure without a ruleset */
export async function guardCommand(paths: readonly string[]): Promise<number> {
  const { pieces, errors } = await collectEvidence(paths, { signal: interrupted });
  for (const problem of errors) writeError(printable(problem.message));
  const r = new Reconstruction();
  const reader = new InputReader(r, { signal: interrupted });
  const evidence = await reader.inOrder(pieces);
  for (const [index, piece] of evidence.entries()) {
    if (interrupted.aborted) return EXIT.INTERRUPTED;
    await reader.first(index, piece);
  }
  const { kind, text } = guardText(digestHosts(r.facts, r.addresses), r.addresses, (input) =>
    printable(evidence[input]?.name ?? ''),
  );
  if (kind === 'no-ruleset') {
    writeError(text.replaceAll(/^# /gm, ''));
    return EXIT.FAILED;
  }
  await writeOut(`${text.trimEnd()}\n`);
  return errors.length > 0 ? EXIT.FAILED : EXIT.DELIVERED;
}
