import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ColumnSet, columnOf, valueAt } from '../../market/columns.ts';
import type { CandlesDef, TableDef } from '../../market/schema.ts';
import { naiveBars } from '../../testing/naive-bars.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

const trades: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'double' } },
  ],
};
const candles: CandlesDef = { source: 'trades', price: 'price', volume: 'size', timeframes: ['1m', '1h'] };
const startNs = 1_700_006_400_000_000_000n;

interface Tick {
  timeNs: bigint;
  symbol: string;
  price: number;
  size: number;
}

let directory: string;
let database: Database;
let written: Tick[];

/** 2 symbols, a tick each 5 s. */
const tickAt = (i: number): Tick => ({
  timeNs: startNs + BigInt(i) * 5_000_000_000n,
  symbol: i % 3 === 0 ? 'A' : 'B',
  price: 100 + ((i * 7) % 23),
  size: 1 + (i % 5),
});

async function write(ticks: Tick[]): Promise<void> {
  const columns = {
    time: columnOf('timestamp', ticks.map(({ timeNs }) => timeNs)),
    symbol: columnOf('text', ticks.map(({ symbol }) => symbol)),
    price: columnOf('double', ticks.map(({ price }) => price)),
    size: columnOf('double', ticks.map(({ size }) => size)),
  }; // biome-ignore format: a column a line
  await database.write('trades', { rowCount: ticks.length, columns });
  written.push(...ticks);
}

const openIt = (): Promise<Database> => open({ directory, backfillRows: 50, flushIntervalMs: 3_600_000 });

function rowsOf(set: ColumnSet): unknown[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

async function expectRight(timeframe: string): Promise<void> {
  const bars = naiveBars(
    written.map((tick, arrival) => ({ timeNs: tick.timeNs, arrival, values: { ...tick } })),
    {
      timeframe,
      groupBy: ['symbol'],
      aggregates: [
        { name: 'open', fn: 'first', of: 'price' },
        { name: 'close', fn: 'last', of: 'price' },
        { name: 'volume', fn: 'sum', of: 'size' },
        { name: 'trades', fn: 'count' },
      ],
    },
  );
  const columns = ['time', 'symbol', 'open', 'close', 'volume', 'trades'];
  const inOrder = (rows: unknown[][]): string[] => rows.map((row) => row.map(String).join(' ')).sort();
  const read = rowsOf(await database.read({ table: `trades_${timeframe}`, columns }));
  expect(inOrder(read)).toEqual(inOrder(bars.map((bar) => [bar.startNs, ...bar.group, ...bar.values])));
  const sql = await database.sql(`SELECT sum(trades)::BIGINT FROM trades_${timeframe}`);
  expect(rowsOf(sql)).toEqual([[BigInt(written.length)]]);
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-backfill-'));
  written = [];
  database = await openIt();
  await database.createTable(trades);
  await write(Array.from({ length: 2_000 }, (_, i) => tickAt(i)));
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

it('fills all levels in one pass, newest first, while ticks of any age come in', async () => {
  const making = database.createCandles(candles);
  const seen: bigint[] = [];
  let isMade = false;
  void making.then(() => {
    isMade = true;
  });
  for (let i = 0; !isMade; i++) {
    // One at the front, one late, one far back.
    await write([tickAt(2_000 + i), tickAt(1_900 - i), tickAt(i)]);
    const backfill = database.table('trades_1h')?.backfill;
    if (backfill) seen.push(backfill.doneDownToNs);
  }
  expect((await making).map(({ name, backfill }) => [name, backfill])).toEqual([
    ['trades_1m', null],
    ['trades_1h', null],
  ]);
  expect(seen.length).toBeGreaterThan(3);
  expect([...seen].sort((a, b) => Number(b - a))).toEqual(seen);
  expect(database.status().backfills).toEqual([]);
  await expectRight('1m');
  await expectRight('1h');
});

it('goes on by itself after the database was closed in the middle', async () => {
  const making = expect(database.createCandles(candles)).rejects.toMatchObject({ code: 'STOPPING' });
  while (!database.table('trades_1h')?.backfill) await new Promise((resolve) => setImmediate(resolve));
  await database.close();
  await making;
  database = await openIt();
  expect(database.status().backfills.map(({ table }) => table)).toEqual(['trades_1m', 'trades_1h']);
  await write([tickAt(2_100), tickAt(3)]);
  while (database.status().backfills.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await expectRight('1m');
  await expectRight('1h');
});

it('answers who made a rollup while the database is closed', async () => {
  const making = expect(database.createCandles(candles)).rejects.toMatchObject({ code: 'STOPPING' });
  // The rollups are stored after back-fills have stopped.
  await database.close();
  await making;
  database = await openIt();
  while (database.status().backfills.length > 0) await new Promise((resolve) => setImmediate(resolve));
  await expectRight('1h');
});

it('ends when the rollup is dropped', async () => {
  const making = expect(database.createCandles({ ...candles, timeframes: ['1m'] })).rejects.toMatchObject({
    code: 'TABLE_NOT_FOUND',
  });
  while (!database.table('trades_1m')) await new Promise((resolve) => setImmediate(resolve));
  await database.dropTable('trades_1m');
  await making;
  await database.createCandles(candles);
  await expectRight('1m');
});

it('is filled from bars where the source is a rollup, and through it while that is being filled', async () => {
  const making = database.createCandles({ ...candles, timeframes: ['1m'] });
  while (!database.table('trades_1m')) await new Promise((resolve) => setImmediate(resolve));
  const aggregates = [
    { name: 'open', fn: 'first', of: 'open' },
    { name: 'close', fn: 'last', of: 'close' },
    { name: 'volume', fn: 'sum', of: 'volume' },
    { name: 'trades', fn: 'sum', of: 'trades' },
  ] as const;
  const onBars = { source: 'trades_1m', aggregates: [...aggregates] };
  const early = database.createRollup({ name: 'trades_5m', timeframe: '5m', ...onBars });
  await write([tickAt(2_000), tickAt(10)]);
  await Promise.all([making, early]);
  await database.createRollup({ name: 'trades_1h', timeframe: '1h', ...onBars });
  for (const timeframe of ['1m', '5m', '1h']) await expectRight(timeframe);
  await write([tickAt(2_500), tickAt(11)]);
  for (const timeframe of ['1m', '5m', '1h']) await expectRight(timeframe);
});

it('tells subscribers nothing of history', async () => {
  const making = database.createCandles(candles);
  while (!database.table('trades_1m')) await new Promise((resolve) => setImmediate(resolve));
  const subscription = await database.subscribe({ table: 'trades_1m' });
  await making;
  expect(subscription.take()).toEqual([]);
  await write([tickAt(2_000 + 24)]);
  const told = subscription.take().flatMap(({ type }) => type);
  expect(told).toContain('live');
  subscription.close();
});

it('makes all candles or none', async () => {
  await database.createCandles({ ...candles, timeframes: ['1h'] });
  await expect(database.createCandles(candles)).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
  expect(database.table('trades_1m')).toBeUndefined();
});
