/** What the analysis could not say, and what would have let it: lines beside the diagnostics of the inputs. */

import type { Trace } from '../detect/trace.js';
import type { Diagnostic } from '../model.js';
import type { Scene } from './case.js';
import { CAUSES } from './causes/index.js';

/** Causes that look likely and lack a dump, and frames beyond the bound of what is followed one by one. */
export function limitsOf(scene: Scene): Diagnostic[] {
  return [
    ...traceLimit(scene.trace),
    ...ownerLimit(scene.r),
    ...CAUSES.flatMap((cause) => [...missingOf(cause, scene)]),
  ];
}

/** Says when there were more frames of suspect flows than are kept one by one. */
export function traceLimit({ frames, dropped }: Pick<Trace, 'frames' | 'dropped'>): Diagnostic[] {
  if (dropped === 0) return [];
  return [
    {
      id: 'trace-limit',
      what: `${count(frames.length)} frames of suspect flows were followed one by one, and ${count(dropped)} more were not: their next hops were not judged.`,
      action: 'Judge a part of the time at once (--from, --to), or the flows of fewer hosts.',
    },
  ];
}

/** Says when an address changed hands more often than is followed, or there were too many addresses. */
function ownerLimit({ claims, facts }: Scene['r']): Diagnostic[] {
  const dropped = claims.dropped + facts.neighborsDropped;
  if (dropped === 0) return [];
  return [
    {
      id: 'owner-limit',
      what: `${count(dropped)} statements of who has an address came after as many others as are kept, and were not used.`,
      action: 'Judge a part of the time at once (--from, --to).',
    },
  ];
}

function count(n: number): string {
  return n.toLocaleString('en-US');
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
