/** A capture rewritten: a sink for its reader that hands over the bytes of the new one. */

import { type CaptureInterface, type CaptureSink, NOT_A_PACKET, type PacketBatch } from '../records/packet-batch.js';
import type { CaptureWriter } from './capture-writer.js';
import type { LeakScan } from './leaks.js';
import type { AddressMapping } from './mapping.js';
import { isKnownLinkType } from './packet-link.js';
import { PacketRedactor } from './packet.js';
import type { TextRedactor } from './text.js';

/** What a section of a redacted capture says of itself. */
export const REDACTED_COMMENT = 'macscan: addresses were replaced, payload and names left out';

/** Bytes of the longest link header that is left of a packet in which an original was found. */
const LINK_HEADER = 14;

/** For packets of which nothing is left: of most link types, none may be empty. */
const LINKTYPE_USER0 = 147;

/** Meets every address of a capture, so that all are known before anything is written. */
export class CaptureSurvey implements CaptureSink {
  frames = 0;
  private readonly redactor: PacketRedactor;
  private readonly mapping: AddressMapping;
  private readonly text: TextRedactor;

  constructor(mapping: AddressMapping, text: TextRedactor) {
    this.mapping = mapping;
    this.text = text;
    this.redactor = new PacketRedactor(mapping);
  }

  interface(description: CaptureInterface): void {
    redactInterface(description, this.mapping, this.text);
  }

  packets(batch: PacketBatch): void {
    this.frames += batch.count;
    for (let row = 0; row < batch.count; row++) {
      if (batch.linkType[row] !== NOT_A_PACKET) this.redactor.redact(bytesOf(batch, row), batch.linkType[row] ?? 0);
    }
  }

  comment(): void {
    // Left out.
  }

  name(): void {
    // Left out.
  }

  statistics(): void {
    // Holds no address.
  }

  diagnostic(): void {
    // Told when the capture is written.
  }
}

/** Makes the new capture. */
export class CaptureRedaction implements CaptureSink {
  /** Packets of which only a part of the link header is left, as an original address stood among their numbers. */
  shortened = 0;
  private readonly redactor: PacketRedactor;
  private readonly mapping: AddressMapping;
  private readonly text: TextRedactor;
  private readonly leaks: LeakScan;
  private readonly writer: CaptureWriter;
  private readonly write: (bytes: Uint8Array) => void;
  private readonly interfaces: CaptureInterface[] = [];

  constructor(
    mapping: AddressMapping,
    text: TextRedactor,
    leaks: LeakScan,
    writer: CaptureWriter,
    write: (bytes: Uint8Array) => void,
  ) {
    this.mapping = mapping;
    this.text = text;
    this.leaks = leaks;
    this.writer = writer;
    this.write = write;
    this.redactor = new PacketRedactor(mapping);
  }

  interface(description: CaptureInterface): void {
    const redacted = redactInterface(description, this.mapping, this.text);
    this.interfaces[description.index] = redacted;
    this.write(this.writer.interface(redacted));
  }

  packets(batch: PacketBatch): void {
    for (let row = 0; row < batch.count; row++) {
      const linkType = batch.linkType[row] ?? 0;
      const source = this.interfaces[batch.interfaceIndex[row] ?? 0];
      if (linkType === NOT_A_PACKET || !source) {
        this.write(this.writer.notAPacket());
        continue;
      }
      const hasFlags = batch.hasFlags[row] === 1 || batch.flags[row] !== 0;
      const record = {
        source,
        bytes: this.packet(bytesOf(batch, row), linkType),
        originalLength: (batch.originalLength[row] ?? 0) >>> 0,
        capturedLength: batch.capturedLength[row] ?? 0,
        ticks: Number.isNaN(batch.time[row])
          ? undefined
          : ([batch.ticksHigh[row] ?? 0, batch.ticksLow[row] ?? 0] as const),
        flags: hasFlags ? (batch.flags[row] ?? 0) : undefined,
      };
      this.write(this.writer.packet(record));
    }
  }

  comment(): void {
    // Left out.
  }

  name(): void {
    // Left out.
  }

  statistics(interfaceIndex: number, received: number | undefined, dropped: number | undefined): void {
    const source = this.interfaces[interfaceIndex];
    if (source) this.write(this.writer.statistics(source, received, dropped));
  }

  diagnostic(): void {
    // The caller's sink tells it.
  }

  /** Numbers that happen to spell an original address, or were made to, cost the packet its contents. */
  private packet(original: Uint8Array, linkType: number): Uint8Array {
    let bytes = this.redactor.redact(original, linkType);
    if (this.leaks.inBytes(bytes, this.redactor.kinds) === undefined) return bytes;
    this.shortened++;
    bytes = this.redactor.cut(LINK_HEADER);
    return this.leaks.inBytes(bytes, this.redactor.kinds) === undefined ? bytes : this.redactor.cut(0);
  }
}

function bytesOf(batch: PacketBatch, row: number): Uint8Array {
  const at = batch.offset[row] ?? 0;
  return batch.bytes.subarray(at, at + (batch.capturedLength[row] ?? 0));
}

/** Its device name stays, but for addresses in it; what describes the machine and the user's filter go. */
function redactInterface(description: CaptureInterface, mapping: AddressMapping, text: TextRedactor): CaptureInterface {
  const { index, section, idInSection, linkType, snapLength, name, mac, addresses, resolution } = description;
  return {
    index,
    section,
    idInSection,
    linkType: isKnownLinkType(linkType) ? linkType : LINKTYPE_USER0,
    snapLength,
    resolution,
    addresses: addresses.map((address) => address.replace(/^[^/]*/, (ip) => mapping.ipText(ip))),
    ...(name === undefined ? {} : { name: text.redact(name) }),
    ...(mac === undefined ? {} : { mac: mapping.mac(mac) }),
  };
}
