/** What two cases may differ in: the router's system, what it offloads, and what it keeps out. */

import type { Analysis, System } from '../../model.js';

export type Router = Omit<System, 'inputs'>;

/** The machine that offloads; of several alike the one with the most dumps. */
export function routerOf(analysis: Analysis): Router | undefined {
  const [best] = (analysis.systems ?? []).toSorted(
    (a, b) => RANK[b.offloads] - RANK[a.offloads] || b.inputs.length - a.inputs.length,
  );
  if (!best) return undefined;
  const { kernel, distribution, board, offloads, flowtables, guards, connections } = best;
  return {
    ...(kernel === undefined ? {} : { kernel }),
    ...(distribution === undefined ? {} : { distribution }),
    ...(board === undefined ? {} : { board }),
    offloads,
    flowtables,
    guards,
    ...(connections ? { connections } : {}),
  };
}

const RANK = { yes: 3, likely: 2, no: 1, unknown: 0 } as const;

/** A thing in which two cases differ, as words that follow "the fault is there". */
export interface Difference {
  /** `offload`, `the kernel`. */
  readonly what: string;
  /** `with offload`, `on Linux 6.6.86`, for each side. */
  readonly words: readonly [string, string];
}

/** What is known to differ; what follows from something else that differs is not listed. */
export function differencesOf(a: Router | undefined, b: Router | undefined): Difference[] {
  if (!a || !b) return [];
  const found: Difference[] = [];
  const add = (what: string, one: string | undefined, other: string | undefined): void => {
    if (one !== undefined && other !== undefined && one !== other) found.push({ what, words: [one, other] });
  };
  add('offload', offloadText(a), offloadText(b));
  // Without offload there is no flowtable that could differ.
  if (isOffloading(a) && isOffloading(b)) {
    const [one, other] = [hardwareText(a), hardwareText(b)];
    add('hardware offload', one, other);
    // Hardware offload has other devices by itself.
    if (one === other) add('the devices of the flowtable', flowtableText(a), flowtableText(b));
    add('the guard', guardText(a), guardText(b));
  }
  add('the kernel', kernelText(a), kernelText(b));
  if (a.kernel === b.kernel) add('the distribution', distributionText(a), distributionText(b));
  add('the board', boardText(a), boardText(b));
  return found;
}

function isOffloading({ offloads }: Router): boolean {
  return offloads === 'yes' || offloads === 'likely';
}

/** `lan1, wan`, of each flowtable; undefined when none was shown. */
export function devicesText({ flowtables }: Router): string | undefined {
  if (flowtables.length === 0) return undefined;
  return flowtables.map(({ devices }) => devices.join(', ')).join(' and ');
}

/** Rules that keep something out of the flowtable, whether wholly or in part. */
export function effectiveGuards({ guards }: Router): string[] {
  return guards
    .filter(({ effect }) => effect === 'works' || effect === 'partly')
    .map(({ rule }) => rule)
    .sort();
}

function offloadText(router: Router): string | undefined {
  if (router.offloads === 'unknown') return undefined;
  return isOffloading(router) ? 'with offload' : 'without offload';
}

function hardwareText({ flowtables }: Router): string | undefined {
  const flags = new Set(flowtables.map(({ hardware }) => hardware));
  if (flags.size !== 1 || flags.has(undefined)) return undefined;
  return flags.has(true) ? 'with hardware offload' : 'with software offload';
}

function flowtableText(router: Router): string | undefined {
  const devices = devicesText(router);
  return devices === undefined ? undefined : `with ${devices} in the flowtable`;
}

function guardText(router: Router): string {
  const guards = effectiveGuards(router);
  return guards.length === 0 ? 'without a guard' : `with the guard ${guards.map((rule) => `"${rule}"`).join(', ')}`;
}

function kernelText({ kernel }: Router): string | undefined {
  return kernel === undefined ? undefined : `on Linux ${kernel}`;
}

function distributionText({ distribution }: Router): string | undefined {
  return distribution === undefined ? undefined : `on ${distribution}`;
}

function boardText({ board }: Router): string | undefined {
  return board === undefined ? undefined : `on ${board}`;
}
