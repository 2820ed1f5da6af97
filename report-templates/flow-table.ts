/** The flows table: sorted, filtered, a page at a time, each row opening its mappings. */

import type { FlowData, ReportData } from '../src/render/html/data.js';
import { FLOW_COLUMNS, flowRow, ladder, startOf } from '../src/render/html/ladder.js';
import { markup } from '../src/render/html/markup.js';
import { count, counted } from '../src/render/words.js';
import { button, fill, part } from './dom.js';
import type { Store } from './store.js';

const PAGE = 50;

type Column = (typeof FLOW_COLUMNS)[number]['id'];

const KEYS: Readonly<Record<Column, (data: ReportData, flow: FlowData) => string | number>> = {
  id: (_, flow) => Number(flow.id.replaceAll(/\D/g, '')),
  text: (_, flow) => flow.text,
  misdelivered: (_, flow) => -flow.misdelivered,
  first: (_, flow) => startOf(flow),
  offload: (_, flow) => flow.offload.map(({ kind }) => kind).join(' '),
  cause: (data, flow) => flow.findings.map((finding) => data.findings[finding]?.cause).join(' '),
};

export class FlowTable {
  readonly #data: ReportData;
  readonly #store: Store;
  readonly #table: HTMLElement;
  #flows: readonly number[] = [];
  #shown = PAGE;
  #column: Column = 'misdelivered';
  #isTurned = false;

  constructor(table: HTMLElement, data: ReportData, store: Store) {
    this.#table = table;
    this.#data = data;
    this.#store = store;
    for (const heading of table.querySelectorAll('th[data-sort]')) {
      const column = FLOW_COLUMNS.find(({ id }) => id === heading.getAttribute('data-sort'));
      if (!column) continue;
      const sort = button(column.title, `Sort by ${column.title}`, () => this.#sortBy(column.id));
      heading.replaceChildren(sort);
    }
    table.addEventListener('click', (event) => {
      const opener = event.target instanceof Element ? event.target.closest('[data-flow]') : null;
      if (opener instanceof HTMLElement) this.#toggle(Number(opener.dataset['flow']));
    });
    // The ladders that stand below the table without the script are rows of it now.
    const details = part('data-flow-details');
    if (details) details.hidden = true;
  }

  show(flows: readonly number[]): void {
    this.#flows = flows;
    this.#shown = PAGE;
    this.draw();
  }

  /** Draws the rows; an open flow is shown wherever it stands. */
  draw(): void {
    const data = this.#data;
    const sorted = this.#sorted();
    const open = this.#store.view.flow;
    const place = sorted.findIndex((index) => data.flows[index]?.id === open);
    if (place >= this.#shown) this.#shown = Math.ceil((place + 1) / PAGE) * PAGE;
    const rows = sorted.slice(0, this.#shown).map((index) => {
      const flow = data.flows[index];
      if (!flow) return undefined;
      const isOpen = flow.id === open;
      return markup`${flowRow(data, flow, index, isOpen, true)}${isOpen ? markup`<tr><td colspan="${FLOW_COLUMNS.length}" data-opened>${ladder(data, flow)}</td></tr>` : undefined}`;
    });
    const body = this.#table.querySelector('tbody');
    if (body) fill(body, markup`${rows}`);
    this.#addStatic();
    this.#tellOrder();
    this.#tellMore(sorted.length);
  }

  /** What the server wrote of the open flow besides its mappings: what users felt, packets that were followed. */
  #addStatic(): void {
    const index = this.#data.flows.findIndex(({ id }) => id === this.#store.view.flow);
    const written = document.querySelector(`[data-ladder="${index}"]`);
    const opened = this.#table.querySelector('[data-opened]');
    if (!written || !opened) return;
    const [, ...rest] = written.children;
    const own = rest.filter((child) => !child.querySelector('.ladder'));
    opened.append(...own.map((child) => child.cloneNode(true)));
  }

  #sorted(): number[] {
    const key = KEYS[this.#column];
    const data = this.#data;
    const keyed = this.#flows.flatMap((index) => {
      const flow = data.flows[index];
      return flow ? [{ index, key: key(data, flow) }] : [];
    });
    const turn = this.#isTurned ? -1 : 1;
    keyed.sort((a, b) => (a.key < b.key ? -turn : a.key > b.key ? turn : a.index - b.index));
    return keyed.map(({ index }) => index);
  }

  #sortBy(column: Column): void {
    this.#isTurned = this.#column === column && !this.#isTurned;
    this.#column = column;
    this.draw();
  }

  #toggle(index: number): void {
    const id = this.#data.flows[index]?.id;
    this.#store.set({ flow: this.#store.view.flow === id ? undefined : id });
    const again = this.#table.querySelector(`[data-flow="${index}"]`);
    if (again instanceof HTMLElement) again.focus();
  }

  #tellOrder(): void {
    for (const heading of this.#table.querySelectorAll('th[data-sort]')) {
      const isThis = heading.getAttribute('data-sort') === this.#column;
      // Most misdelivered first is a descending order.
      const isAscending = this.#isTurned === (this.#column === 'misdelivered');
      if (isThis) heading.setAttribute('aria-sort', isAscending ? 'ascending' : 'descending');
      else heading.removeAttribute('aria-sort');
    }
  }

  #tellMore(all: number): void {
    const counter = part('data-flow-count');
    const total = this.#data.flows.length;
    if (counter) counter.textContent = all === total ? count(total) : `${count(all)} of ${count(total)} fit`;
    const more = part('data-flow-more');
    if (!more) return;
    const left = all - this.#shown;
    more.replaceChildren();
    if (left <= 0) return;
    more.append(
      button(`Show ${count(Math.min(left, PAGE))} more of ${counted(left, 'flow')}`, 'More rows', () => {
        this.#shown += PAGE;
        this.draw();
      }),
    );
  }
}
