import { InputError, isOutOfMemory, OUT_OF_MEMORY } from '../errors.js';
import type { Diagnostic } from '../model.js';
import type { InputDiagnostic } from '../records/packet-batch.js';

const MAX_DIAGNOSTICS = 100;

/** What is said of one input while it is read, bounded. */
export class InputNotes {
  private readonly list: Diagnostic[] = [];
  private readonly input: string;
  private more = 0;
  /** The memory did not suffice to read it to its end. */
  outOfMemory = false;

  constructor(input: string) {
    this.input = input;
  }

  add(diagnostic: InputDiagnostic): void {
    if (diagnostic.id === OUT_OF_MEMORY) this.outOfMemory = true;
    if (this.list.length < MAX_DIAGNOSTICS) this.list.push({ ...diagnostic, input: this.input });
    else this.more++;
  }

  /** Notes why an input could not be read on; throws what is a bug. */
  failure(error: unknown, signal: AbortSignal | undefined, action: string): void {
    if (error instanceof InputError) {
      this.add({ id: 'input-failed', what: `${error.message.slice(error.input.length + 2)}.`, action });
    } else if (signal?.aborted) {
      this.add({ id: 'interrupted', what: 'The reading was interrupted.', action: 'Everything before it was used.' });
    } else if (isOutOfMemory(error)) {
      this.add({ id: OUT_OF_MEMORY, what: 'The memory does not suffice to read on.', action });
    } else {
      throw error;
    }
  }

  all(): Diagnostic[] {
    if (this.more === 0) return this.list;
    const rest = {
      id: 'more-diagnostics',
      input: this.input,
      what: 'There is more of this kind.',
      action: 'It was counted.',
      count: this.more,
    };
    return [...this.list, rest];
  }
}
