/** Shows what stands in the chart's place while there is nothing to draw. */
import type { Notice } from '../model/notice.ts';
import { byId, make } from './dom.ts';

/** What a person may sign in with. */
export interface SignIn {
  onPassword(user: string, password: string): void;
  onToken(token: string): void;
}

/** Fills `#notice`; null hides it. */
export function showNotice(notice: Notice | null, signIn: SignIn): void {
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
  const forms = notice.asksToken ? [passwordForm(signIn), make('p', '', 'or'), tokenForm(signIn)] : [];
  root.replaceChildren(make('h2', '', notice.title), make('p', '', notice.text), ...commands, ...forms);
  root.querySelector('input')?.focus();
}

function passwordForm({ onPassword }: SignIn): HTMLFormElement {
  const user = field('User name', { autocomplete: 'username' });
  const password = field('Password', { type: 'password', autocomplete: 'current-password' });
  return form([user, password], 'Sign in', () => onPassword(user.value.trim(), password.value));
}

function tokenForm({ onToken }: SignIn): HTMLFormElement {
  const token = field('Access token', { type: 'password', autocomplete: 'off' });
  return form([token], 'Use token', () => onToken(token.value.trim()));
}

function field(label: string, more: { type?: string; autocomplete: AutoFill }): HTMLInputElement {
  const input = make('input', 'notice-field');
  return Object.assign(input, { required: true, placeholder: label, ariaLabel: label, ...more });
}

function form(fields: HTMLInputElement[], button: string, onSubmit: () => void): HTMLFormElement {
  const made = make('form', 'notice-form', [...fields, make('button', 'button', button)]);
  made.addEventListener('submit', (event) => {
    event.preventDefault();
    onSubmit();
    for (const input of fields) if (input.type === 'password') input.value = '';
  });
  return made;
}
