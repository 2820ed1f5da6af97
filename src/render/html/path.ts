/** The way frames took and the way they should have taken, as a small drawing: expected solid, observed dashed. */

import type { Flow, Mapping, Misdelivery } from '../../model.js';
import { count, expectedText } from '../words.js';
import { clipped } from './limits.js';
import { markup, type Markup } from './markup.js';

const WIDTH = 900;
const HEIGHT = 190;
const BOX = { width: 190, height: 50 };

interface Box {
  readonly x: number;
  readonly y: number;
  readonly title: string;
  readonly detail: string;
  readonly tone: string;
}

/** Of the misdelivery with most frames; counts are those of one capture. */
export function pathDiagram(own: readonly Misdelivery[], flows: readonly Flow[]): Markup | undefined {
  const [main] = [...own].sort((a, b) => b.frames - a.frames);
  if (!main) return undefined;
  const isPort = main.class === 'wrong-port';
  const mappings = flows.filter((flow) => main.flows.includes(flow.id)).flatMap((flow) => flow.mappings);
  const source = sourceOf(main, flows);
  const ingress = ingressOf(main, flows, mappings);
  const right = rightFrames(main, mappings);
  const hasReturned = flows.some((flow) => flow.transits?.some(({ boomerang }) => boomerang) ?? false);

  const height = HEIGHT + (hasReturned ? 24 : 6);
  const made = isMadeBySender(main);
  const boxes: Box[] = [
    ...(made
      ? []
      : [
          {
            x: 0,
            y: 70,
            title: source,
            detail: ingress === undefined ? 'sender' : `comes in on ${ingress}`,
            tone: 'plain',
          },
        ]),
    { x: 330, y: 70, title: made ? source : 'router', detail: main.srcMac, tone: 'plain' },
    {
      x: 710,
      y: 6,
      title: `${isPort ? 'port ' : ''}${expectedText(main)}`,
      detail: isPort ? main.dstMac : rightText(main),
      tone: 'right',
    },
    {
      x: 710,
      y: 134,
      title: isPort ? `port ${clipped(main.device, 20)}` : main.dstMac,
      detail: isPort ? 'the host has left it' : 'where they went',
      tone: 'wrong',
    },
  ];
  const device = clipped(main.device, 24);
  const name = `Frames for ${main.dstIp}: expected at ${expectedText(main)}, ${count(right)} went there; ${count(main.frames)} went to ${isPort ? device : main.dstMac} (counted on ${main.input})`;
  const came = made ? undefined : markup`<path class="way plain" d="M190 95H326" marker-end="url(#arrow)"/>`;
  const back = hasReturned
    ? markup`<path class="way observed" d="M710 172C560 200 470 190 425 124" marker-end="url(#arrow)"/><text class="way-label" x="500" y="206">and came back</text>`
    : undefined;
  return markup`<figure class="path" tabindex="0" role="region" aria-label="Path, can be scrolled"><svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${name}">
${came}<path class="way expected" d="M520 88C600 80 610 31 706 31" marker-end="url(#arrow)"/><path class="way observed" d="M520 104C600 112 610 159 706 159" marker-end="url(#arrow)"/>${back}
<text class="way-label" x="528" y="26">expected: ${count(right)} right</text><text class="way-label strong" x="520" y="172">observed: ${count(main.frames)} wrong</text><text class="way-label" x="600" y="100">on ${device}</text>
${boxes.map((box) => drawBox(box))}</svg><figcaption class="note">Counted on ${clipped(main.input, 100)}, device ${device}. Solid: the expected way; dashed: what was observed.</figcaption></figure>`;
}

function drawBox({ x, y, title, detail, tone }: Box): Markup {
  return markup`<g class="box ${tone}"><rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="6"/><text x="${x + 10}" y="${y + 21}">${short(title)}</text><text class="box-detail" x="${x + 10}" y="${y + 39}">${short(detail)}</text></g>`;
}

function short(text: string): string {
  return text.length > 27 ? `${text.slice(0, 26)}…` : text;
}

/** The address that the misdelivered packets come from. */
function sourceOf(main: Misdelivery, flows: readonly Flow[]): string {
  const [frame] = main.evidence;
  const many = new Set(main.evidence.map(({ srcIp }) => srcIp)).size > 1 || flows.length > 20;
  return frame ? `${frame.srcIp}${many ? ' and others' : ''}` : 'unknown';
}

/** Hop limits that hosts begin with: nobody passed such a packet on. */
const INITIAL_HOP_LIMITS: readonly (number | undefined)[] = [64, 128, 255];

function isMadeBySender(main: Misdelivery): boolean {
  return main.evidence.length > 0 && main.evidence.every(({ hopLimit }) => INITIAL_HOP_LIMITS.includes(hopLimit));
}

/** What the expected MAC is: it has the address, or it is the way there. */
function rightText(main: Misdelivery): string {
  const witness = main.because.find(({ mac, ip }) => main.expected.includes(mac) && ip !== '');
  if (!witness || witness.ip === main.dstIp) return `has ${main.dstIp}`;
  return `next hop ${witness.ip}`;
}

/** Where the router got them: the first place of a packet that was followed, or a device with the same direction. */
function ingressOf(main: Misdelivery, flows: readonly Flow[], mappings: readonly Mapping[]): string | undefined {
  const others = new Set([main.srcMac, main.dstMac, ...main.expected]);
  const followed = flows.flatMap((flow) => flow.transits ?? []).filter(({ phase }) => phase === 'misdelivered');
  const first = followed.map(({ sightings }) => sightings.find(({ srcMac }) => !others.has(srcMac))).find(Boolean);
  const wrong = mappings.find((m) => m.misdelivered > 0 && m.dstMac === main.dstMac);
  const before = mappings.find((m) => m.direction === wrong?.direction && !others.has(m.srcMac));
  const device = first?.device ?? before?.device;
  return device === undefined ? undefined : clipped(device, 16);
}

/** Frames of the same sender and direction that went right, on the capture that saw most of them. */
function rightFrames(main: Misdelivery, mappings: readonly Mapping[]): number {
  const wrong = mappings.find((m) => m.misdelivered > 0 && m.dstMac === main.dstMac);
  const byTap = new Map<string, number>();
  for (const m of mappings) {
    const isRight =
      m.srcMac === main.srcMac &&
      m.direction === wrong?.direction &&
      m.delivered > 0 &&
      main.expected.includes(m.dstMac);
    if (!isRight || m.input !== main.input) continue;
    byTap.set(m.device, (byTap.get(m.device) ?? 0) + m.delivered);
  }
  return Math.max(0, ...byTap.values());
}
