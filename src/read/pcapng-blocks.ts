import { formatIpv4, formatIpv6Groups, formatMac } from '../bytes/address.js';
import type { CaptureInterface, TimeResolution } from '../records/packet-batch.js';
import { type BlockOption, OPTION_COMMENT, optionNumber, optionText } from './pcapng-options.js';

/** Option codes of the Interface Description Block (draft-ietf-opsawg-pcapng section 4.2). */
export const Idb = {
  NAME: 2,
  DESCRIPTION: 3,
  IPV4: 4,
  IPV6: 5,
  MAC: 6,
  RESOLUTION: 9,
  FILTER: 11,
  OS: 12,
  FCS_LENGTH: 13,
  OFFSET: 14,
  HARDWARE: 15,
} as const;

type Position = Pick<CaptureInterface, 'index' | 'section' | 'idInSection' | 'linkType' | 'snapLength'>;

/** The interface that an Interface Description Block describes; options of a wrong length are left out. */
export function describeInterface(
  position: Position,
  options: readonly BlockOption[],
  littleEndian: boolean,
): CaptureInterface {
  const addresses: string[] = [];
  const texts: Partial<Record<'name' | 'description' | 'filter' | 'os' | 'hardware', string>> = {};
  let mac: number | undefined;
  let fcsLength: number | undefined;
  let resolution: TimeResolution = { base: 10, exponent: 6, offsetSeconds: 0n, split: false };
  for (const { code, value } of options) {
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    switch (code) {
      case Idb.NAME:
        texts.name = optionText(value);
        break;
      case Idb.DESCRIPTION:
        texts.description = optionText(value);
        break;
      case Idb.OS:
        texts.os = optionText(value);
        break;
      case Idb.HARDWARE:
        texts.hardware = optionText(value);
        break;
      case Idb.FILTER:
        // The first byte says in what language: 0 is a filter as text, others are byte code.
        if (value[0] === 0) texts.filter = optionText(value.subarray(1));
        break;
      case Idb.IPV4:
        if (value.length === 8) {
          addresses.push(`${formatIpv4(view.getUint32(0))}/${prefixLength(view.getUint32(4))}`);
        }
        break;
      case Idb.IPV6:
        if (value.length === 17) addresses.push(`${ipv6Text(value)}/${view.getUint8(16)}`);
        break;
      case Idb.MAC:
        if (value.length === 6) mac = macOf(view, 0);
        break;
      case Idb.FCS_LENGTH:
        if (value.length === 1) fcsLength = view.getUint8(0);
        break;
      case Idb.RESOLUTION:
        if (value.length === 1) {
          const byte = view.getUint8(0);
          resolution = { ...resolution, base: byte & 0x80 ? 2 : 10, exponent: byte & 0x7f };
        }
        break;
      case Idb.OFFSET:
        if (value.length === 8) resolution = { ...resolution, offsetSeconds: view.getBigInt64(0, littleEndian) };
        break;
    }
  }
  return {
    ...position,
    ...texts,
    ...(mac === undefined ? {} : { mac }),
    ...(fcsLength === undefined ? {} : { fcsLength }),
    addresses,
    resolution,
  };
}

/** The comments among a block's options, in order; untrusted. */
export function commentsOf(options: readonly BlockOption[]): string[] {
  return options.filter(({ code }) => code === OPTION_COMMENT).map(({ value }) => optionText(value));
}

/** Option codes of the Interface Statistics Block (section 4.6). */
const Isb = { RECEIVED: 4, DROPPED: 5, DROPPED_BY_SYSTEM: 7 } as const;

/** Packets received, and dropped by interface and operating system together; undefined where the block does not say. */
export function statisticsOf(
  options: readonly BlockOption[],
  littleEndian: boolean,
): { received: number | undefined; dropped: number | undefined } {
  let received: number | undefined;
  let dropped: number | undefined;
  for (const { code, value } of options) {
    const count = optionNumber(value, littleEndian);
    if (count === undefined) continue;
    if (code === Isb.RECEIVED) received = Number(count);
    else if (code === Isb.DROPPED || code === Isb.DROPPED_BY_SYSTEM) dropped = (dropped ?? 0) + Number(count);
  }
  return { received, dropped };
}

/** Record types of the Name Resolution Block (section 4.5). */
const Nrb = { END: 0, IPV4: 1, IPV6: 2, EUI48: 3 } as const;

/**
 * Calls `name` for each address of a Name Resolution Block whose records lie in `at` to `end - 1`.
 * @returns where the list ends and options may follow; or, `broken`, where a record is longer than the block
 */
export function readNames(
  view: DataView,
  at: number,
  end: number,
  littleEndian: boolean,
  name: (address: string, names: readonly string[]) => void,
): { at: number; broken: boolean } {
  while (end - at >= 4) {
    const type = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (type === Nrb.END) return { at: at + 4, broken: false };
    if (length > end - at - 4) return { at, broken: true };
    const value = new Uint8Array(view.buffer, view.byteOffset + at + 4, length);
    if (type === Nrb.IPV4 && length > 4) name(formatIpv4(view.getUint32(at + 4)), namesIn(value.subarray(4)));
    else if (type === Nrb.IPV6 && length > 16) name(ipv6Text(value), namesIn(value.subarray(16)));
    else if (type === Nrb.EUI48 && length > 6) name(formatMac(macOf(view, at + 4)), namesIn(value.subarray(6)));
    at += 4 + ((length + 3) & ~3);
  }
  return { at: end, broken: false };
}

function namesIn(value: Uint8Array): string[] {
  const text = new TextDecoder().decode(value);
  return text.split('\0').filter((name) => name !== '');
}

function macOf(view: DataView, at: number): number {
  return view.getUint16(at) * 0x1_0000_0000 + view.getUint32(at + 2);
}

function ipv6Text(value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return formatIpv6Groups([0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at)));
}

/** Leading one bits of a network mask. */
function prefixLength(mask: number): number {
  return Math.clz32(~mask);
}
