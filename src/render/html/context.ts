/** What every part of the page is made from. */

import type { Analysis } from '../../model.js';
import type { SinceOrigin } from './clock.js';
import type { ReportData } from './data.js';
import type { Limits } from './limits.js';

export interface Context {
  readonly analysis: Analysis;
  readonly data: ReportData;
  readonly limits: Limits;
  /** Times of the analysis as the page counts them. */
  readonly since: SinceOrigin;
}
