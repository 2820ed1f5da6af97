/** Copying to the clipboard, or showing the text where the browser does not allow it. */

import { announce, part } from './dom.js';

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied`);
  } catch {
    show(text, what);
  }
}

function show(text: string, what: string): void {
  const dialog = document.createElement('dialog');
  const title = document.createElement('h2');
  title.textContent = `${what}: select and copy`;
  const block = document.createElement('pre');
  block.className = 'commands';
  block.tabIndex = 0;
  block.textContent = text;
  dialog.append(title, block);
  dialog.addEventListener('close', () => dialog.remove());
  part('data-overlay')?.append(dialog);
  dialog.showModal();
  window.getSelection()?.selectAllChildren(block);
}
