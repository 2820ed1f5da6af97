/** The analysis as one HTML file that needs nothing else, and is read without JavaScript as well. */

import { SCRIPT, SCRIPT_HASH, SHELL, STYLE, STYLE_HASH } from '#report-page';
import type { Analysis } from '../model.js';
import { flowsSection } from './html/flows.js';
import { findingsSection } from './html/findings.js';
import { LIMITS, MAX_REPORT_BYTES, type Limits } from './html/limits.js';
import { embeddedJson, escapeHtml, markup, type Markup } from './html/markup.js';
import { prepare } from './html/prepare.js';
import {
  bindingsSection,
  eventsSection,
  foreseenSection,
  guideSection,
  inputsSection,
  notJudgedSection,
  observationsSection,
} from './html/rest.js';
import { timelineSection } from './html/timeline.js';
import { identityLine, verdictSection } from './html/verdict.js';
import { verdictSentence } from './words.js';

/** Below 4 MB whatever the analysis holds: what does not fit is counted, and stands in the JSON. */
export function renderHtml(analysis: Analysis): string {
  let page = '';
  for (const limits of LIMITS) {
    page = fill(analysis, limits);
    if (new TextEncoder().encode(page).length <= MAX_REPORT_BYTES) break;
  }
  return page;
}

function fill(analysis: Analysis, limits: Limits): string {
  const data = prepare(analysis, limits);
  const sections = [
    verdictSection(analysis),
    timelineSection(data, limits),
    findingsSection(analysis, limits),
    flowsSection(analysis, data, limits),
    bindingsSection(analysis, limits),
    eventsSection(analysis, limits),
    foreseenSection(analysis, limits),
    observationsSection(analysis, limits),
    notJudgedSection(analysis, limits),
    inputsSection(analysis, limits),
    guideSection(),
  ];
  const slots: Readonly<Record<string, string>> = {
    title: escapeHtml(`${TITLES[analysis.verdict]}: ${verdictSentence(analysis)}`),
    identity: identityLine(analysis).text,
    body: joined(sections).text,
    data: embeddedJson(data).text,
    style: STYLE,
    styleHash: STYLE_HASH,
    script: SCRIPT,
    scriptHash: SCRIPT_HASH,
  };
  // In one pass: what is filled in is never searched for slots.
  return SHELL.replaceAll(/\{\{(\w+)\}\}/g, (slot, name: string) => slots[name] ?? slot);
}

function joined(sections: readonly (Markup | undefined)[]): Markup {
  return markup`${sections}`;
}

const TITLES = { misdelivered: 'Misdelivered', delivered: 'Delivered', 'not-judged': 'Not judged' } as const;
