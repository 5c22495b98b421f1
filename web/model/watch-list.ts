/**
 * The watch list: one entry per series with its last price and its change.
 *
 * The change counts from `since`: with day bars, the open of the series' latest day; without them, the open of the
 * first bar the page knows. Both come from the bars themselves, so late ticks correct them.
 */
import type { Bar, SeriesBar } from './bar.ts';
import { priceDecimals } from './price-format.ts';

/** Where a change is counted from. */
export type ChangeSince = 'day-open' | 'first-bar';

/** One line of the list. */
export interface WatchEntry {
  series: string;
  /** Values of the series key, in the key's order. */
  keyValues: string[];
  /** Full name, such as a company's, or null. */
  name: string | null;
  /** Last price, or null before the first bar. */
  last: number | null;
  /** The price the change counts from, or null before the first bar. */
  base: number | null;
  /** Decimals that show every price seen so far. */
  decimals: number;
  /** Which way the last price moved when it last changed. */
  move: 'up' | 'down' | null;
  baseTimeMs: number;
  lastTimeMs: number;
}

/** The list, by series, in alphabetical order. */
export interface WatchList {
  since: ChangeSince;
  entries: Map<string, WatchEntry>;
}

/** A series as the server lists it. */
export interface ListedSeries {
  series: string;
  keyValues: string[];
  name: string | null;
}

/** An empty list. */
export function createWatchList(since: ChangeSince): WatchList {
  return { since, entries: new Map() };
}

/** Adds the series that are new, keeps what is known of the others, and restores the order. */
export function listSeries(list: WatchList, listed: readonly ListedSeries[]): void {
  for (const { series, keyValues, name } of listed) {
    const entry = list.entries.get(series);
    if (entry) Object.assign(entry, { keyValues, name });
    else list.entries.set(series, { ...blank, series, keyValues, name });
  }
  const order = new Intl.Collator('en', { numeric: true });
  const sorted = [...list.entries.values()].sort((a, b) => order.compare(a.series, b.series));
  list.entries = new Map(sorted.map((entry) => [entry.series, entry]));
}

const blank = {
  last: null,
  base: null,
  decimals: 2,
  move: null,
  baseTimeMs: Number.NaN,
  lastTimeMs: Number.NEGATIVE_INFINITY,
} as const;

/**
 * Takes bars of any series in. Returns the series whose line changed, and `unknown` ones the server has not listed
 * yet (the caller asks for the list again).
 */
export function applyWatchBars(
  list: WatchList,
  bars: readonly SeriesBar[],
): { changed: Set<string>; unknown: Set<string> } {
  const changed = new Set<string>();
  const unknown = new Set<string>();
  for (const { series, bar } of bars) {
    const entry = list.entries.get(series);
    if (!entry) unknown.add(series);
    else if (applyToEntry(list.since, entry, bar)) changed.add(series);
  }
  return { changed, unknown };
}

function applyToEntry(since: ChangeSince, entry: WatchEntry, bar: Bar): boolean {
  const { last, base } = entry;
  entry.decimals = Math.max(entry.decimals, priceDecimals([bar.open, bar.close]));
  if (bar.timeMs >= entry.lastTimeMs) {
    if (last !== null && bar.close !== last) entry.move = bar.close > last ? 'up' : 'down';
    entry.last = bar.close;
    entry.lastTimeMs = bar.timeMs;
  }
  const isBase = since === 'day-open' ? bar.timeMs >= entry.baseTimeMs : bar.timeMs <= entry.baseTimeMs;
  if (entry.base === null || isBase) {
    entry.base = bar.open;
    entry.baseTimeMs = bar.timeMs;
  }
  return entry.last !== last || entry.base !== base;
}

/** Change since the base as a fraction (0.01 is one per cent), or null while either price is unknown. */
export function changeFraction(entry: Pick<WatchEntry, 'last' | 'base'>): number | null {
  return entry.last === null || !entry.base ? null : entry.last / entry.base - 1;
}

/**
 * Entries whose symbol or name holds every word of `text`, without case. Symbols that begin with the text come first.
 */
export function findEntries(list: WatchList, text: string): WatchEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const entries = [...list.entries.values()];
  if (words.length === 0) return entries;
  const found = entries.filter((entry) => {
    const searched = `${entry.series} ${entry.name ?? ''}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  });
  const rank = (entry: WatchEntry): number => (entry.series.toLowerCase().startsWith(words[0]) ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}
