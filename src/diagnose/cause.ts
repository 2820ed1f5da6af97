/** What a cause is: one file in `causes/`, one line in `causes/index.ts`, one page in `docs/causes/`. */

import type { Advice, Confidence, MisdeliveryClass, Observation, TestResult } from '../model.js';
import { faultOf, type Case, type Scene } from './case.js';

export interface Cause {
  /** Stable: other programs and the name of the docs page rely on it. */
  readonly id: string;
  readonly title: string;
  /** Classes of misdelivery that it may explain; a plain wrong MAC when missing. */
  readonly classes?: readonly MisdeliveryClass[];
  /** Whether it explains a misdelivery; undefined when it has nothing to do with it. Missing for causes that never do. */
  explain?(scene: Scene, kase: Case, tests: Tests): Explanation | undefined;
  /** What of it is there without any misdelivery: normal events that look like one. */
  observe?(scene: Scene): Iterable<Omit<Observation, 'cause' | 'title'>>;
  /** What looks like it without any misdelivery, where the dumps that would tell are missing. */
  notEvaluated?(scene: Scene): Iterable<Missing>;
}

/** Why a cause could not be evaluated, and the command that would have told. */
interface Missing {
  readonly because: string;
  readonly collect: string;
}

/** Whether a cause fits a case. */
export type Explanation =
  | {
      readonly fits: 'yes';
      readonly confidence: Confidence;
      /** What happened, in this network's names. */
      readonly summary: string;
      readonly change: readonly Advice[];
      readonly collect: readonly string[];
    }
  | { readonly fits: 'no'; readonly because: string }
  | { readonly fits: 'unknown'; readonly because: string; readonly collect: string };

/** The tests of a case, by id. */
export class Tests {
  readonly all: readonly TestResult[];

  constructor(all: readonly TestResult[]) {
    this.all = all;
  }

  is(id: string, result: TestResult['result']): boolean {
    return this.all.some((test) => test.id === id && test.result === result);
  }

  find(id: string): TestResult | undefined {
    return this.all.find((test) => test.id === id);
  }

  /** Whether anything shows that a cache decided, not the tables: without it, offload is never named as the cause. */
  get showOffload(): boolean {
    return this.is('D1', 'yes') || this.is('D2', 'yes') || this.is('D9', 'yes');
  }

  /** Whether packets that were not offloaded are shown to have gone the same way. At the same time (D1) counts for more. */
  get denyOffload(): boolean {
    return this.is('D1', 'no') || (this.is('D2', 'no') && !this.is('D1', 'yes'));
  }
}

/** Causes that are a fault of an offloaded flow: its cached entry, or what went into it. */
const OFFLOAD_CAUSES: readonly string[] = [
  'stale-mac',
  'pbr-next-hop',
  'pbr-on-link',
  'pbr-ipv6-loop',
  'stale-route',
  'vpn-bypass',
  'forwarding-loop',
  'bridged-frame-taken',
  'wrong-port',
  'wrong-vlan',
  'wrong-egress',
  'stale-hardware-entry',
  'hardware-l2-wrong',
  'bridge-offload-skip',
];

/** Whether a cause says that a flow was offloaded. */
export function namesOffload(cause: string): boolean {
  return OFFLOAD_CAUSES.includes(cause);
}

/** Evidence on the wire that is not older than this is fresh. */
const FRESH = 60e9;
const MIN_FRAMES = 3;

/** How sure an offload cause is, by the tests of the case. */
export function confidenceOf(kase: Case, tests: Tests): Confidence {
  const shown = faultOf(kase)?.shown ?? kase.tenure?.end;
  const isFresh = shown !== undefined && kase.first - shown < FRESH;
  const frames = kase.buckets[0]?.frames ?? 0;
  if (tests.is('D2', 'yes')) return 'proven';
  if (tests.is('D1', 'yes') && tests.is('D7', 'yes') && isFresh && frames >= MIN_FRAMES) return 'proven';
  if (tests.is('D1', 'yes') || (tests.is('D3', 'yes') && tests.is('D4', 'yes') && isFresh)) return 'strong';
  return 'suspected';
}
