/** The shape that JSON of a stranger must have. */

/** What a text must be, where it is not free: a fixed set of words, or a form; `is` completes "analysis.verdict is ...". */
export interface Form {
  readonly form: RegExp;
  readonly is: string;
}

/** A type by example: a primitive's name, a form, a list with its element, an object with its members (`?` at the end: may lack). */
export type Shape =
  | 'string'
  | 'number'
  /** A whole number, not negative. */
  | 'count'
  /** First and last of a row of frames. */
  | 'range'
  | 'boolean'
  | 'any'
  | Form
  | readonly [Shape]
  | { readonly [member: string]: Shape };

/** A form of the words that are the keys; renderers look words up, so that no other may reach them. */
export function oneOf<Word extends string>(words: Readonly<Record<Word, true>>): Form {
  return { form: new RegExp(`^(?:${Object.keys(words).join('|')})$`), is: 'none of the words known here' };
}

/** A sentence about the first place where a value has not the shape; undefined when it has. */
export function mismatch(value: unknown, shape: Shape, path: string): string | undefined {
  if (shape === 'any') return undefined;
  if (shape === 'count') return isCount(value) ? undefined : `${path} is no count`;
  if (shape === 'range') return isRange(value) ? undefined : `${path} is no range`;
  if (typeof shape === 'string') return typeof value === shape ? undefined : `${path} is no ${shape}`;
  if (isForm(shape)) return typeof value === 'string' && shape.form.test(value) ? undefined : `${path} is ${shape.is}`;
  if (isList(shape)) {
    if (!Array.isArray(value)) return `${path} is no list`;
    for (const [i, element] of value.entries()) {
      const wrong = mismatch(element, shape[0], `${path}[${i}]`);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return `${path} is no object`;
  const members = new Map<string, unknown>(Object.entries(value));
  for (const [key, member] of Object.entries(shape)) {
    const name = key.replace(/\?$/, '');
    const isMissing = members.get(name) === undefined;
    if (isMissing && key.endsWith('?')) continue;
    const wrong = mismatch(members.get(name), member, `${path}.${name}`);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRange(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isCount);
}

function isForm(shape: Exclude<Shape, string>): shape is Form {
  return 'form' in shape && shape.form instanceof RegExp;
}

function isList(shape: Exclude<Shape, string | Form>): shape is readonly [Shape] {
  return Array.isArray(shape);
}
