/**
 * JSON in text: an array or object over any number of lines. Nothing inside a string of it is a line of its own, so
 * that a JSON file which quotes command outputs is no evidence.
 */

import { decodeIpJson } from './ip-json.js';
import { decodeNftJson } from './nft-json.js';
import type { LineReader, Section } from './section.js';
import { decodeBoardJson } from './versions.js';

/** Characters of one document that are kept. */
const MAX_DOCUMENT = 32 * 1024 * 1024;

export function jsonReader(): LineReader {
  let parts: string[] = [];
  let size = 0;
  let startLine = 0;
  let scan: JsonScan | undefined;
  const reset = (): void => {
    parts = [];
    size = 0;
    scan = undefined;
  };
  return {
    id: 'json',
    line(line, section) {
      if (!scan) {
        if (!/^(?:\{\s*(?:"|\}|$)|\[\s*(?:[{\]]|$))/.test(line)) return false;
        scan = new JsonScan();
        startLine = section.line;
      }
      const state = scan.line(line);
      size += line.length;
      if (state === 'broken' || size > MAX_DOCUMENT) {
        if (size > MAX_DOCUMENT) section.say('json-too-long', 'A JSON document is too long.', 'It was left out.');
        reset();
        return state !== 'broken';
      }
      parts.push(line);
      if (state === 'open') return true;
      const text = parts.join('\n');
      reset();
      decode(text, startLine, section);
      return true;
    },
    finish: reset,
  };
}

function decode(text: string, line: number, section: Section): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    section.say('json-broken', 'A JSON document is malformed.', 'It was left out.');
    return;
  }
  decodeIpJson(value, line, section);
  decodeNftJson(value, line, section);
  decodeBoardJson(value, line, section);
}

const OUTSIDE_STRINGS = /^[\s{}[\]:,0-9a-zA-Z+\-.]*$/;

/** Follows brackets and strings line by line. */
class JsonScan {
  private depth = 0;

  line(text: string): 'open' | 'closed' | 'broken' {
    let at = 0;
    while (at < text.length) {
      const quote = text.indexOf('"', at);
      const end = quote < 0 ? text.length : quote;
      const plain = text.slice(at, end);
      if (!OUTSIDE_STRINGS.test(plain)) return 'broken';
      // Words that JSON does not know are those of another format that uses braces.
      for (const word of plain.match(/[a-zA-Z]+/g) ?? []) if (!/^(?:true|false|null|[eE])$/.test(word)) return 'broken';
      for (const c of plain) {
        if (c === '{' || c === '[') this.depth++;
        else if (c === '}' || c === ']') this.depth--;
      }
      if (this.depth < 0) return 'broken';
      if (quote < 0) break;
      const close = closingQuote(text, quote + 1);
      if (close < 0) return 'broken';
      at = close + 1;
    }
    return this.depth === 0 ? 'closed' : 'open';
  }
}

function closingQuote(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x5c) at++;
    else if (c === 0x22) return at;
  }
  return -1;
}
