/** The status bar in words: pure, so that what a person reads is tested without a browser. */
import type { WireStatus } from '../../src/protocols/http/wire.ts';
import { formatBytes } from './price-format.ts';
import { ratePerSecond } from './rates.ts';

/** Where a feed stands. */
export type WireFeed = WireStatus['feeds'][number];

/** Colour of a dot: all well, on its way, broken, or at rest. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle';

/** One feed, ready to show. */
export interface FeedLine {
  name: string;
  state: string;
  tone: Tone;
  /** `412 ticks/s`, empty while unknown. */
  rate: string;
  /** `refused: FOO, BAR`, empty when none was. */
  refused: string;
  /** Label and value of everything else, for the panel. */
  details: [string, string][];
}

const tones: Record<WireFeed['state'], Tone> = {
  connected: 'good',
  connecting: 'busy',
  reconnecting: 'busy',
  failed: 'bad',
  stopped: 'idle',
  finished: 'idle',
};

/** One line per feed; `before` is the status read before this one. */
export function feedLines(before: WireStatus | null, now: WireStatus): FeedLine[] {
  return now.feeds.map((feed) => {
    const earlier = before?.feeds.find(({ name }) => name === feed.name);
    const sample = earlier && before ? { uptimeMs: before.uptimeMs, count: earlier.rowsReceived } : undefined;
    const rate = ratePerSecond(sample, { uptimeMs: now.uptimeMs, count: feed.rowsReceived });
    return {
      name: feed.name,
      state: feed.state,
      tone: feed.failedSymbols.length > 0 && feed.state === 'connected' ? 'busy' : tones[feed.state],
      rate: rate === null ? '' : `${formatCount(rate)} ticks/s`,
      refused: refusedText(feed),
      details: detailsOf(feed),
    };
  });
}

/** How many refused symbols are named before the rest is counted. */
const refusedNamedMax = 3;

function refusedText({ failedSymbols }: WireFeed): string {
  if (failedSymbols.length === 0) return '';
  const names = failedSymbols.slice(0, refusedNamedMax).map(({ symbol }) => symbol);
  const rest = failedSymbols.length - names.length;
  return `refused: ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function detailsOf(feed: WireFeed): [string, string][] {
  const details: [string, string][] = [
    ['Kind', feed.simulated ? `${feed.kind} (simulated)` : feed.kind],
    ['Table', feed.table],
    ['Symbols', feed.symbols.length > 0 ? feed.symbols.join(', ') : 'all the source has'],
    ['Rows received', formatWhole(feed.rowsReceived)],
    ['Rows written', formatWhole(feed.rowsWritten)],
    ['Rows rejected', formatWhole(feed.rowsRejected)],
    ['Reconnects', formatWhole(feed.reconnects)],
  ];
  for (const { symbol, reason } of feed.failedSymbols) details.push([`${symbol} refused`, reason]);
  if (feed.lastError !== null) details.push(['Last error', feed.lastError]);
  return details;
}

/** What the engine takes in: `[short label, value, explanation]`. */
export function ingestFigures({ database }: WireStatus): [string, string, string][] {
  return [
    [
      'rows',
      formatCount(database.rowsWritten),
      `${formatWhole(database.rowsWritten)} rows written since the start`,
    ],
    ['pending', formatBytes(database.pendingBytes), 'Acknowledged and in the log, not yet in the store'],
    [
      'flush',
      flushText(database),
      `${formatWhole(database.flushes)} flushes so far; the last one took this long`,
    ],
    [
      'store',
      formatBytes(database.storeBytes),
      `Store on disk; the write-ahead log has ${formatBytes(database.walBytes)}`,
    ],
  ];
}

function flushText({ flushes, flushMsLast }: WireStatus['database']): string {
  return flushes === 0 ? '–' : `${flushMsLast < 10 ? flushMsLast.toFixed(1) : Math.round(flushMsLast)} ms`;
}

const rounded = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

function formatCount(count: number): string {
  return count < 10_000 ? formatWhole(count) : rounded.format(count);
}

function formatWhole(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}
