/** Dark and light: the system's choice until the user makes one, which is kept in this browser. */
import { readPreference, writePreference } from '../preferences.ts';
import { byId } from './dom.ts';

type Theme = 'dark' | 'light';

/** Wires `#theme`; `onChange` runs whenever the page has changed its colours. */
export function startTheme(onChange: () => void): void {
  const button = byId('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  const systemTheme = (): Theme => (system.matches ? 'dark' : 'light');
  const chosen = (): Theme | null => {
    const value = readPreference('theme');
    return value === 'dark' || value === 'light' ? value : null;
  };
  const apply = (): void => {
    const theme = chosen() ?? systemTheme();
    document.documentElement.dataset.theme = theme;
    const other = theme === 'dark' ? 'light' : 'dark';
    button.ariaLabel = `Switch to the ${other} theme`;
    button.title = button.ariaLabel;
    onChange();
  };
  button.addEventListener('click', () => {
    const other = (chosen() ?? systemTheme()) === 'dark' ? 'light' : 'dark';
    // Back at what the system says, the page follows the system again.
    writePreference('theme', other === systemTheme() ? null : other);
    apply();
  });
  system.addEventListener('change', apply);
  apply();
}
