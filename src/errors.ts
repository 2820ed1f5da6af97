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

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
