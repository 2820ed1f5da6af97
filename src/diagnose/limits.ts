/** What the analysis could not say, and what would have let it: lines beside the diagnostics of the inputs. */

import type { Trace } from '../detect/trace.js';
import type { Diagnostic } from '../model.js';
import type { Scene } from './case.js';
import { CAUSES } from './causes/index.js';

/** Causes that look likely and lack a dump, and frames beyond the bound of what is followed one by one. */
export function limitsOf(scene: Scene): Diagnostic[] {
  return [...traceLimit(scene.trace), ...CAUSES.flatMap((cause) => [...missingOf(cause, scene)])];
}

/** Says when there were more frames of suspect flows than are kept one by one. */
export function traceLimit({ frames, dropped }: Pick<Trace, 'frames' | 'dropped'>): Diagnostic[] {
  if (dropped === 0) return [];
  const count = (n: number): string => n.toLocaleString('en-US');
  return [
    {
      id: 'trace-limit',
      what: `${count(frames.length)} frames of suspect flows were followed one by one, and ${count(dropped)} more were not: their next hops were not judged.`,
      action: 'Judge a part of the time at once (--from, --to), or the flows of fewer hosts.',
    },
  ];
}

function* missingOf(cause: (typeof CAUSES)[number], scene: Scene): Iterable<Diagnostic> {
  for (const { because, collect } of cause.notEvaluated?.(scene) ?? []) {
    yield {
      id: 'not-evaluated',
      what: `${cause.id} was not evaluated: ${because}`,
      action: `To tell, collect: ${collect}`,
    };
  }
}
