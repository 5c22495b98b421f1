/** Shows what stands in the chart's place while there is nothing to draw. */
import type { Notice } from '../model/notice.ts';
import { byId, make } from './dom.ts';

/** Fills `#notice`; null hides it. */
export function showNotice(notice: Notice | null): void {
  const root = byId('notice');
  const key = JSON.stringify(notice);
  // The same words again would make a screen reader say them again.
  if (root.dataset.key === key) return;
  root.dataset.key = key;
  root.hidden = notice === null;
  if (!notice) {
    root.replaceChildren();
    return;
  }
  const commands = notice.commands.map((command) => make('code', 'notice-command', command));
  root.replaceChildren(make('h2', '', notice.title), make('p', '', notice.text), ...commands);
}
