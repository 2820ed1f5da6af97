/** Errors that are told to the user in one line; anything else that is thrown is a bug. */

/** An input cannot be read, or not at all as evidence. Message: `<input>: <what>`, one line. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly input: string;

  constructor(input: string, what: string, options?: { cause?: unknown }) {
    super(`${input}: ${what}`, options);
    this.input = input;
  }
}

/**
 * Whether an error says that the system gave no more memory, or the engine no longer text, list or map. (An overflow of the
 * stack is a RangeError too, and a bug.)
 */
export function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|could not be allocated|maximum size exceeded|^Invalid (?:array|string|typed array|array buffer)/i.test(
      error.message,
    )
  );
}

/** Of the diagnostic that tells where it was. */
export const OUT_OF_MEMORY = 'out-of-memory';

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
