/** Shows what stands in the chart's place while there is nothing to draw. */
import type { Notice } from '../model/notice.ts';
import { byId, make } from './dom.ts';

/** Fills `#notice`; null hides it. `onToken` takes the access token a person has typed. */
export function showNotice(notice: Notice | null, onToken: (token: string) => void): void {
  const root = byId('notice');
  const key = JSON.stringify(notice);
  // The same words again would make a screen reader say them again, and empty the field being filled.
  if (root.dataset.key === key) return;
  root.dataset.key = key;
  root.hidden = notice === null;
  if (!notice) {
    root.replaceChildren();
    return;
  }
  const commands = notice.commands.map((command) => make('code', 'notice-command', command));
  const form = notice.asksToken ? [tokenForm(onToken)] : [];
  root.replaceChildren(make('h2', '', notice.title), make('p', '', notice.text), ...commands, ...form);
  root.querySelector('input')?.focus();
}

function tokenForm(onToken: (token: string) => void): HTMLFormElement {
  const input = make('input', 'notice-token');
  Object.assign(input, { type: 'password', required: true, autocomplete: 'current-password' });
  input.placeholder = 'Access token';
  input.ariaLabel = 'Access token';
  const form = make('form', 'notice-form', [input, make('button', 'button', 'Sign in')]);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    onToken(input.value.trim());
    input.value = '';
  });
  return form;
}
