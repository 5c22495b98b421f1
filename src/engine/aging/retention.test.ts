import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { type ColumnSet, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';
import { firstKeptNs } from './retention.ts';

const dayMs = 86_400_000;
const dayNs = 86_400_000_000_000n;
/** 2024-03-01T12:00:00Z, in the middle of a day. */
const noonMs = Date.UTC(2024, 2, 1, 12);
/** Midnight so many days before that day. */
const dayStart = (daysBefore: number): bigint =>
  BigInt(noonMs - dayMs / 2) * 1_000_000n - BigInt(daysBefore) * dayNs;

let directory: string;
let database: Database;
let nowMs: number;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };

async function openIt(): Promise<void> {
  database = await open({ directory, clock, flushIntervalMs: 3_600_000 });
}

beforeEach(async () => {
  nowMs = noonMs;
  directory = await mkdtemp(join(tmpdir(), 'candela-retention-'));
  await openIt();
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function createTrades(retention?: string): Promise<void> {
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
    ...(retention ? { retention } : {}),
  });
}

async function write(rows: [timeNs: bigint, symbol: string, price: number][]): Promise<void> {
  const columns = {
    time: columnOf('timestamp', rows.map(([timeNs]) => timeNs)),
    symbol: columnOf('text', rows.map(([, symbol]) => symbol)),
    price: columnOf('double', rows.map(([, , price]) => price)),
  }; // biome-ignore format: a column a line
  await database.write('trades', { rowCount: rows.length, columns });
}

function rowsOf(set: ColumnSet): Scalar[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

const pricesOf = async (table = 'trades', column = 'price'): Promise<Scalar[]> =>
  rowsOf(await database.read({ table, columns: [column] })).map(([value]) => value);

const dailyBars = { name: 'daily', source: 'trades', timeframe: '1d' };
const aggregates = [
  { name: 'open', fn: 'first', of: 'price' },
  { name: 'trades', fn: 'count' },
] as const;

/** One tick a day for ten days, the price being how many days ago, and one of a series that has been quiet since. */
async function writeTenDays(): Promise<void> {
  await write([[dayStart(9) + 5n * 1_000_000n, 'QUIET', -9]]);
  await write(
    Array.from({ length: 10 }, (_, i) => [dayStart(9 - i) + 3_600_000_000_000n, 'A', 9 - i] as const).map(
      (row) => [...row],
    ),
  );
}

describe('retention of ticks', () => {
  it('drops whole days once, from memory and store, and says how many', async () => {
    await createTrades('3d');
    await writeTenDays();
    // The day three days ago at noon is still needed from its noon on, so it stays whole.
    const none = { rowsMoved: 0, chunksMoved: 0 };
    const dropped = [
      { table: 'trades', droppedBeforeNs: dayStart(3), rowsDropped: 7, chunksDropped: 6, ...none },
    ];
    await database.flush();
    expect(await database.applyRetention()).toEqual(dropped);
    expect(await pricesOf()).toEqual([3, 2, 1, 0]);
    expect(rowsOf(await database.sql('SELECT price FROM trades ORDER BY time'))).toEqual([
      [3],
      [2],
      [1],
      [0],
    ]);
    expect(rowsOf(database.latest('trades')).map(([, symbol]) => symbol)).toEqual(['A']);
    expect(await database.applyRetention()).toEqual([]);
    expect(database.status()).toMatchObject({ rowsDropped: 7, chunksDropped: 6 });
    nowMs += dayMs;
    expect(await database.applyRetention()).toMatchObject([{ rowsDropped: 1, chunksDropped: 1 }]);
    await database.close();
    await openIt();
    expect(await pricesOf()).toEqual([2, 1, 0]);
    expect(rowsOf(database.latest('trades')).map(([, symbol]) => symbol)).toEqual(['A']);
  });

  it('hides rows that only memory holds, and drops them when they are stored', async () => {
    await createTrades('3d');
    await writeTenDays();
    expect(await database.applyRetention()).toEqual([]);
    expect(await pricesOf()).toEqual([3, 2, 1, 0]);
    await database.flush();
    expect(await database.applyRetention()).toMatchObject([{ rowsDropped: 7 }]);
  });

  it('changes no bar: late ticks of dropped days still merge, but do not stay', async () => {
    await createTrades('3d');
    await database.createRollup({ ...dailyBars, aggregates: [...aggregates] });
    await writeTenDays();
    await database.flush();
    await database.applyRetention();
    await write([[dayStart(8) + 1n * 1_000_000n, 'A', 88]]);
    expect(await pricesOf()).toEqual([3, 2, 1, 0]);
    await database.flush();
    expect(await database.applyRetention()).toMatchObject([{ rowsDropped: 1, droppedBeforeNs: dayStart(3) }]);
    const opens = rowsOf(await database.read({ table: 'daily', series: { symbol: 'A' } }));
    const first = opens.slice(0, 3).map(([, , open, trades]) => `${open} of ${trades}`);
    expect(first).toEqual(['9 of 1', '88 of 2', '7 of 1']);
  });

  it('fills a new rollup from the horizon on', async () => {
    await createTrades('3d');
    await writeTenDays();
    await database.flush();
    await database.applyRetention();
    await write([[dayStart(8), 'A', 88]]);
    await database.createRollup({ ...dailyBars, aggregates: [...aggregates] });
    expect(await pricesOf('daily', 'open')).toEqual([3, 2, 1, 0]);
  });
});

describe('retention of a rollup', () => {
  it('is its own: bars that ended before go, ticks stay', async () => {
    await createTrades();
    await database.createRollup({ ...dailyBars, retention: '2d', aggregates: [...aggregates] });
    const weekly = { ...dailyBars, name: 'weekly', timeframe: '1w', retention: '2d' };
    await database.createRollup({ ...weekly, aggregates: [...aggregates] });
    await writeTenDays();
    await database.flush();
    expect(await database.applyRetention()).toMatchObject([
      { table: 'daily', droppedBeforeNs: dayStart(2), rowsDropped: 7 },
      // 2024-02-28 lies in the week that begins on Monday, 2024-02-26.
      { table: 'weekly', droppedBeforeNs: dayStart(4), rowsDropped: 1 },
    ]);
    // The last bar of the quiet series is open still, and too old to be shown.
    expect(await pricesOf('daily', 'open')).toEqual([2, 1, 0]);
    expect(rowsOf(database.latest('daily')).map(([, symbol]) => symbol)).toEqual(['A']);
    expect(await pricesOf('weekly', 'trades')).toEqual([5n]);
    expect((await pricesOf()).length).toBe(11);
  });
});

it('is set and cleared on a table that is there', async () => {
  await createTrades();
  await writeTenDays();
  await database.flush();
  expect(await database.applyRetention()).toEqual([]);
  expect(await database.alterTable('trades', { retention: '5d' })).toMatchObject({
    retention: '5d',
    version: 2,
  });
  expect(await database.applyRetention()).toMatchObject([{ rowsDropped: 5 }]);
  expect((await database.alterTable('trades', { retention: null })).retention).toBeUndefined();
  nowMs += 100 * dayMs;
  expect(await database.applyRetention()).toEqual([]);
  // A clock that went back, or a longer retention, brings nothing back.
  await database.alterTable('trades', { retention: '100d' });
  nowMs = noonMs;
  await write([[dayStart(8), 'A', 88]]);
  expect((await pricesOf()).length).toBe(6);
});

it('refuses what is no duration, and tables whose rows have no age', async () => {
  await expect(createTrades('1 month')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await createTrades();
  await expect(database.alterTable('trades', { retention: '0d' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  const columns = [{ name: 'symbol', type: { kind: 'text' } as const }];
  const plain = { name: 'company', kind: 'plain', seriesKey: ['symbol'], columns, retention: '1d' } as const;
  await expect(database.createTable({ ...plain, columns, seriesKey: ['symbol'] })).rejects.toMatchObject({
    code: 'INVALID_SCHEMA',
  });
});

it('cuts at midnights of UTC, also before 1970', () => {
  expect(firstKeptNs(noonMs, '1d')).toBe(dayStart(1));
  expect(firstKeptNs(noonMs, '12h')).toBe(dayStart(0));
  expect(firstKeptNs(noonMs, '13h')).toBe(dayStart(1));
  expect(firstKeptNs(0, '1h')).toBe(-dayNs);
});
