/** Findings: which known cause explains which misdeliveries, and which do not and why. */

import { formatMac } from '../bytes/address.js';
import type { Examination } from '../detect/examine.js';
import type { Considered, Finding, Misdelivery, Observation } from '../model.js';
import { COLLECT_CONNTRACK } from './advice.js';
import { casesOf, type Case, type Scene } from './case.js';
import { CAUSES } from './causes/index.js';
import { Tests } from './cause.js';
import { onsetOf, recoveryOf } from './onset.js';
import { runTests } from './tests.js';

/** One finding per case, the most frames first. Marks each misdelivery with its cause. */
export function findingsOf(scene: Scene, examination: Examination, misdeliveries: readonly Misdelivery[]): Finding[] {
  const byCase = new Map<string, Misdelivery[]>();
  for (const m of misdeliveries) {
    const key = caseKey(m.srcMac, m.dstMac, m.dstIp, m.class);
    const same = byCase.get(key);
    if (same) same.push(m);
    else byCase.set(key, [m]);
  }
  return casesOf(scene, examination).map((kase, i): Finding => {
    const ip = scene.r.addresses.format(kase.dstIp);
    const explained = byCase.get(caseKey(formatMac(kase.transmitter), formatMac(kase.mac), ip, kase.class)) ?? [];
    const finding = kase.class === 'convergence' ? convergence(scene, kase) : explain(scene, kase);
    for (const m of explained) {
      m.cause = finding.cause;
      m.confidence = finding.confidence;
    }
    return { id: `C${i + 1}`, ...finding, explains: explained.map((m) => m.id) };
  });
}

/** What is normal, or not the router's fault; at most some of each cause. */
export function observationsOf(scene: Scene): Observation[] {
  return CAUSES.flatMap((cause) => {
    const found = [...(cause.observe?.(scene) ?? [])];
    return found.slice(0, MAX_OBSERVATIONS).map((seen) => ({ cause: cause.id, title: cause.title, ...seen }));
  });
}

const MAX_OBSERVATIONS = 20;

function caseKey(srcMac: string, dstMac: string, dstIp: string, misdeliveryClass: string | undefined): string {
  return `${srcMac} ${dstMac} ${dstIp} ${misdeliveryClass ?? ''}`;
}

type Draft = Omit<Finding, 'id' | 'explains'>;

function explain(scene: Scene, kase: Case): Draft {
  const tests = new Tests(runTests(scene, kase));
  const considered: Considered[] = [];
  const common = { onset: onsetOf(scene, kase), recovery: recoveryOf(scene, kase), tests: [...tests.all] };
  let found: Pick<Draft, 'cause' | 'confidence' | 'title' | 'summary' | 'change' | 'collect'> | undefined;
  for (const cause of CAUSES) {
    const isForClass = kase.class === undefined ? !cause.classes : (cause.classes?.includes(kase.class) ?? false);
    const explanation = isForClass ? cause.explain?.(scene, kase, tests) : undefined;
    if (!explanation) continue;
    if (explanation.fits === 'no') {
      considered.push({ cause: cause.id, result: 'ruled-out', because: explanation.because });
    } else if (explanation.fits === 'unknown') {
      considered.push({
        cause: cause.id,
        result: 'not-evaluated',
        because: explanation.because,
        collect: explanation.collect,
      });
    } else if (!found) {
      const { confidence, summary, change, collect } = explanation;
      found = { cause: cause.id, confidence, title: cause.title, summary, change: [...change], collect: [...collect] };
    }
  }
  return { ...(found ?? unexplained(scene, kase, considered)), ...common, considered };
}

function unexplained(scene: Scene, kase: Case, considered: readonly Considered[]): Omit<Draft, 'tests' | 'considered'> {
  const collect = [...new Set(considered.map((c) => c.collect).filter((command) => command !== undefined))];
  return {
    cause: 'unexplained',
    confidence: 'suspected',
    title: 'Misdelivery, cause undetermined',
    summary: `Frames for ${scene.r.addresses.format(kase.dstIp)} went to ${formatMac(kase.mac)}; no known cause fits what is at hand.`,
    change: [],
    collect: collect.length > 0 ? collect : [COLLECT_CONNTRACK],
  };
}

/** A take-over that the sender had not been told of: normal, and no fault of anybody. */
function convergence(scene: Scene, kase: Case): Draft {
  return {
    cause: 'convergence',
    confidence: 'strong',
    title: 'Neighbour convergence',
    summary: `${scene.r.addresses.format(kase.dstIp)} moved to ${kase.expected.map(formatMac).join(' or ')}, and the sender had not been told yet. This is normal.`,
    tests: [],
    considered: [],
    change: [],
    collect: [],
  };
}
