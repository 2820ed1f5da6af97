/** A look at what redaction made, before anybody gets it. */

import { InputError } from '../errors.js';
import type { LeakScan } from '../redact/leaks.js';
import type { TextRedactor } from '../redact/text.js';
import type { NewFile } from './new-file.js';

/**
 * @param name what the file was made of, for the message
 * @throws InputError when something that was to be hidden stands in the file
 */
export function checkForLeaks(file: NewFile, leaks: LeakScan, text: TextRedactor, name: string): void {
  for (const bytes of file.chunks()) {
    const found = leaks.inBytes(bytes) ?? leaks.inText(Buffer.from(bytes).toString('latin1')) ?? text.nameIn(bytes);
    if (found !== undefined)
      throw new InputError(name, `${found} would still stand in what was made of it. Nothing was written.`);
  }
}
