/** The library: evidence in, analysis out. */

export { collectEvidence, type EvidenceList, type EvidenceOptions } from './bytes/evidence.js';
export { removeSpools } from './bytes/spool.js';
export { InputError, UsageError } from './errors.js';
export type * from './model.js';
export { FORMATS, render, type Format, type RenderOptions } from './render/index.js';
export { scan, type Evidence, type ScanOptions } from './scan.js';
