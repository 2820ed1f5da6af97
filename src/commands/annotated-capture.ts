/** The captures of a run as one pcapng with comments on the misdelivered frames. */

import { UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import { annotateCapture, type Annotation } from '../read/annotate.js';
import { commentsOn, relatedFrames } from '../render/pcapng-comments.js';
import type { Evidence } from '../scan.js';
import type { NewFile } from './new-file.js';

/**
 * Reads the captures again and writes them one after the other, each a section of its own (or as many as it had).
 * @param onlyEvidence only misdelivered frames and those that witness or explain them
 * @throws UsageError when there is no capture, InputError when one cannot be read or the file cannot be written
 */
export async function makeAnnotatedCapture(
  target: NewFile,
  analysis: Analysis,
  captures: readonly Evidence[],
  onlyEvidence: boolean,
): Promise<void> {
  const inputs = new Map(analysis.inputs.map((input) => [input.name, input]));
  if (captures.length === 0) {
    throw new UsageError(`${target.path}: there is no capture to write; printed ones hold no packets`);
  }
  if (target.path === '-' && process.stdout.isTTY) throw new UsageError('-f pcapng: standard output is a terminal');
  const comments = await commentsOn(analysis, captures.length > 1 || onlyEvidence);
  for (const capture of captures) {
    const device = inputs.get(capture.name)?.interfaces?.[0]?.device ?? '';
    const related = onlyEvidence ? relatedFrames(analysis, capture.name) : undefined;
    const comment = (frame: number): string | undefined => comments.get(capture.name)?.of(frame);
    const annotation: Annotation = {
      comment,
      ...(device === '' ? {} : { device }),
      ...(related ? { keep: (frame: number) => related.has(frame) || comment(frame) !== undefined } : {}),
    };
    const source = await capture.open();
    try {
      await annotateCapture(source, annotation, (bytes) => {
        target.write(bytes);
      });
    } finally {
      source.close();
    }
  }
}
