/** What the reader has chosen: kept in the address, so that a link to a view of the file can be handed on. */

export interface View {
  /** The chosen time, ms after the page's origin; missing: all of it. */
  readonly range?: readonly [number, number];
  readonly filter: string;
  /** Position of the finding that j and k go on from. */
  readonly finding?: number;
  /** Id of the flow whose mappings are shown. */
  readonly flow?: string;
  readonly theme?: 'light' | 'dark';
}

type Listener = (view: View, before: View) => void;

export class Store {
  view: View;
  readonly #listeners: Listener[] = [];

  constructor(view: View) {
    this.view = view;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Replaces parts of the view; `undefined` takes one away. */
  set(change: { readonly [K in keyof View]?: View[K] | undefined }): void {
    const before = this.view;
    const { range, filter, finding, flow, theme } = { ...before, ...change };
    this.view = {
      filter: filter ?? '',
      ...(range ? { range } : {}),
      ...(finding === undefined ? {} : { finding }),
      ...(flow === undefined ? {} : { flow }),
      ...(theme ? { theme } : {}),
    };
    for (const listener of this.#listeners) listener(this.view, before);
  }
}

/** `#finding=2&from=1200&to=5600.5&filter=ip%3A10.0.0.2`; anything else in it is ignored. */
export function parseView(hash: string): View {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const number = (name: string): number | undefined => {
    const text = words.get(name);
    const value = text === null || text.trim() === '' ? NaN : Number(text);
    return Number.isFinite(value) ? value : undefined;
  };
  const [from, to, finding, flow, theme] = [
    number('from'),
    number('to'),
    number('finding'),
    words.get('flow'),
    words.get('theme'),
  ];
  return {
    filter: (words.get('filter') ?? '').slice(0, 2000),
    ...(from !== undefined && to !== undefined && from < to ? { range: [from, to] } : {}),
    ...(finding !== undefined && Number.isInteger(finding) && finding > 0 ? { finding: finding - 1 } : {}),
    ...(flow === null ? {} : { flow }),
    ...(theme === 'light' || theme === 'dark' ? { theme } : {}),
  };
}

export function hashOf(view: View): string {
  const words = new URLSearchParams();
  if (view.finding !== undefined) words.set('finding', String(view.finding + 1));
  if (view.flow !== undefined) words.set('flow', view.flow);
  if (view.range) {
    words.set('from', view.range[0].toFixed(3));
    words.set('to', view.range[1].toFixed(3));
  }
  if (view.filter !== '') words.set('filter', view.filter);
  if (view.theme) words.set('theme', view.theme);
  return words.toString();
}
