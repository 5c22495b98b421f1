/** The little DOM help the views share. */

/** The element of index.html with that id. Throws if the page lacks it. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`BUG: index.html has no #${id}`);
  return element as T;
}

/** A new element with a class, and text or children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  content: string | readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (typeof content === 'string') element.textContent = content;
  else element.append(...content);
  return element;
}

/** Sets text only where it differs, so that an unchanged figure costs no layout. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Marks which way a figure points, for its colour: `up`, `down`, or neither. */
export function setDirection(element: HTMLElement, value: number | null): void {
  const direction = value === null || value === 0 ? '' : value > 0 ? 'up' : 'down';
  if (direction === '') delete element.dataset.direction;
  else element.dataset.direction = direction;
}
