/** Keys of the page, and the dialog that lists them. */

import { markup } from '../src/render/html/markup.js';
import { button, fill, part } from './dom.js';

export interface Key {
  readonly keys: readonly string[];
  /** How it is written in the list. */
  readonly name: string;
  readonly what: string;
  /** Tells whether it did anything: if not, the browser goes on. */
  readonly act: () => boolean;
}

/** Keys without modifiers; none while something is typed. */
export function listenToKeys(keys: readonly Key[]): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const isTyping = event.target instanceof HTMLInputElement;
    if (isTyping && event.key !== 'Escape') return;
    if (document.querySelector('dialog[open]')) return;
    const key = keys.find((candidate) => candidate.keys.includes(event.key));
    if (!key) return;
    // Enter and arrows mean something to links, buttons and whatever scrolls.
    const isTaken =
      event.target instanceof Element && event.target.closest('a, button, summary, [role=button]') !== null;
    if (isTaken && event.key === 'Enter') return;
    if (event.key.startsWith('Arrow') && event.target instanceof Element && event.target.closest('.scroll, .path'))
      return;
    if (key.act()) event.preventDefault();
  });
}

export function showHelp(keys: readonly Key[]): void {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'help-title');
  const rows = keys.map(({ name, what }) => markup`<tr><th scope="row"><kbd>${name}</kbd></th><td>${what}</td></tr>`);
  fill(
    dialog,
    markup`<h2 id="help-title">Keys and filter</h2><table><caption class="visually-hidden">Keys</caption><tbody>${rows}</tbody></table><p>The filter takes words: <code>ip:</code> an address or prefix, <code>mac:</code> a MAC or its beginning, <code>dev:</code> a device, <code>is:</code> misdelivered, offloaded, proven, wrong-port …, <code>cause:</code> a cause, <code>flow:</code> a flow, or any text. All must fit; <code>!</code> turns one around; commas mean “or”.</p>`,
  );
  const close = button('Close', 'Close (Escape)', () => dialog.close());
  dialog.append(close);
  dialog.addEventListener('close', () => dialog.remove());
  part('data-overlay')?.append(dialog);
  dialog.showModal();
}
