/** Lanes as SVG, for whatever scale the caller has. Colours come from classes, hatches from the page's patterns. */

import { clockAt } from './clock.js';
import type { Lane, Mark } from './lanes.js';
import { markup, type Markup } from './markup.js';

export interface Frame {
  readonly width: number;
  /** Where the time axis begins; labels stand left of it, or above their lane when it is small. */
  readonly left: number;
  /** ms after the origin to x. */
  readonly scale: (ms: number) => number;
  /** Marks can be focused and pinned; otherwise they carry their evidence as a tooltip. */
  readonly isInteractive: boolean;
}

export interface Drawing {
  readonly content: Markup;
  readonly height: number;
}

const NARROW = 80;
const CHARACTER = 6.3;

/** All lanes below each other, from y = 0. */
export function drawLanes(lanes: readonly Lane[], frame: Frame): Drawing {
  const isNarrow = frame.left < NARROW;
  const height = isNarrow ? 42 : 34;
  const parts = lanes.map((lane, row) => drawLane(lane, row, row * height, height, frame));
  return { content: markup`${parts}`, height: lanes.length * height };
}

/** Round times for an axis, at most `most` of them, as ms after the origin; `offset` is the origin's ms since midnight. */
export function niceTicks(from: number, to: number, most: number, offset: number): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? (to - from) / most;
  const ticks: number[] = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to && ticks.length <= most; at += step) {
    ticks.push(at);
  }
  return ticks;
}

/** `07:52:30`, with a fraction of a second where there is one. */
export function tickText(origin: string, at: number): string {
  return clockAt(origin, at)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '');
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS: readonly number[] = [
  ...[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((n) => n * HOUR),
];

function drawLane(lane: Lane, row: number, y: number, height: number, frame: Frame): Markup {
  const isNarrow = frame.left < NARROW;
  const middle = isNarrow ? y + 28 : y + height / 2;
  const label = isNarrow
    ? markup`<text class="lane-label" x="${frame.left}" y="${y + 13}">${fit(lane.label, frame.width - frame.left)}</text>`
    : markup`<text class="lane-label" x="0" y="${middle - 2}">${fit(lane.label, frame.left - 8)}</text><text class="lane-detail" x="0" y="${middle + 11}">${fit(lane.detail, frame.left - 8)}</text>`;
  const marks = lane.marks.map((mark, i) => drawMark(mark, `${row}.${i}`, middle, frame));
  return markup`<g class="lane lane-${lane.kind}"><line class="lane-rule" x1="0" x2="${frame.width}" y1="${y + height - 0.5}" y2="${y + height - 0.5}"/>${label}${marks}</g>`;
}

function drawMark(mark: Mark, key: string, middle: number, frame: Frame): Markup | undefined {
  const right = frame.width;
  const from = frame.scale(mark.from);
  const to = frame.scale(mark.to);
  if (to < frame.left || from > right) return undefined;
  const x = Math.max(from, frame.left);
  const width = Math.max(Math.min(to, right) - x, mark.shape === 'tick' ? 0 : 3);
  const shape = drawShape(mark, x, width, middle);
  const about = mark.details.join('; ');
  const label = mark.label !== '' && mark.label.length * CHARACTER + 10 < width;
  const text = label
    ? markup`<text class="mark-label" x="${round(x + 6)}" y="${middle + 4}">${mark.label}</text>`
    : undefined;
  const state = mark.isWrong ? ' wrong' : '';
  return frame.isInteractive
    ? markup`<g class="mark${state}" data-mark="${key}" role="button" tabindex="-1" aria-label="${about}">${shape}${text}</g>`
    : markup`<g class="mark${state}"><title>${about}</title>${shape}${text}</g>`;
}

const HALF: Readonly<Record<Mark['shape'], number>> = { bar: 9, thin: 5, bound: 9, tick: 11 };

function drawShape(mark: Mark, x: number, width: number, middle: number): Markup {
  const half = HALF[mark.shape];
  const top = middle - half;
  if (mark.shape === 'tick') {
    return markup`<path class="moment ${mark.tone}" d="M${round(x)} ${top}v${2 * half}m-3 ${-2 * half}h6l-3 5z"/>`;
  }
  const box = markup`x="${round(x)}" y="${top}" width="${round(width)}" height="${2 * half}"`;
  const shape = mark.shape === 'bound' ? 'bound' : mark.tone;
  return markup`<rect class="fill ${mark.shape} ${shape}" ${box}/><rect class="hatch ${mark.shape} ${shape}" ${box}/>`;
}

function fit(text: string, width: number): string {
  const most = Math.max(4, Math.floor(width / CHARACTER));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
