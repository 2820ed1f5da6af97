/** HTML put together from templates that escape whatever is put into them. */

import { printable } from '../words.js';

/** HTML that is safe to insert: only `markup` and `trusted` make it. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text is escaped, `undefined` and `false` vanish, lists are joined. */
export type Content = Markup | string | number | undefined | false | readonly Content[];

/**
 * A template of HTML or SVG. Every value is escaped for element content and for quoted attributes alike, with control,
 * bidirectional and other invisible characters shown as escapes. Attributes must be quoted, and must not be `href`,
 * `style` or an event handler.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  let text = strings[0] ?? '';
  values.forEach((value, i) => {
    text += contentText(value) + (strings[i + 1] ?? '');
  });
  return new Markup(text);
}

/** Escapes text for HTML, with nothing invisible left in it. */
export function escapeHtml(text: string): string {
  if (PLAIN.test(text)) return text;
  return printable(text).replaceAll(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}

/** JSON for a script element: nothing in it can end the element or begin a comment. */
export function embeddedJson(value: unknown): Markup {
  const text = JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return new Markup(text);
}

/** Most text is plain ASCII without anything to escape. */
const PLAIN = /^[\w .,:;()[\]/+*#=-]*$/;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function contentText(value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  // A saved analysis may hold words that no table here knows.
  return value instanceof Array ? value.map((part) => contentText(part)).join('') : '';
}
