/**
 * What users notice when it is lost: questions that ask and wait (DNS, NTP, STUN, RADIUS, ping) and handshakes of
 * WireGuard. A message is told by its kind and a number that question and answer share; nothing of it is kept.
 */

export interface Message {
  readonly kind: 'question' | 'answer' | 'handshake' | 'handshake-answer';
  /** Equal for a question and its answer, within a flow. */
  readonly id: number;
}

const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const DNS = 53;
const NTP = 123;
const RADIUS: readonly number[] = [1812, 1813];

/**
 * The message that a packet carries; undefined for any other packet.
 * @param transport where its UDP or ICMP header begins in `bytes`
 * @param captured where the captured bytes of the packet end
 * @param end where the packet itself ends, which may be beyond
 */
export function messageOf(
  bytes: Uint8Array,
  protocol: number,
  transport: number,
  captured: number,
  end: number,
): Message | undefined {
  const limit = Math.min(captured, end);
  if (protocol === ICMP || protocol === ICMPV6) return echo(bytes, protocol, transport, limit);
  if (protocol !== UDP || transport + 12 > limit) return undefined;
  const at = transport + 8;
  const from = half(bytes, transport);
  const to = half(bytes, transport + 2);
  const size = limit - at;
  if ((from === DNS || to === DNS) && size >= 12) return dns(bytes, at, from, to);
  if ((from === NTP || to === NTP) && size >= 48) return ntp(bytes, at);
  if ((RADIUS.includes(from) || RADIUS.includes(to)) && size >= 20) return radius(bytes, at, to);
  if (size >= 20 && word(bytes, at + 4) === STUN_COOKIE) return stun(bytes, at);
  return size >= 12 ? wireguard(bytes, at, end - at) : undefined;
}

/** RFC 792 and RFC 4443: identifier and sequence number. */
function echo(bytes: Uint8Array, protocol: number, at: number, limit: number): Message | undefined {
  if (at + 8 > limit) return undefined;
  const id = word(bytes, at + 4);
  const type = bytes[at];
  if (type === (protocol === ICMP ? 8 : 128)) return { kind: 'question', id };
  return type === (protocol === ICMP ? 0 : 129) ? { kind: 'answer', id } : undefined;
}

/** RFC 1035 section 4.1.1. */
function dns(bytes: Uint8Array, at: number, from: number, to: number): Message | undefined {
  const isResponse = ((bytes[at + 2] ?? 0) & 0x80) !== 0;
  const id = half(bytes, at);
  if (!isResponse && to === DNS) return { kind: 'question', id };
  return isResponse && from === DNS ? { kind: 'answer', id } : undefined;
}

/** RFC 5905 section 7.3: the server gives the client's transmit time stamp back as the origin one. */
function ntp(bytes: Uint8Array, at: number): Message | undefined {
  const mode = (bytes[at] ?? 0) & 7;
  if (mode === 3) return { kind: 'question', id: hash(bytes, at + 40, 8) };
  return mode === 4 ? { kind: 'answer', id: hash(bytes, at + 24, 8) } : undefined;
}

/** RFC 2865 section 3, RFC 2866: code and identifier. */
function radius(bytes: Uint8Array, at: number, to: number): Message | undefined {
  const [code, id = 0] = [bytes[at] ?? 0, bytes[at + 1]];
  if (RADIUS.includes(to)) return code === 1 || code === 4 ? { kind: 'question', id } : undefined;
  return [2, 3, 5, 11].includes(code) ? { kind: 'answer', id } : undefined;
}

/** RFC 8489 section 5. */
const STUN_COOKIE = 0x2112a442;

function stun(bytes: Uint8Array, at: number): Message | undefined {
  const type = half(bytes, at);
  const messageClass = ((type >> 7) & 2) | ((type >> 4) & 1);
  const id = hash(bytes, at + 8, 12);
  if (messageClass === 0) return { kind: 'question', id };
  return messageClass >= 2 ? { kind: 'answer', id } : undefined;
}

/** The WireGuard paper, section 5.4: type 1 has 148 bytes and a sender index, type 2 has 92 and returns it. */
function wireguard(bytes: Uint8Array, at: number, length: number): Message | undefined {
  const head = word(bytes, at);
  if (head === 0x01000000 && length === 148) return { kind: 'handshake', id: word(bytes, at + 4) };
  return head === 0x02000000 && length === 92 ? { kind: 'handshake-answer', id: word(bytes, at + 8) } : undefined;
}

function half(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function word(bytes: Uint8Array, at: number): number {
  return ((half(bytes, at) << 16) | half(bytes, at + 2)) >>> 0;
}

/** FNV-1a. */
function hash(bytes: Uint8Array, at: number, length: number): number {
  let value = 0x811c9dc5;
  for (let i = at; i < at + length; i++) value = Math.imul(value ^ (bytes[i] ?? 0), 0x01000193);
  return value >>> 0;
}
