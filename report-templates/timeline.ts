/** The time-line that can be zoomed: a minimap with a brush above, lanes below, and what is under the pointer in words. */

import { axisBottom, scaleLinear, scaleUtc, select, zoom, zoomIdentity, type D3ZoomEvent } from 'd3';
import type { ReportData } from '../src/render/html/data.js';
import { drawLanes, tickText } from '../src/render/html/drawing.js';
import { lanesOf, type Lane, type Mark } from '../src/render/html/lanes.js';
import { markup } from '../src/render/html/markup.js';
import { button, fill, part, svg } from './dom.js';
import { Minimap } from './minimap.js';
import type { Store } from './store.js';

const DRAWN_FLOWS = 6;
const AXIS = 24;
const GUTTER = 190;
const NARROW = 700;
/** The closest zoom shows this many ms. */
const CLOSEST = 1;

export class Timeline {
  readonly #data: ReportData;
  readonly #store: Store;
  readonly #minimap: Minimap;
  readonly #detail: SVGSVGElement;
  readonly #inspector: HTMLElement;
  #lanes: Lane[] = [];
  #flows: readonly number[];
  #pinned: string | undefined;
  #width = 0;
  #queued = false;
  /** Set while d3 is told what the view already says. */
  #isFollowing = false;

  constructor(host: HTMLElement, data: ReportData, store: Store) {
    this.#data = data;
    this.#store = store;
    this.#flows = data.flows.map((_, i) => i);
    const tools = document.createElement('div');
    tools.className = 'timeline-tools';
    tools.append(
      button('+', 'Zoom in (+)', () => this.zoomBy(0.5)),
      button('−', 'Zoom out (−)', () => this.zoomBy(2)),
      button('All', 'The whole time (0)', () => this.#store.set({ range: undefined })),
      button('←', 'Earlier (arrow left)', () => this.panBy(-0.25)),
      button('→', 'Later (arrow right)', () => this.panBy(0.25)),
    );
    this.#minimap = new Minimap(data, (range) => (range ? this.#choose(...range) : this.#store.set({ range })));
    this.#detail = svg('Time-line: arrow keys go from mark to mark, Enter pins one, Escape lets go');
    this.#detail.setAttribute('role', 'group');
    this.#inspector = document.createElement('div');
    this.#inspector.className = 'inspector';
    this.#inspector.setAttribute('aria-live', 'polite');
    host.append(tools, this.#minimap.element, this.#detail, this.#inspector);
    this.#listenToMarks();
    this.#inspect();
    new ResizeObserver(() => this.#resize(host)).observe(host);
    this.#resize(host);
    this.#enableZoom();
  }

  /** Draws the lanes of these flows. */
  show(flows: readonly number[]): void {
    this.#flows = flows;
    this.#draw();
  }

  /** Draws anew before the next picture. */
  follow(): void {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.#draw();
    });
  }

  zoomBy(factor: number): void {
    const [from, to] = this.#range();
    const middle = (from + to) / 2;
    this.#choose(middle - ((to - from) / 2) * factor, middle + ((to - from) / 2) * factor);
  }

  panBy(share: number): void {
    const [from, to] = this.#range();
    const [first, last] = this.#data.domain;
    const step = Math.max(first - from, Math.min(last - to, (to - from) * share));
    this.#choose(from + step, to + step);
  }

  /** Lets go of what is pinned; tells whether anything was. */
  unpin(): boolean {
    const wasPinned = this.#pinned !== undefined;
    this.#pinned = undefined;
    this.#detail.querySelector('.pinned')?.classList.remove('pinned');
    this.#inspect();
    return wasPinned;
  }

  /** Shows the evidence of a mark, or what to do when there is none. */
  #inspect(key?: string): void {
    const mark = this.#mark(key ?? this.#pinned);
    this.#inspector.classList.toggle('is-pinned', this.#pinned !== undefined);
    const [first, ...rest] = mark?.details ?? [];
    fill(
      this.#inspector,
      first === undefined
        ? markup`<p>Evidence</p><p class="note">Point at a bar, or focus it with Tab and the arrow keys, to see its frame numbers and who said so. Click or Enter pins it, Escape lets go. Drag in the strip above the lanes to choose a time: all tables follow. Ctrl and the wheel zoom, dragging the lanes pans, a double click shows all again.</p>`
        : markup`<p>${first}</p>${rest.map((line) => markup`<p>${line}</p>`)}`,
    );
  }

  #mark(key: string | undefined): Mark | undefined {
    const [row, column] = (key ?? '').split('.').map(Number);
    return this.#lanes[row ?? -1]?.marks[column ?? -1];
  }

  #range(): readonly [number, number] {
    return this.#store.view.range ?? this.#data.domain;
  }

  #choose(from: number, to: number): void {
    const [first, last] = this.#data.domain;
    const width = Math.max(CLOSEST, Math.min(to - from, last - first));
    const start = Math.max(first, Math.min(from, last - width));
    const isAll = width >= (last - first) * 0.999;
    this.#store.set({ range: isAll ? undefined : [start, start + width] });
  }

  #resize(host: HTMLElement): void {
    const width = Math.floor(host.clientWidth);
    if (width === this.#width || width === 0) return;
    this.#width = width;
    this.#minimap.draw(width, this.#left);
    this.#draw();
  }

  get #left(): number {
    return this.#width < NARROW ? 2 : GUTTER;
  }

  #scale(domain: readonly [number, number]): (ms: number) => number {
    return scaleLinear([...domain], [this.#left, this.#width - 8]);
  }

  #draw(): void {
    if (this.#width === 0) return;
    const data = this.#data;
    const focused = document.activeElement?.getAttribute('data-mark') ?? undefined;
    const shown = this.#flows.slice(0, DRAWN_FLOWS).flatMap((index) => data.flows[index] ?? []);
    this.#lanes = lanesOf(data, shown);
    const range = this.#range();
    const frame = { width: this.#width, left: this.#left, scale: this.#scale(range), isInteractive: true };
    const { content, height } = drawLanes(this.#lanes, frame);
    const total = height + AXIS + 4;
    this.#detail.setAttribute('viewBox', `0 0 ${this.#width} ${total}`);
    this.#detail.setAttribute('height', String(total));
    fill(
      this.#detail,
      markup`<clipPath id="lanes-clip"><rect x="0" y="0" width="${this.#width}" height="${height}"/></clipPath><rect class="ground" width="${this.#width}" height="${total}" fill="transparent"/><g class="axis" transform="translate(0 ${height + 2})"></g><g clip-path="url(#lanes-clip)">${content}</g>`,
    );
    this.#drawAxis(range, height);
    const marks = this.#detail.querySelectorAll('[data-mark]');
    const again =
      focused === undefined ? undefined : [...marks].find((mark) => mark.getAttribute('data-mark') === focused);
    (again ?? marks[0])?.setAttribute('tabindex', '0');
    if (again instanceof SVGElement) again.focus({ preventScroll: true });
    if (this.#pinned !== undefined) this.#element(this.#pinned)?.classList.add('pinned');
    this.#minimap.follow(this.#store.view.range);
    this.#followZoom();
    const note = part('data-lanes-note');
    if (note) {
      note.hidden = this.#flows.length <= DRAWN_FLOWS;
      note.textContent = `Drawn: the ${DRAWN_FLOWS} most affected of ${this.#flows.length.toLocaleString('en')} flows that fit; the filter chooses others.`;
    }
  }

  #drawAxis([from, to]: readonly [number, number], height: number): void {
    const date = (ms: number): Date => new Date(Number(BigInt(this.#data.origin) / 1000n) / 1000 + ms);
    const scale = scaleUtc([date(from), date(to)], [this.#left, this.#width - 8]);
    const axis = axisBottom(scale)
      .ticks(Math.max(2, Math.floor(this.#width / 140)))
      .tickSizeInner(-height)
      .tickSizeOuter(0)
      .tickPadding(7)
      .tickFormat((time) =>
        tickText(this.#data.origin, Number(time) - Number(BigInt(this.#data.origin) / 1000n) / 1000),
      );
    select(this.#detail).select<SVGGElement>('.axis').call(axis);
  }

  // Zoom and pan of the lanes, the same state as the brush.

  readonly #zoom = zoom<SVGSVGElement, unknown>()
    .filter((event: Event) =>
      event instanceof WheelEvent ? event.ctrlKey : !(event instanceof MouseEvent) || event.button === 0,
    )
    .on('zoom', (event: D3ZoomEvent<SVGSVGElement, unknown>) => {
      if (this.#isFollowing || !event.sourceEvent) return;
      const scale = event.transform.rescaleX(scaleLinear([...this.#data.domain], [this.#left, this.#width - 8]));
      const [from = 0, to = 0] = scale.domain();
      this.#choose(from, to);
    });

  #enableZoom(): void {
    select<SVGSVGElement, unknown>(this.#detail)
      .call(this.#zoom)
      .on('dblclick.zoom', () => this.#store.set({ range: undefined }));
    this.#followZoom();
  }

  #followZoom(): void {
    const [first, last] = this.#data.domain;
    const [from, to] = this.#range();
    const scale = this.#scale(this.#data.domain);
    const extent: [[number, number], [number, number]] = [
      [this.#left, 0],
      [this.#width - 8, 10],
    ];
    this.#zoom
      .scaleExtent([1, Math.max(1, (last - first) / CLOSEST)])
      .extent(extent)
      .translateExtent(extent);
    const k = (last - first) / (to - from);
    const transform = zoomIdentity.translate(this.#left - k * scale(from), 0).scale(k);
    this.#isFollowing = true;
    select<SVGSVGElement, unknown>(this.#detail).property('__zoom', transform);
    this.#isFollowing = false;
  }

  // Marks: pointing, focusing, pinning.

  #listenToMarks(): void {
    const keyOf = (event: Event): string | undefined =>
      (event.target instanceof Element ? event.target.closest('[data-mark]')?.getAttribute('data-mark') : undefined) ??
      undefined;
    const look = (event: Event): void => {
      const key = keyOf(event);
      if (key !== undefined) this.#inspect(key);
    };
    this.#detail.addEventListener('pointerover', look);
    this.#detail.addEventListener('focusin', look);
    this.#detail.addEventListener('pointerleave', () => this.#inspect());
    this.#detail.addEventListener('focusout', () => this.#inspect());
    this.#detail.addEventListener('click', (event) => this.#pin(keyOf(event)));
    this.#detail.addEventListener('keydown', (event) => {
      const key = keyOf(event);
      if (key === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === 'Enter' || event.key === ' ') this.#pin(key);
      else if (!this.#walk(key, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #pin(key: string | undefined): void {
    if (key === undefined) return;
    this.#detail.querySelector('.pinned')?.classList.remove('pinned');
    this.#pinned = this.#pinned === key ? undefined : key;
    if (this.#pinned !== undefined) this.#element(key)?.classList.add('pinned');
    const flow = this.#lanes[Number(key.split('.')[0])]?.flow;
    if (this.#pinned !== undefined && flow !== undefined) this.#store.set({ flow });
    this.#inspect(key);
  }

  #element(key: string): SVGElement | undefined {
    const found = this.#detail.querySelector(`[data-mark="${key}"]`);
    return found instanceof SVGElement ? found : undefined;
  }

  /** Arrow keys: along a lane, and from lane to lane. */
  #walk(key: string, arrow: string): boolean {
    const marks = [...this.#detail.querySelectorAll('[data-mark]')].filter((mark) => mark instanceof SVGElement);
    const at = marks.findIndex((mark) => mark.getAttribute('data-mark') === key);
    const row = (mark: SVGElement | undefined): number => Number(mark?.getAttribute('data-mark')?.split('.')[0] ?? -1);
    const here = row(marks[at]);
    const next =
      arrow === 'ArrowRight'
        ? marks[at + 1]
        : arrow === 'ArrowLeft'
          ? marks[at - 1]
          : arrow === 'ArrowDown'
            ? marks.find((mark) => row(mark) > here)
            : arrow === 'ArrowUp'
              ? marks.findLast((mark) => row(mark) < here)
              : undefined;
    if (!next) return arrow.startsWith('Arrow');
    marks[at]?.setAttribute('tabindex', '-1');
    next.setAttribute('tabindex', '0');
    next.focus();
    return true;
  }
}
