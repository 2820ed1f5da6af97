/** Small helpers around the document. */

import type { Markup } from '../src/render/html/markup.js';

/** The first element with an attribute, such as `data-tools`. */
export function part(name: string, root: ParentNode = document): HTMLElement | undefined {
  const found = root.querySelector(`[${name}]`);
  return found instanceof HTMLElement ? found : undefined;
}

export function parts(selector: string, root: ParentNode = document): HTMLElement[] {
  return [...root.querySelectorAll(selector)].filter((element) => element instanceof HTMLElement);
}

/** Puts escaped markup into an element in place of what it holds. */
export function fill(element: Element, content: Markup): void {
  element.innerHTML = content.text;
}

export function button(label: string, title: string, act: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = label;
  element.title = title;
  element.addEventListener('click', act);
  return element;
}

/** A number of an attribute; undefined when there is none. */
export function numberOf(element: HTMLElement, name: string): number | undefined {
  const text = element.dataset[name];
  const value = text === undefined ? NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** Tells what happened, for eyes and screen readers, for a moment. */
export function announce(text: string): void {
  const toast = document.createElement('p');
  toast.className = 'toast';
  toast.setAttribute('role', 'status');
  part('data-overlay')?.append(toast);
  toast.textContent = text;
  setTimeout(() => {
    toast.remove();
  }, 2500);
}

/** An empty drawing. */
export function svg(label: string): SVGSVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  element.setAttribute('aria-label', label);
  element.setAttribute('role', 'img');
  return element;
}
