/** The filter box and the fields for the chosen time. */

import type { ReportData } from '../src/render/html/data.js';
import type { Selection } from './selection.js';
import type { Store, View } from './store.js';
import { parseTypedTime, typedTime } from './times.js';

const DELAY = 80;

export class FilterBar {
  readonly #data: ReportData;
  readonly #store: Store;
  readonly #filter = input('search', 'ip:192.168.1.23 dev:lan3 is:offloaded !tcp');
  readonly #from = input('text', 'from');
  readonly #to = input('text', 'to');
  readonly #answer = document.createElement('output');

  constructor(host: HTMLElement, data: ReportData, store: Store) {
    this.#data = data;
    this.#store = store;
    host.className = 'filter-bar';
    host.setAttribute('role', 'search');
    host.hidden = false;
    this.#from.className = 'time';
    this.#to.className = 'time';
    this.#filter.title = 'ip: mac: dev: is: cause: flow: or any text; ! negates';
    host.append(
      labelled('Filter', this.#filter),
      this.#filter,
      labelled('From', this.#from),
      this.#from,
      labelled('to', this.#to),
      this.#to,
      this.#answer,
    );
    let timer = 0;
    this.#filter.addEventListener('input', () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => store.set({ filter: this.#filter.value }), DELAY);
    });
    const typed = (): void => this.#typed();
    this.#from.addEventListener('change', typed);
    this.#to.addEventListener('change', typed);
  }

  focus(): void {
    this.#filter.focus();
    this.#filter.select();
  }

  show(view: View, { problem, flows, findings }: Selection): void {
    if (document.activeElement !== this.#filter) this.#filter.value = view.filter;
    const [from, to] = view.range ?? this.#data.domain;
    this.#from.value = typedTime(this.#data, from);
    this.#to.value = typedTime(this.#data, to);
    this.#answer.classList.toggle('error', problem !== undefined);
    const isChosen = view.filter.trim() !== '' || view.range !== undefined;
    const words = `${findings.size} of ${this.#data.findings.length} findings, ${flows.length} of ${this.#data.flows.length} flows`;
    this.#answer.textContent = problem ?? (isChosen ? words : '');
    this.#filter.setAttribute('aria-invalid', problem === undefined ? 'false' : 'true');
  }

  #typed(): void {
    const from = parseTypedTime(this.#data, this.#from.value);
    const to = parseTypedTime(this.#data, this.#to.value);
    this.#store.set(from !== undefined && to !== undefined && from < to ? { range: [from, to] } : {});
  }
}

function input(type: string, placeholder: string): HTMLInputElement {
  const element = document.createElement('input');
  element.type = type;
  element.placeholder = placeholder;
  element.spellcheck = false;
  element.autocomplete = 'off';
  return element;
}

function labelled(text: string, field: HTMLInputElement): HTMLLabelElement {
  const label = document.createElement('label');
  field.id = `field-${text.toLowerCase()}`;
  label.htmlFor = field.id;
  label.textContent = text;
  return label;
}
