/**
 * Bytes to lines of text, in any chunking: UTF-8, or UTF-16 where a byte order mark says so. Bytes that are no text
 * become U+FFFD. A line is bounded; what lies beyond the bound is dropped and said.
 */

/** UTF-16 units of a line that are kept. */
export const MAX_LINE = 65_536;
/** The same of a line that begins with `[` or `{`: programs print whole JSON documents without a line break. */
const MAX_JSON_LINE = 16 * 1024 * 1024;

/** `whole`: ended by a line break. `cut`: longer than `MAX_LINE`. `last`: the input ended without a line break, perhaps in the middle of the line. */
export type LineEnd = 'whole' | 'cut' | 'last';

/** Called once per line, without its line break. */
export type LineConsumer = (text: string, end: LineEnd) => void;

/** Makes lines of bytes that arrive in any chunking. */
export class LineSplitter {
  private readonly consume: LineConsumer;
  private decoder: InstanceType<typeof TextDecoder> | undefined;
  /** The first byte, while the second is awaited. */
  private held = new Uint8Array(0);
  private carry = '';
  private overlong = false;

  constructor(consume: LineConsumer) {
    this.consume = consume;
  }

  chunk(bytes: Uint8Array): void {
    this.text(this.decode(bytes));
  }

  /** Gives the last line, if it had no line break. */
  end(): void {
    this.decoder ??= new TextDecoder('utf-8');
    this.text(this.decoder.decode(this.held, { stream: true }));
    this.held = new Uint8Array(0);
    this.text(this.decoder.decode());
    if (this.carry !== '' || this.overlong) this.line(this.carry, 'last');
    this.carry = '';
    this.overlong = false;
  }

  private decode(bytes: Uint8Array): string {
    if (this.decoder) return this.decoder.decode(bytes, { stream: true });
    const head = new Uint8Array(this.held.length + bytes.length);
    head.set(this.held);
    head.set(bytes, this.held.length);
    if (head.length < 2) {
      this.held = head;
      return '';
    }
    this.held = new Uint8Array(0);
    this.decoder = new TextDecoder(encodingOf(head));
    return this.decoder.decode(head, { stream: true });
  }

  private text(text: string): void {
    let start = 0;
    for (;;) {
      const lineBreak = text.indexOf('\n', start);
      if (lineBreak < 0) break;
      const piece = text.slice(start, lineBreak);
      this.line(this.carry === '' ? piece : this.carry + piece, 'whole');
      this.carry = '';
      this.overlong = false;
      start = lineBreak + 1;
    }
    if (start >= text.length) return;
    const room = limitOf(this.carry === '' ? text.charCodeAt(start) : this.carry.charCodeAt(0)) + 1 - this.carry.length;
    if (text.length - start > room) this.overlong = true;
    if (room > 0) this.carry += text.slice(start, start + room);
  }

  private line(text: string, end: LineEnd): void {
    const content = text.endsWith('\r') && !this.overlong ? text.slice(0, -1) : text;
    const limit = limitOf(content.charCodeAt(0));
    if (content.length > limit || this.overlong) this.consume(content.slice(0, limit), 'cut');
    else this.consume(content, end);
  }
}

function limitOf(first: number): number {
  return first === 0x5b || first === 0x7b ? MAX_JSON_LINE : MAX_LINE;
}

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}
