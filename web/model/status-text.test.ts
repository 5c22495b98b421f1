import { expect, it } from 'vitest';
import type { WireStatus } from '../../src/protocols/http/wire.ts';
import { feedLines, ingestFigures, type WireFeed } from './status-text.ts';

const feed: WireFeed = {
  name: 'twelvedata',
  kind: 'twelvedata',
  simulated: false,
  state: 'connected',
  table: 'stocks_real_time',
  symbols: ['AAPL', 'MSFT'],
  failedSymbols: [],
  rowsReceived: 1000,
  rowsWritten: 1000,
  rowsRejected: 0,
  reconnects: 0,
  lastEventMs: null,
  lastError: null,
};

function statusOf(uptimeMs: number, ...feeds: Partial<WireFeed>[]): WireStatus {
  return {
    version: '1.0.0',
    uptimeMs,
    simulated: false,
    feeds: feeds.map((changes) => ({ ...feed, ...changes })),
    database: {
      lsn: 9,
      flushedLsn: 9,
      rowsWritten: 1_234_567,
      rowsRejected: 0,
      rowsDuplicate: 0,
      rowsCorrected: 0,
      rowsDeleted: 0,
      rowsDropped: 0,
      chunksDropped: 0,
      rowsTiered: 0,
      backfills: [],
      ticksOutsideSessions: 0,
      batchesWritten: 10,
      pendingBytes: 45_600,
      hotBytes: 0,
      walBytes: 0,
      storeBytes: 7_000_000,
      flushes: 3,
      flushMsLast: 7.36,
      subscriptions: 1,
      writesStopped: null,
      tables: 2,
      seriesCount: 2,
    },
  };
}

it('derives a rate from two statuses', () => {
  const [line] = feedLines(statusOf(1000, {}), statusOf(3000, { rowsReceived: 1824 }));
  expect(line).toMatchObject({ name: 'twelvedata', state: 'connected', tone: 'good', rate: '412 ticks/s' });
});

it('knows no rate from one status, nor for a feed that is new', () => {
  expect(feedLines(null, statusOf(1000, {}))[0].rate).toBe('');
  expect(feedLines(statusOf(1000), statusOf(3000, {}))[0].rate).toBe('');
});

it('names refused symbols, the first three of many, and gives every reason in the details', () => {
  const failedSymbols = ['A', 'B', 'C', 'D', 'E'].map((symbol) => ({ symbol, reason: `no ${symbol}` }));
  const [line] = feedLines(null, statusOf(0, { failedSymbols }));
  expect(line).toMatchObject({ refused: 'refused: A, B, C and 2 more', tone: 'busy' });
  expect(line.details).toContainEqual(['E refused', 'no E']);
});

it('colours by state and shows the last error', () => {
  const states = ['connecting', 'reconnecting', 'failed', 'stopped', 'finished'] as const;
  const feeds = states.map((state) => ({ name: state, state, lastError: 'socket closed' }));
  const lines = feedLines(null, statusOf(0, ...feeds));
  expect(lines.map(({ tone }) => tone)).toEqual(['busy', 'busy', 'bad', 'idle', 'idle']);
  expect(lines[0].details).toContainEqual(['Last error', 'socket closed']);
});

it('shows what the engine takes in', () => {
  const figures = ingestFigures(statusOf(0)).map(([label, value]) => `${label} ${value}`);
  expect(figures).toEqual(['rows 1.23M', 'pending 45.6 kB', 'flush 7.4 ms', 'store 7.0 MB']);
});
