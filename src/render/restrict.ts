/** An analysis of which less is listed (`--filter`). */

import { UsageError } from '../errors.js';
import type { Analysis, EachFrame, MisdeliveredLeg } from '../model.js';
import { FilterSubjects } from './filter-subjects.js';
import { type FilterSubject, parseFilter } from './filter.js';
import { verdictSentence } from './words.js';

/**
 * @returns what the expression asks of each thing that is listed
 * @throws UsageError when it is wrong
 */
export function checkFilter(expression: string): (subject: FilterSubject) => boolean {
  if (expression.trim() === '') throw new UsageError('--filter needs a word; docs/outputs.md lists them');
  const filter = parseFilter(expression);
  if (!filter.ok) throw new UsageError(`--filter ${expression}: ${filter.message}`);
  return filter.matches;
}

/**
 * The same analysis with only those misdeliveries, flows, findings and frames that fit the expression. A finding stays
 * when one of its misdeliveries does. Verdict, totals and everything else remain those of all frames.
 * @throws UsageError when the expression is wrong
 */
export function restrict(analysis: Analysis, expression: string): Analysis {
  const matches = checkFilter(expression);
  const subjects = new FilterSubjects(analysis);
  const misdeliveries = analysis.misdeliveries.filter((m) => matches(subjects.misdelivery(m)));
  const listed = new Set(misdeliveries.map(({ id }) => id));
  const { eachFrame, filter: before } = analysis;
  return {
    ...analysis,
    misdeliveries,
    flows: analysis.flows.filter((flow) => matches(subjects.flow(flow))),
    findings: analysis.findings.filter(
      (finding) => finding.explains.some((id) => listed.has(id)) || matches(subjects.finding(finding)),
    ),
    ...(eachFrame ? { eachFrame: listOnly(eachFrame, (leg) => matches(subjects.leg(leg))) } : {}),
    filter: {
      expression: before ? `${before.expression} ${expression}` : expression,
      sentence: verdictSentence(analysis),
      misdeliveries: before?.misdeliveries ?? analysis.misdeliveries.length,
      flows: before?.flows ?? analysis.flows.length,
      findings: before?.findings ?? analysis.findings.length,
    },
  };
}

/** Asks once of each leg: there are far more frames. */
function listOnly(eachFrame: EachFrame, fits: (leg: MisdeliveredLeg) => boolean): EachFrame {
  const known = new Map<MisdeliveredLeg, boolean>();
  return (take) =>
    eachFrame((frame) => {
      const { leg } = frame;
      const does = known.get(leg) ?? fits(leg);
      known.set(leg, does);
      if (does) take(frame);
    });
}
