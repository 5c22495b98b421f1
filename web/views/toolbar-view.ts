/** The header's choices: table and timeframe. */
import { byId, make } from './dom.ts';

/** Whom the header tells. */
export interface ToolbarHooks {
  onTable(table: string): void;
  onTimeframe(timeframe: string): void;
}

/** What it offers and what is chosen. */
export interface ToolbarContent {
  tables: readonly string[];
  table: string | null;
  timeframes: readonly string[];
  timeframe: string | null;
}

/** Fills `#table` and `#timeframes`; the result updates them. */
export function createToolbarView(hooks: ToolbarHooks): (content: ToolbarContent) => void {
  const select = byId<HTMLSelectElement>('table');
  const group = byId('timeframes');
  let drawn = '';
  select.addEventListener('change', () => hooks.onTable(select.value));
  group.addEventListener('click', (event) => {
    const button = (event.target as Element).closest<HTMLElement>('button');
    if (button) hooks.onTimeframe(button.textContent ?? '');
  });
  return ({ tables, table, timeframes, timeframe }) => {
    const key = JSON.stringify([tables, timeframes]);
    if (key !== drawn) {
      drawn = key;
      select.replaceChildren(...tables.map((name) => new Option(name)));
      group.replaceChildren(...timeframes.map((name) => make('button', 'timeframe', name)));
    }
    select.disabled = tables.length === 0;
    select.value = table ?? '';
    for (const button of group.querySelectorAll('button')) {
      const isPressed = button.textContent === timeframe;
      if (isPressed && button.ariaPressed !== 'true')
        button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      button.ariaPressed = String(isPressed);
    }
  };
}
