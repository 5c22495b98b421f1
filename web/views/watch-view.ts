/**
 * The watch list: a listbox of symbols with last price and change. One row is reachable by Tab, the arrow keys move
 * from row to row, Enter or a click opens.
 */
import { formatPercent, formatPrice } from '../model/price-format.ts';
import { changeFraction, findEntries, type WatchEntry, type WatchList } from '../model/watch-list.ts';
import { byId, make, setDirection, setText } from './dom.ts';

/** Rows drawn at most; the filter reaches the others. */
const rowsMax = 400;
const flashMs = 700;

interface Row {
  element: HTMLElement;
  last: HTMLElement;
  change: HTMLElement;
}

/** The list in `#watch-rows`, with its filter in `#watch-filter`. */
export class WatchView {
  readonly #rows = new Map<string, Row>();
  readonly #root = byId('watch-rows');
  readonly #filter = byId<HTMLInputElement>('watch-filter');
  readonly #more = byId('watch-more');
  readonly #onOpen: (series: string) => void;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #list: WatchList | null = null;
  #selected: string | null = null;

  constructor(onOpen: (series: string) => void) {
    this.#onOpen = onOpen;
    this.#filter.addEventListener('input', () => this.#draw());
    this.#filter.addEventListener('keydown', (event) => this.#onFilterKey(event));
    this.#root.addEventListener('keydown', (event) => this.#onKey(event));
    this.#root.addEventListener('click', (event) => {
      const row = (event.target as Element).closest<HTMLElement>('[role=option]');
      if (row) this.#open(row);
    });
  }

  /** Shows a list, or the same list after symbols came or went. */
  show(list: WatchList): void {
    if (this.#list !== list) this.#filter.value = '';
    this.#list = list;
    const since = list.since === 'day-open' ? 'the day’s open (UTC)' : 'the first known bar';
    setText(byId('watch-since'), `Change since ${since}`);
    this.#draw();
  }

  /** Marks the row of the series on the chart. */
  select(series: string | null): void {
    this.#selected = series;
    for (const [name, row] of this.#rows) row.element.setAttribute('aria-selected', String(name === series));
    this.#setTabStop(this.#rows.get(series ?? '')?.element ?? this.#elements().at(0));
  }

  /** Writes the new figures of some rows; a price that moved flashes. */
  update(changed: ReadonlySet<string>): void {
    for (const series of changed) {
      const row = this.#rows.get(series);
      const entry = this.#list?.entries.get(series);
      if (row && entry && this.#write(row, entry)) this.#flash(row, entry);
    }
  }

  #draw(): void {
    if (!this.#list) return;
    const found = findEntries(this.#list, this.#filter.value);
    const shown = found.slice(0, rowsMax);
    this.#rows.clear();
    for (const entry of shown) this.#rows.set(entry.series, this.#makeRow(entry));
    this.#root.replaceChildren(...[...this.#rows.values()].map((row) => row.element));
    const rest = found.length - shown.length;
    this.#more.hidden = rest === 0 && found.length > 0;
    const isEmpty = this.#list.entries.size === 0;
    if (found.length === 0) setText(this.#more, isEmpty ? 'No symbols yet' : 'No symbol matches');
    else setText(this.#more, `${rest} more: narrow the filter`);
    this.select(this.#selected);
  }

  #makeRow(entry: WatchEntry): Row {
    const last = make('span', 'watch-last');
    const change = make('span', 'watch-change');
    const name = make('span', 'watch-name', entry.name ?? '');
    const label = make('span', 'watch-label', [make('span', 'watch-symbol', entry.series), name]);
    const element = make('div', 'watch-row', [label, last, change]);
    element.setAttribute('role', 'option');
    element.dataset.series = entry.series;
    element.tabIndex = -1;
    const row = { element, last, change };
    this.#write(row, entry);
    return row;
  }

  /** True if the price shown was there before and is another one now. */
  #write(row: Row, entry: WatchEntry): boolean {
    const before = row.last.textContent;
    const text = entry.last === null ? '–' : formatPrice(entry.last, entry.decimals);
    setText(row.last, text);
    const fraction = changeFraction(entry);
    setText(row.change, formatPercent(fraction));
    setDirection(row.change, fraction);
    return before !== '' && before !== '–' && before !== text;
  }

  #flash(row: Row, entry: WatchEntry): void {
    if (!entry.move || this.#calm.matches) return;
    const color = `var(--flash-${entry.move})`;
    row.last.animate([{ backgroundColor: color }, { backgroundColor: 'transparent' }], {
      duration: flashMs,
      easing: 'ease-out',
    });
  }

  #elements(): HTMLElement[] {
    return [...this.#rows.values()].map((row) => row.element);
  }

  #setTabStop(element: HTMLElement | undefined): void {
    for (const other of this.#elements()) other.tabIndex = other === element ? 0 : -1;
  }

  #open(row: HTMLElement): void {
    if (row.dataset.series !== undefined) this.#onOpen(row.dataset.series);
  }

  #onFilterKey(event: KeyboardEvent): void {
    const first = this.#elements().at(0);
    if (event.key === 'ArrowDown' && first) this.#focus(first);
    else if (event.key === 'Enter' && first) this.#open(first);
    else if (event.key === 'Escape' && this.#filter.value !== '') {
      this.#filter.value = '';
      this.#draw();
    } else return;
    event.preventDefault();
  }

  #onKey(event: KeyboardEvent): void {
    const rows = this.#elements();
    const at = rows.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const page = 10;
    const targets: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    if (event.key === 'Enter' || event.key === ' ') this.#open(rows[at]);
    else if (event.key === 'ArrowUp' && at === 0) this.#filter.focus();
    else if (event.key in targets) {
      this.#focus(rows[Math.min(rows.length - 1, Math.max(0, targets[event.key]))]);
    } else return;
    event.preventDefault();
  }

  #focus(row: HTMLElement): void {
    this.#setTabStop(row);
    row.focus();
    row.scrollIntoView({ block: 'nearest' });
  }
}
