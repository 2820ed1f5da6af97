/** Errors that are told to the user in one line; anything else that is thrown is a bug. */

/** An input cannot be read, or not at all as evidence. Message: `<input>: <where>: <what>. <what was done>.` */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(
    readonly input: string,
    readonly what: string,
    options?: { cause?: unknown },
  ) {
    super(`${input}: ${what}`, options);
  }
}

/** The command line asks for something that does not exist. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
