import { describe, expect, it } from 'vitest';
import { Wire, type Station } from '../support/wire.js';
import { FAR, forward, newHost, oldHost, other, router, speak, wrongOf } from './scene.js';

/** The router is told at 11 s that the address is the new host's, and at 20 s that it is the old one's again. */
const TAKEN = 11;
const BACK = 20;

interface Told {
  /** Whom the router sends to in the meantime. */
  readonly to?: Station;
  /** Times at which the old host answers what it is sent. */
  readonly answers?: (time: number) => boolean;
}

function isThere(time: number): boolean {
  return time < TAKEN || time > BACK;
}

/** @returns numbers of the frames to the old host while the router knew of the new one */
function toAndFro(wire: Wire, { to = oldHost, answers = isThere }: Told): number[] {
  wire.meet(0, router, oldHost);
  wire.meet(0.1, router, other);
  const meanwhile: number[] = [];
  for (let time = 1; time < 30; time += 0.2) {
    if (Math.abs(time - TAKEN) < 0.01) wire.gratuitous(time, newHost);
    if (Math.abs(time - BACK) < 0.01) wire.gratuitous(time, oldHost);
    const isTaken = time > TAKEN - 0.01 && time < BACK - 0.01;
    const sent = forward(wire, isTaken ? to : oldHost, { from: time + 0.11, until: time + 0.12 });
    if (isTaken && to === oldHost) meanwhile.push(...sent);
    if (answers(time)) {
      speak(wire, oldHost, { ...router, ip: FAR }, { from: time + 0.12, until: time + 0.13 });
    }
  }
  return meanwhile;
}

describe('an address that goes to another host and comes back', () => {
  it('was misdelivered by what still went to the first one, which did not answer', async () => {
    const wire = new Wire();
    const meanwhile = toAndFro(wire, {});
    expect(await wrongOf({ 'lan3.pcap': wire })).toEqual({ 'lan3.pcap': meanwhile });
  });

  it.each([
    ['that both have: the first one answers on', { answers: (): boolean => true }],
    ['that both may have: the first one never answers', { answers: (): boolean => false }],
    [
      'that both may have: the first one seldom answers',
      { answers: (t: number): boolean => isThere(t) && t % 2 < 0.2 },
    ],
    ['and what is sent goes along with it', { to: newHost }],
  ])('is no misdelivery where it is one %s', async (_what, told) => {
    const wire = new Wire();
    toAndFro(wire, told);
    expect(await wrongOf({ 'lan3.pcap': wire })).toEqual({});
  });
});
