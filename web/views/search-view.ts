/** The symbol box: shows the open symbol, and finds another one as one types. A combobox with a listbox below it. */
import { findEntries, type WatchEntry, type WatchList } from '../model/watch-list.ts';
import { byId, make, setText } from './dom.ts';

const optionsMax = 50;

/** The box in `#search` with its list in `#search-options`. */
export class SearchView {
  readonly #input = byId<HTMLInputElement>('search');
  readonly #options = byId('search-options');
  readonly #onOpen: (series: string) => void;
  #list: WatchList | null = null;
  #series = '';
  #active = 0;

  constructor(onOpen: (series: string) => void) {
    this.#onOpen = onOpen;
    this.#input.addEventListener('focus', () => {
      this.#input.select();
      this.#open('');
    });
    this.#input.addEventListener('input', () => this.#open(this.#input.value));
    this.#input.addEventListener('keydown', (event) => this.#onKey(event));
    this.#input.addEventListener('blur', () => this.#close());
    // A press must not take the focus away before the click arrives.
    this.#options.addEventListener('pointerdown', (event) => event.preventDefault());
    this.#options.addEventListener('click', (event) => {
      const option = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (option) this.#choose(option);
    });
  }

  /** Puts the cursor into the box. */
  focus(): void {
    this.#input.focus();
  }

  /** What is open, and what can be found. */
  show(list: WatchList, series: string | null): void {
    this.#list = list;
    this.#series = series ?? '';
    if (document.activeElement !== this.#input) this.#input.value = this.#series;
  }

  #open(text: string): void {
    if (!this.#list) return;
    const found = findEntries(this.#list, text).slice(0, optionsMax);
    const options = found.map((entry, index) => makeOption(entry, index));
    const none = make('div', 'search-none', text ? `No symbol matches “${text}”` : 'No symbols yet');
    this.#options.replaceChildren(...(options.length > 0 ? options : [none]));
    this.#options.hidden = false;
    this.#input.setAttribute('aria-expanded', 'true');
    const open = found.findIndex((entry) => entry.series === this.#series);
    this.#activate(text === '' ? Math.max(0, open) : 0);
  }

  #close(): void {
    this.#options.hidden = true;
    this.#input.setAttribute('aria-expanded', 'false');
    this.#input.removeAttribute('aria-activedescendant');
    this.#input.value = this.#series;
  }

  #activate(index: number): void {
    const options = [...this.#options.querySelectorAll<HTMLElement>('[role=option]')];
    this.#active = Math.min(options.length - 1, Math.max(0, index));
    for (const [i, option] of options.entries())
      option.setAttribute('aria-selected', String(i === this.#active));
    const active = options.at(this.#active);
    if (!active) return;
    this.#input.setAttribute('aria-activedescendant', active.id);
    active.scrollIntoView({ block: 'nearest' });
  }

  #choose(option: HTMLElement): void {
    this.#series = option.dataset.series ?? this.#series;
    this.#input.blur();
    this.#onOpen(this.#series);
  }

  #onKey(event: KeyboardEvent): void {
    const options = this.#options.querySelectorAll<HTMLElement>('[role=option]');
    if (event.key === 'ArrowDown') this.#activate(this.#active + 1);
    else if (event.key === 'ArrowUp') this.#activate(this.#active - 1);
    else if (event.key === 'Escape') this.#input.blur();
    else if (event.key === 'Enter' && options[this.#active]) this.#choose(options[this.#active]);
    else return;
    event.preventDefault();
  }
}

function makeOption(entry: WatchEntry, index: number): HTMLElement {
  const name = make('span', 'watch-name');
  setText(name, entry.name ?? '');
  const option = make('div', 'search-option', [make('span', 'watch-symbol', entry.series), name]);
  option.setAttribute('role', 'option');
  option.id = `search-option-${index}`;
  option.dataset.series = entry.series;
  return option;
}
