/** Where the checksum stands in the header of a protocol, and whether it covers the addresses (RFC 9293, 768, 792, 4443, 3768). */
const FIELDS: ReadonlyMap<number, { readonly at: number; readonly isOverAddresses: boolean }> = new Map([
  [1, { at: 2, isOverAddresses: false }],
  [6, { at: 16, isOverAddresses: true }],
  [17, { at: 6, isOverAddresses: true }],
  [58, { at: 2, isOverAddresses: true }],
  [112, { at: 6, isOverAddresses: false }],
]);

/** An IP packet without options or extensions, with its checksums where they are zero and what they cover is whole. */
export function withChecksums(packet: readonly number[]): number[] {
  const bytes = [...packet];
  const version = (bytes[0] ?? 0) >> 4;
  const start = version === 4 ? 20 : 40;
  const isPlain = version === 4 ? bytes[0] === 0x45 : version === 6;
  const length = version === 4 ? word(bytes, 2) : 40 + word(bytes, 4);
  if (!isPlain || bytes.length < start) return bytes;
  if (version === 4) fill(bytes, 10, sum(bytes.slice(0, start)));
  if (bytes.length !== length) return bytes;
  const protocol = bytes[version === 4 ? 9 : 6] ?? 0;
  const field = FIELDS.get(protocol);
  const isFragment = version === 4 && (word(bytes, 6) & 0x3fff) !== 0;
  if (!field || isFragment || bytes.length < start + field.at + 2) return bytes;
  const addresses = bytes.slice(version === 4 ? 12 : 8, start);
  const pseudo = field.isOverAddresses ? sum(addresses) + protocol + (bytes.length - start) : 0;
  fill(bytes, start + field.at, pseudo + sum(bytes.slice(start)));
  return bytes;
}

function fill(bytes: number[], at: number, total: number): void {
  if (word(bytes, at) !== 0) return;
  let folded = total;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  const checksum = ~folded & 0xffff || 0xffff;
  bytes.splice(at, 2, checksum >>> 8, checksum & 255);
}

function sum(bytes: readonly number[]): number {
  let total = 0;
  for (let i = 0; i < bytes.length; i += 2) total += word(bytes, i);
  return total;
}

function word(bytes: readonly number[], at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
