/** The analysis as one HTML file that needs nothing else, and is read without JavaScript as well. */

import { SCRIPT, SCRIPT_HASH, SHELL, STYLE, STYLE_HASH } from '#report-page';
import type { Analysis } from '../model.js';
import { flowsSection } from './html/flows.js';
import { findingsSection } from './html/findings.js';
import { LIMITS, MAX_REPORT_BYTES, type Limits } from './html/limits.js';
import { embeddedJson, escapeHtml, markup, type Markup } from './html/markup.js';
import { contextOf } from './html/prepare.js';
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
import type { RenderOptions } from './options.js';
import { verdictSentence } from './words.js';

export type HtmlOptions = Pick<RenderOptions, 'names'>;

/** Below 4 MB whatever the analysis holds: what does not fit is counted, and stands in the JSON. */
export function renderHtml(analysis: Analysis, options: HtmlOptions = {}): string {
  let page = '';
  for (const limits of LIMITS) {
    page = fill(analysis, limits, options);
    if (new TextEncoder().encode(page).length <= MAX_REPORT_BYTES) break;
  }
  return page;
}

function fill(analysis: Analysis, limits: Limits, options: HtmlOptions): string {
  const ctx = contextOf(analysis, limits, options);
  const { data } = ctx;
  const sections = [
    verdictSection(ctx),
    FILTER_BAR,
    timelineSection(ctx),
    findingsSection(ctx),
    flowsSection(ctx),
    bindingsSection(ctx),
    eventsSection(ctx),
    foreseenSection(ctx),
    observationsSection(ctx),
    notJudgedSection(ctx),
    inputsSection(ctx),
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

/** Where the script puts the filter. */
const FILTER_BAR = markup`<div data-filter-bar hidden></div>`;

const TITLES = { misdelivered: 'Misdelivered', delivered: 'Delivered', 'not-judged': 'Not judged' } as const;
