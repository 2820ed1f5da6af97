/** The strip above the time-line: misdelivered frames over all of the time, with a brush that chooses a part of it. */

import { brushX, scaleLinear, select, type D3BrushEvent } from 'd3';
import type { ReportData } from '../src/render/html/data.js';
import { markup } from '../src/render/html/markup.js';
import { fill, svg } from './dom.js';

const HEIGHT = 34;

export class Minimap {
  readonly element = svg('Misdelivered frames over the whole time; the chosen part is marked');
  readonly #data: ReportData;
  readonly #choose: (range: readonly [number, number] | undefined) => void;
  #width = 0;
  #left = 0;
  /** Set while the brush is told what the view already says. */
  #isFollowing = false;

  /** @param choose is told the part that was chosen, in ms; undefined: all of it */
  constructor(data: ReportData, choose: (range: readonly [number, number] | undefined) => void) {
    this.#data = data;
    this.#choose = choose;
  }

  /** @param left where the bars begin, behind the label */
  draw(width: number, left: number): void {
    this.#width = width;
    this.#left = left;
    const { bins } = this.#data;
    const most = Math.max(...bins, 1);
    const step = (width - 8 - left) / bins.length;
    const bars = bins.map((frames, i) => {
      if (frames === 0) return undefined;
      const height = Math.max(2, (frames / most) * (HEIGHT - 6));
      return markup`<rect class="minimap-bin" x="${round(left + i * step)}" y="${round(HEIGHT - height)}" width="${round(step + 0.6)}" height="${round(height)}"/>`;
    });
    this.element.setAttribute('viewBox', `0 0 ${width} ${HEIGHT + 4}`);
    this.element.setAttribute('height', String(HEIGHT + 4));
    const label =
      left < 80
        ? undefined
        : markup`<text class="lane-label" x="0" y="15">${bins.some((frames) => frames > 0) ? 'Misdelivered' : 'All of the time'}</text><text class="lane-detail" x="0" y="28">drag to choose a part</text>`;
    fill(
      this.element,
      markup`${label}<rect class="minimap-ground" x="${left}" y="0.5" width="${width - 8 - left}" height="${HEIGHT}"/><g class="minimap-bins">${bars}</g><g data-brush></g>`,
    );
    this.#brush.extent([
      [left, 0],
      [width - 8, HEIGHT + 1],
    ]);
    select<SVGSVGElement, undefined>(this.element).select<SVGGElement>('[data-brush]').call(this.#brush);
  }

  /** Marks the part that is chosen. */
  follow(range: readonly [number, number] | undefined): void {
    const scale = this.#scale();
    this.#isFollowing = true;
    select<SVGSVGElement, undefined>(this.element)
      .select<SVGGElement>('[data-brush]')
      .call((group) => this.#brush.move(group, range ? [scale(range[0]), scale(range[1])] : null));
    this.#isFollowing = false;
  }

  readonly #brush = brushX<undefined>().on('brush end', (event: D3BrushEvent<undefined>) => {
    if (this.#isFollowing || !event.sourceEvent) return;
    if (event.selection === null) {
      if (event.type === 'end') this.#choose(undefined);
      return;
    }
    const [x0, x1] = event.selection;
    if (typeof x0 !== 'number' || typeof x1 !== 'number') return;
    const scale = this.#scale();
    this.#choose([scale.invert(x0), scale.invert(x1)]);
  });

  #scale() {
    return scaleLinear([...this.#data.domain], [this.#left, this.#width - 8]);
  }
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
