/**
 * `conntrack -o xml` (libnetfilter_conntrack src/conntrack/snprintf_xml.c), streamed: one `<flow>` with a `<meta>` per
 * direction and one for the rest. It has no element for offload; a dump's entry without time-out and state is offloaded.
 */

import { SaxesParser } from 'saxes';
import { canonicalIp } from '../bytes/address.js';
import type { ConntrackFact } from '../records/facts.js';
import { emptyEntry, lacksAsOffloaded, toFact, tupleOf, type ConntrackEntry } from './conntrack-entry.js';
import { changeBase, stateBase, type LineReader, type Section } from './section.js';
import { wholeNumber } from './tokens.js';

/** Errors of the parser in one piece after which it is stopped: each costs as much as many characters. */
const MAX_ERRORS = 16;

/** Characters without the end of a flow after which the text is no longer believed to be conntrack's. */
const MAX_FLOW = 262_144;

export function conntrackXmlReader(): LineReader {
  let parser: FlowParser | undefined;
  return {
    id: 'conntrack-xml',
    line(line, section) {
      if (!line.startsWith('<')) return false;
      if (/^(?:<\?xml[^>]*>\s*)?<conntrack>|^(?:<\?xml[^>]*>\s*)?<flow[ >]/.test(line)) parser ??= new FlowParser();
      else if (/^<\?xml[^>]*>$/.test(line)) return true;
      if (!parser) return false;
      const text = line.replace(/^<\?xml[^>]*>/, '');
      if (parser.feed(text, section)) return true;
      parser = undefined;
      section.say('xml-broken', 'The XML breaks off or is malformed.', 'Reading went on at the next flow.');
      return false;
    },
    finish() {
      parser = undefined;
    },
  };
}

/** Where in a flow the parser is, and the entry so far. */
class FlowParser {
  private readonly parser = new SaxesParser({ fragment: true, xmlns: false });
  private entry: ConntrackEntry | undefined;
  private direction: 'original' | 'reply' | 'independent' = 'independent';
  private inLayer4 = false;
  private text = '';
  private sinceFlow = 0;
  private errors = 0;
  private clock = emptyClock();
  private section: Section | undefined;

  constructor() {
    this.parser.on('opentag', (tag) => this.open(tag.name, tag.attributes));
    this.parser.on('text', (text) => {
      this.text = text.slice(0, 256);
    });
    this.parser.on('closetag', (tag) => this.close(tag.name));
    this.parser.on('error', (error) => {
      if (++this.errors === MAX_ERRORS) throw error;
    });
  }

  /** @returns false when the text is not this XML; the parser is then of no more use */
  feed(text: string, section: Section): boolean {
    this.section = section;
    this.sinceFlow += text.length;
    try {
      this.parser.write(text);
    } catch (error) {
      if (this.errors < MAX_ERRORS) throw error;
    }
    return this.errors === 0 && this.sinceFlow < MAX_FLOW;
  }

  private open(name: string, attributes: Readonly<Record<string, string>>): void {
    this.text = '';
    switch (name) {
      case 'flow': {
        this.entry = emptyEntry();
        this.clock = emptyClock();
        const type = attributes['type'];
        this.entry.event = type === 'new' || type === 'update' || type === 'destroy' ? type : 'entry';
        break;
      }
      case 'meta': {
        const direction = attributes['direction'];
        this.direction = direction === 'original' || direction === 'reply' ? direction : 'independent';
        break;
      }
      case 'layer4':
        this.inLayer4 = true;
        if (this.entry) this.entry.protocol = wholeNumber(attributes['protonum'], 255) ?? 0;
        break;
    }
  }

  private close(name: string): void {
    const value = this.text.trim();
    this.text = '';
    if (name === 'layer4') this.inLayer4 = false;
    else if (name === 'flow') this.endFlow();
    else if (this.entry) {
      if (this.direction === 'independent') readIndependent(name, value, this.entry, this.clock);
      else readDirection(name, value, this.entry[this.direction], this.inLayer4);
    }
  }

  private endFlow(): void {
    const { entry, section } = this;
    this.entry = undefined;
    this.sinceFlow = 0;
    if (!entry || !section) return;
    const original = tupleOf(entry.original);
    const reply = tupleOf(entry.reply);
    if (!original || !reply) {
      section.redacted++;
      return;
    }
    const base = entry.event === 'entry' ? stateBase(section) : changeBase(section, timeOf(this.clock, section));
    section.emit(toFact(entry, base, original, reply, entry.event, offloadWithoutFlag(entry)));
  }
}

function offloadWithoutFlag(entry: ConntrackEntry): ConntrackFact['offload'] {
  return entry.event === 'entry' && lacksAsOffloaded(entry) ? 'inferred' : 'unknown';
}

function readDirection(name: string, value: string, tuple: ConntrackEntry['original'], inLayer4: boolean): void {
  const number = wholeNumber(value) ?? -1;
  if (name === 'src') tuple.src = canonicalIp(value);
  else if (name === 'dst') tuple.dst = canonicalIp(value);
  else if (name === 'sport') tuple.srcPort = wholeNumber(value, 65_535) ?? -1;
  else if (name === 'dport') tuple.dstPort = wholeNumber(value, 65_535) ?? -1;
  else if (name === 'srckey') tuple.srcKey = keyOf(value);
  else if (name === 'dstkey') tuple.dstKey = keyOf(value);
  else if (name === 'packets') tuple.packets = number;
  else if (name === 'bytes') tuple.bytes = number;
  else if (name === 'zone') tuple.zone = number;
  else if (inLayer4 && name === 'type') tuple.icmpType = number;
  else if (inLayer4 && name === 'code') tuple.icmpCode = number;
  else if (inLayer4 && name === 'id') tuple.icmpId = number;
}

function readIndependent(name: string, value: string, entry: ConntrackEntry, clock: Clock): void {
  const number = wholeNumber(value) ?? -1;
  if (name === 'state') entry.state = value;
  else if (name === 'timeout') entry.timeout = number;
  else if (name === 'mark') entry.mark = number;
  else if (name === 'zone') entry.zone = number;
  else if (name === 'use') entry.use = number;
  else if (name === 'id') entry.id = number;
  else if (name === 'deltatime') entry.age = number;
  else if (name === 'helper') entry.helper = value;
  else if (name === 'label') entry.labels = entry.labels === undefined ? value : `${entry.labels},${value}`;
  else if (name === 'assured') entry.assured = true;
  else if (name === 'unreplied') entry.unreplied = true;
  else if (name === 'hour' || name === 'min' || name === 'sec' || name === 'day' || name === 'month' || name === 'year')
    clock[name] = number;
}

/** `<when>`: the local time at which the flow was printed (`-o xml,timestamp`). */
interface Clock {
  year: number;
  month: number;
  day: number;
  hour: number;
  min: number;
  sec: number;
}

function emptyClock(): Clock {
  return { year: -1, month: -1, day: -1, hour: -1, min: -1, sec: -1 };
}

function timeOf(clock: Clock, section: Section): bigint | undefined {
  const { year, month, day, hour, min, sec } = clock;
  if (year < 1970 || year > 2100 || month < 1 || month > 12 || day < 1 || hour < 0 || min < 0 || sec < 0)
    return undefined;
  if (day > 31 || hour > 23 || min > 59 || sec > 60) return undefined;
  section.sayLocalTime();
  return BigInt(Date.UTC(year, month - 1, day, hour, min, sec)) * 1_000_000n;
}

function keyOf(value: string): number {
  return /^0x[0-9a-f]{1,8}$/i.test(value) ? Number.parseInt(value, 16) : (wholeNumber(value) ?? -1);
}
