/** Frames that were printed as text (`tcpdump -e`): there are no bytes to decode, so its reader fills frame batches itself. */

import type { FrameBatch } from './frame-batch.js';
import type { CaptureInterface, InputDiagnostic } from './packet-batch.js';

/** What a reader of printed frames calls. Calls come in line order; a batch must not be kept after `frames` returns. */
export interface TextCaptureSink {
  interface(description: CaptureInterface): void;
  frames(batch: FrameBatch): void;
  diagnostic(diagnostic: InputDiagnostic): void;
}
