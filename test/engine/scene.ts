import type { Analysis } from '../../src/model.js';
import { analyze, textPiece, wrongFrames } from '../support/engine.js';
import type { Wire, Station } from '../support/wire.js';

/** The cast of the scenarios: a router, what is behind it, and hosts of its network. */
export const router: Station = { mac: '94:83:c4:00:00:01', ip: '192.168.7.1' };
export const oldHost: Station = { mac: '52:54:00:00:00:40', ip: '192.168.7.40' };
export const newHost: Station = { mac: '02:42:00:00:00:40', ip: '192.168.7.40' };
export const other: Station = { mac: 'a4:bb:6d:00:00:20', ip: '192.168.7.20' };
export const third: Station = { mac: 'a4:bb:6d:00:00:30', ip: '192.168.7.30' };
export const FAR = '198.51.100.9';

export interface Stream {
  readonly from?: number;
  readonly until: number;
  readonly step?: number;
  readonly src?: string;
  readonly hopLimit?: number;
  readonly srcPort?: number;
  readonly by?: Station;
}

/** Packets from beyond the router for an address, sent to a MAC; gives their frame numbers. */
export function forward(wire: Wire, to: Station, stream: Stream): number[] {
  const { from = 0, until, step = 0.5, src = FAR, hopLimit = 60, srcPort = 4000, by = router } = stream;
  const frames: number[] = [];
  for (let at = from; at < until; at += step) {
    frames.push(wire.udp(at, { from: by.mac, to: to.mac, src, dst: to.ip, hopLimit, srcPort }));
  }
  return frames;
}

/** Packets that a station makes itself. */
export function speak(wire: Wire, by: Station, to: Station, stream: Stream): number[] {
  return forward(wire, to, { src: by.ip, hopLimit: 64, by, ...stream });
}

export type Captures = Record<string, Wire>;

export async function judge(captures: Captures, texts: Record<string, string> = {}): Promise<Analysis> {
  const pieces = Object.entries(captures).map(([name, wire]) => ({ name, bytes: wire.pcap() }));
  return analyze([...pieces, ...Object.entries(texts).map(([name, text]) => textPiece(name, text))]);
}

/** The plain wrong frames of each capture. */
export async function wrongOf(
  captures: Captures,
  texts: Record<string, string> = {},
): Promise<Record<string, number[]>> {
  return Object.fromEntries(wrongFrames(await judge(captures, texts)));
}

/** Frame numbers that an analysis calls convergence. */
export function convergenceOf(analysis: Analysis): number[] {
  return analysis.misdeliveries
    .filter((m) => m.class === 'convergence')
    .flatMap((m) =>
      m.frameRanges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
    )
    .sort((a, b) => a - b);
}
