/** The page's script: makes the static report interactive. All that it shows comes from the data in the page. */

import type { ReportData } from '../src/render/html/data.js';
import { copy } from './copy.js';
import { announce, button, numberOf, part, parts } from './dom.js';
import { FilterBar } from './filter-bar.js';
import { FlowTable } from './flow-table.js';
import { listenToKeys, showHelp, type Key } from './keys.js';
import { Selector } from './selection.js';
import { hashOf, parseView, Store, type View } from './store.js';
import { Timeline } from './timeline.js';

const data = readData();
if (data) start(data);

function start(data: ReportData): void {
  const store = new Store(parseView(location.hash));
  const selector = new Selector(data);
  const cards = parts('[data-finding]');

  const timelineHost = part('data-timeline');
  const table = part('data-flows');
  const barHost = part('data-filter-bar');
  document.documentElement.classList.add('live');
  if (timelineHost) timelineHost.hidden = false;
  const timeline = timelineHost ? new Timeline(timelineHost, data, store) : undefined;
  const flows = table ? new FlowTable(table, data, store) : undefined;
  const bar = barHost && data.flows.length > 0 ? new FilterBar(barHost, data, store) : undefined;

  const keys = keysOf(data, { store, timeline, bar, cards });
  addButtons(data, store, keys);
  listenToKeys(keys);
  followLinks(store, cards);

  const apply = (view: View, before?: View): void => {
    const selection = selector.select(view);
    bar?.show(view, selection);
    if (view.filter !== before?.filter || view.range !== before.range) {
      // Lanes stay while the time is zoomed, even those that have nothing to show there.
      if (view.filter === before?.filter) timeline?.follow();
      else timeline?.show(selector.select({ filter: view.filter }).flows);
      flows?.show(selection.flows);
      hideRows(view);
      cards.forEach((card, i) => (card.hidden = !selection.findings.has(i)));
    } else if (view.flow !== before.flow) {
      flows?.draw();
    }
    cards.forEach((card, i) => card.classList.toggle('is-current', i === view.finding));
    if (view.theme) document.documentElement.dataset['theme'] = view.theme;
  };
  store.listen((view, before) => {
    apply(view, before);
    rememberLater(store);
  });
  window.addEventListener('hashchange', () => {
    if (location.hash.includes('='))
      store.set({ range: undefined, finding: undefined, flow: undefined, ...parseView(location.hash) });
  });
  apply(store.view);
  keepTabStops();
  window.addEventListener('resize', keepTabStops);
  const { finding } = store.view;
  if (finding !== undefined) cards[finding]?.scrollIntoView();
}

interface Parts {
  readonly store: Store;
  readonly timeline: Timeline | undefined;
  readonly bar: FilterBar | undefined;
  readonly cards: readonly HTMLElement[];
}

function keysOf(data: ReportData, { store, timeline, bar, cards }: Parts): readonly Key[] {
  const go = (step: 1 | -1): boolean => {
    const open = cards.flatMap((card, i) => (card.hidden ? [] : [i]));
    const at = open.indexOf(store.view.finding ?? -1);
    const next = open[at < 0 ? (step > 0 ? 0 : open.length - 1) : Math.max(0, Math.min(open.length - 1, at + step))];
    if (next === undefined) return false;
    store.set({ finding: next });
    cards[next]?.scrollIntoView();
    cards[next]?.focus({ preventScroll: true });
    return true;
  };
  const expand = (): boolean => {
    const evidence = cards[store.view.finding ?? -1]?.querySelector('[data-evidence]');
    if (!(evidence instanceof HTMLDetailsElement)) return false;
    evidence.open = !evidence.open;
    if (evidence.open) evidence.scrollIntoView({ block: 'nearest' });
    return true;
  };
  const done = (act: () => void) => (): boolean => {
    act();
    return true;
  };
  const keys: Key[] = [
    { keys: ['j'], name: 'j', what: 'next finding', act: () => go(1) },
    { keys: ['k'], name: 'k', what: 'previous finding', act: () => go(-1) },
    { keys: ['Enter'], name: 'Enter', what: 'show or hide the frames of the finding', act: expand },
    { keys: ['/'], name: '/', what: 'filter', act: done(() => bar?.focus()) },
    { keys: ['+', '='], name: '+', what: 'zoom in', act: done(() => timeline?.zoomBy(0.5)) },
    { keys: ['-', '−'], name: '−', what: 'zoom out', act: done(() => timeline?.zoomBy(2)) },
    { keys: ['0'], name: '0', what: 'all of the time', act: done(() => store.set({ range: undefined })) },
    { keys: ['ArrowLeft'], name: '←', what: 'earlier', act: done(() => timeline?.panBy(-0.25)) },
    { keys: ['ArrowRight'], name: '→', what: 'later', act: done(() => timeline?.panBy(0.25)) },
    {
      keys: ['c'],
      name: 'c',
      what: 'copy the Wireshark filter of the current finding',
      act: done(() => copyFilter(data, store)),
    },
    {
      keys: ['m'],
      name: 'm',
      what: 'copy the summary as Markdown',
      act: done(() => void copy(data.copy['markdown'] ?? '', 'Markdown')),
    },
    { keys: ['d'], name: 'd', what: 'dark or light', act: done(() => turnTheme(store)) },
    { keys: ['?'], name: '?', what: 'this list', act: done(() => showHelp(keys)) },
    {
      keys: ['Escape'],
      name: 'Escape',
      what: 'let go of what is pinned, of the filter, of the finding',
      act: done(() => letGo(store, timeline)),
    },
  ];
  return keys;
}

function letGo(store: Store, timeline: Timeline | undefined): void {
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  if (timeline?.unpin()) return;
  store.set({ filter: '', finding: undefined });
}

function copyFilter(data: ReportData, store: Store): void {
  const current = data.findings[store.view.finding ?? 0]?.filter;
  const text = current !== undefined && current !== '' ? current : data.copy['filter'];
  if (text === undefined) announce('There is no frame to filter for');
  else void copy(text, 'Wireshark filter');
}

function turnTheme(store: Store): void {
  const isDark =
    store.view.theme === 'dark' || (!store.view.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  store.set({ theme: isDark ? 'light' : 'dark' });
}

function addButtons(data: ReportData, store: Store, keys: readonly Key[]): void {
  const actions = part('data-actions');
  const names = { markdown: 'Markdown', filter: 'Wireshark filter', tshark: 'tshark command' };
  for (const [id, name] of Object.entries(names)) {
    const text = data.copy[id];
    if (text !== undefined) actions?.append(button(`Copy ${name}`, text.slice(0, 300), () => void copy(text, name)));
  }
  if (actions) actions.hidden = false;
  const tools = part('data-tools');
  tools?.append(
    button('Dark / light', 'Dark or light (d)', () => turnTheme(store)),
    button('?', 'Keys and filter (?)', () => showHelp(keys)),
  );
  if (tools) tools.hidden = false;
}

/** Links within the page keep the view in the address. */
function followLinks(store: Store, cards: readonly HTMLElement[]): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="#"]') : null;
    const target = link && document.getElementById(link.getAttribute('href')?.slice(1) ?? '');
    if (!target) return;
    event.preventDefault();
    const finding = cards.indexOf(target);
    if (finding >= 0) store.set({ finding });
    target.scrollIntoView();
    if (target.tabIndex < 0) target.setAttribute('tabindex', '-1');
    target.focus({ preventScroll: true });
  });
}

/** Rows of the other tables that lie outside of the chosen time. */
function hideRows({ range }: View): void {
  for (const row of parts('tr[data-from]')) {
    const from = numberOf(row, 'from') ?? 0;
    const to = numberOf(row, 'to') ?? from;
    row.hidden = range !== undefined && (to < range[0] || from > range[1]);
  }
}

/** What need not be scrolled is no stop for the Tab key. */
function keepTabStops(): void {
  const wide = parts('.scroll, .path').map((element) => ({
    element,
    isWide: element.scrollWidth > element.clientWidth,
  }));
  for (const { element, isWide } of wide) {
    if (isWide) element.tabIndex = 0;
    else element.removeAttribute('tabindex');
  }
}

let timer = 0;

/** Writes the view into the address, when it has come to rest. */
function rememberLater(store: Store): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => {
    const hash = hashOf(store.view);
    history.replaceState(null, '', hash === '' ? location.pathname + location.search : `#${hash}`);
  }, 200);
}

function readData(): ReportData | undefined {
  const value: unknown = JSON.parse(document.getElementById('data')?.textContent ?? 'null');
  return isReportData(value) ? value : undefined;
}

/** The data was written with this script; this only keeps the page readable if somebody took it out. */
function isReportData(value: unknown): value is ReportData {
  return typeof value === 'object' && value !== null && 'flows' in value && 'origin' in value;
}
