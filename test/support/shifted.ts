import type { Piece } from './engine.js';

/** A pcap of microseconds, little endian, as a clock would have written it that shows `us` more. */
export function shiftedPcap({ name, bytes }: Piece, us: number): Piece {
  const moved = Uint8Array.from(bytes);
  const view = new DataView(moved.buffer);
  if (view.getUint32(0, true) !== 0xa1b2c3d4) throw new Error(`${name}: is no little endian pcap of microseconds`);
  for (let at = 24; at + 16 <= moved.length; at += 16 + view.getUint32(at + 8, true)) {
    const time = view.getUint32(at, true) * 1_000_000 + view.getUint32(at + 4, true) + us;
    view.setUint32(at, Math.floor(time / 1_000_000), true);
    view.setUint32(at + 4, time % 1_000_000, true);
  }
  return { name, bytes: moved };
}

/** A log whose lines begin with seconds since 1970 in brackets, of a clock that shows `us` more. */
export function shiftedLog({ name, bytes }: Piece, us: number): Piece {
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/^\[(\d+)\.(\d{6})\]/gm, (_, seconds: string, micros: string) => {
      const time = Number(seconds) * 1_000_000 + Number(micros) + us;
      return `[${Math.floor(time / 1_000_000)}.${String(time % 1_000_000).padStart(6, '0')}]`;
    });
  return { name, bytes: new TextEncoder().encode(text) };
}
