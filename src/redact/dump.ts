/**
 * Text of routers without what is private: of lines that a reader of macscan takes, what it reads of them stays, with
 * addresses replaced; all other lines become empty, so that line numbers hold. What the free parts of each format may
 * tell (host names, comments, what a packet asked for) is left out.
 */

import { AddressTable } from '../bytes/address.js';
import { createTextReader, type LineRole, type TextReader } from '../read/text.js';
import { Epoch } from '../records/epoch.js';
import type { Fact } from '../records/facts.js';
import { cleanCommand, cleanJson, cleanKernel, cleanLease, cleanLog, cleanTcpdump } from './dump-lines.js';
import type { TextRedactor } from './text.js';
import { UciCleaner } from './uci-cleaner.js';

/** Words of the formats themselves: no host name of them is looked for anywhere. */
const FORMAT_WORDS =
  /^(?:localhost|openwrt|linux|router|host|default|unknown|static|dynamic|local|link|lan|wan|any|all)$/i;
const SHORTEST_NAME = 4;

export class DumpRedaction {
  private readonly text: TextRedactor;
  private readonly write: (text: string) => void;
  private readonly reader: TextReader;
  private readonly uci = new UciCleaner();
  private readonly hosts = new Set<string>();
  private readonly devices = new Set<string>();
  private facts = 0;
  private factsBefore = 0;

  /** @param write takes the new text, piece by piece */
  constructor(text: TextRedactor, write: (text: string) => void) {
    this.text = text;
    this.write = write;
    const sink = {
      fact: (fact: Fact) => {
        this.note(fact);
      },
      interface: () => undefined,
      frames: () => undefined,
      diagnostic: () => undefined,
    };
    this.reader = createTextReader(0, sink, { addresses: new AddressTable(), epoch: new Epoch() }, (raw, taken) => {
      this.line(raw, taken);
    });
  }

  chunk(bytes: Uint8Array): void {
    this.reader.chunk(bytes);
  }

  /** Host names of leases are from now on replaced wherever they stand. */
  end(): void {
    this.reader.end();
    for (const host of this.hosts) {
      const isWord = host.length < SHORTEST_NAME || FORMAT_WORDS.test(host) || !/[^\d.:-]/.test(host);
      if (!isWord && !this.devices.has(host)) this.text.addName(host, 'redacted');
    }
  }

  private note(fact: Fact): void {
    this.facts++;
    if (fact.kind === 'lease' && fact.host !== undefined) this.hosts.add(fact.host);
    if ('device' in fact) this.devices.add(fact.device);
  }

  private line(raw: string, taken: LineRole): void {
    const emitted = this.facts > this.factsBefore;
    this.factsBefore = this.facts;
    const quote = /^(?:> ?)*\s*/.exec(raw)?.[0] ?? '';
    const rest = raw.slice(quote.length);
    const redact = (text: string): string => this.text.redact(text);
    const clean = taken === 'dhcp-leases' ? cleanLease(rest, redact) : redact(this.clean(rest, taken, emitted));
    this.write(clean === '' ? '\n' : `${quote}${clean}\n`);
  }

  /** @returns the line without its free parts; empty when nothing of it is needed */
  private clean(line: string, taken: LineRole, emitted: boolean): string {
    switch (taken) {
      case 'blank':
        return line.startsWith('```') ? '```' : '';
      case 'unknown':
      case 'foreign':
        return '';
      case 'clock':
      case 'command':
        return cleanCommand(line);
      case 'tcpdump':
        return cleanTcpdump(line);
      case 'log':
        return cleanLog(line, emitted);
      case 'uci':
        return this.uci.clean(line);
      case 'kernel':
        return cleanKernel(line);
      case 'ip-link':
        return /^(?:alias|altname) /.test(line) ? '' : line;
      case 'arp-table':
        return line.replace(/^\S+ \(/, '? (');
      case 'json':
        return cleanJson(line);
      case 'nft':
      case 'conntrack-save':
        return line.replace(/\bcomment "(?:[^"\\]|\\.)*"/g, 'comment "redacted"');
      default:
        return line;
    }
  }
}
