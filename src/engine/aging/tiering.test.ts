import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { type ColumnSet, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import { restore } from '../backup/backup.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

const dayMs = 86_400_000;
/** 2024-03-01T12:00:00Z. */
const noonMs = Date.UTC(2024, 2, 1, 12);
const hourNs = 3_600_000_000_000n;
/** An hour of the day so many days before that one. */
const at = (daysBefore: number, hour = 0): bigint =>
  BigInt(noonMs - dayMs / 2 - daysBefore * dayMs) * 1_000_000n + BigInt(hour) * hourNs;

let directory: string;
let database: Database;
let nowMs: number;
const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => performance.now() };
const openIt = (): Promise<Database> => open({ directory, clock, flushIntervalMs: 3_600_000 });

function rowsOf(set: ColumnSet): Scalar[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

async function write(rows: [timeNs: bigint, symbol: string, price: number][]): Promise<void> {
  const columns = {
    time: columnOf('timestamp', rows.map(([timeNs]) => timeNs)),
    symbol: columnOf('text', rows.map(([, symbol]) => symbol)),
    price: columnOf('double', rows.map(([, , price]) => price)),
  }; // biome-ignore format: a column a line
  await database.write('trades', { rowCount: rows.length, columns });
}

/** What every kind of read gives. */
async function answers(): Promise<unknown[]> {
  const sets = [
    await database.read({ table: 'trades' }),
    await database.read({ table: 'trades', series: { symbol: 'A' }, order: 'desc', limit: 30 }),
    await database.read({ table: 'trades', series: { symbol: 'B' }, fromNs: at(8), toNs: at(2) }),
    await database.sql('SELECT * FROM trades ORDER BY time, symbol, price'),
    await database.read({ table: 'hours' }),
    database.latest('trades'),
  ];
  return sets.map(rowsOf);
}

const coldFiles = (): Promise<string[]> => readdir(join(directory, 'cold'));

beforeEach(async () => {
  nowMs = noonMs;
  directory = await mkdtemp(join(tmpdir(), 'candela-tier-'));
  database = await openIt();
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
  });
  const close = { name: 'close', fn: 'last', of: 'price' } as const;
  await database.createRollup({ name: 'hours', source: 'trades', timeframe: '1h', aggregates: [close] });
  const hours = Array.from({ length: 240 }, (_, i) => [at(9) + BigInt(i) * hourNs, i] as const);
  await write(hours.map(([time, i]) => [time, 'A', i]));
  await write(hours.map(([time, i]) => [time, 'B', -i]));
  await write([[at(9), 'QUIET', 5]]);
  await database.flush();
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

it('moves whole days, those of few rows together, and no read can tell', async () => {
  const before = await answers();
  expect(await database.applyRetention()).toEqual([]);
  await database.alterTable('trades', { coldAfter: '3d' });
  // 9 to 4 days ago; three days ago is needed from its noon on.
  expect(await database.applyRetention()).toMatchObject([{ rowsMoved: 6 * 48 + 1, chunksMoved: 6 }]);
  expect(await coldFiles()).toHaveLength(1);
  expect(await answers()).toEqual(before);
  expect(await database.applyRetention()).toEqual([]);
  nowMs += dayMs;
  expect(await database.applyRetention()).toMatchObject([{ rowsMoved: 48, chunksMoved: 1 }]);
  await database.close();
  database = await openIt();
  expect(await answers()).toEqual(before);
  expect(database.status().rowsTiered).toBe(0);
});

it('keeps late, corrected and deleted ticks of cold days right, in rows and bars', async () => {
  await database.alterTable('trades', { coldAfter: '1d' });
  await database.applyRetention();
  await write([[at(7, 3) + 1_000n, 'A', 1234]]);
  await database.flush();
  expect(await database.applyRetention()).toEqual([]);
  const late = { table: 'trades', series: { symbol: 'A' }, fromNs: at(7, 3), toNs: at(7, 4) };
  expect(rowsOf(await database.read({ ...late, columns: ['price'] }))).toEqual([[51], [1234]]);
  expect(rowsOf(await database.read({ ...late, table: 'hours', columns: ['close'] }))).toEqual([[1234]]);
  await database.deleteRows('trades', { ...late, where: { price: 51 } });
  await database.deleteRows('trades', { fromNs: at(6, 5), toNs: at(6, 6) });
  expect(rowsOf(await database.read({ ...late, columns: ['price'] }))).toEqual([[1234]]);
  const around = { table: 'hours', fromNs: at(6, 4), toNs: at(6, 7) };
  expect((await database.read(around)).rowCount).toBe(4);
  // The days came back, and go again.
  expect(await coldFiles()).toHaveLength(0);
  expect(await database.applyRetention()).toMatchObject([{ chunksMoved: 8 }]);
  expect(await coldFiles()).toHaveLength(1);
  expect(rowsOf(await database.read({ ...late, columns: ['price'] }))).toEqual([[1234]]);
});

it('drops cold days by retention, fills new rollups from them, and copies them with a backup', async () => {
  await database.alterTable('trades', { coldAfter: '1d' });
  await database.alterTable('trades', { retention: '5d' });
  const opens = { name: 'open', fn: 'first', of: 'price' } as const;
  await database.applyRetention();
  nowMs += dayMs;
  // The first of the days goes, and the rest of its file moves again with the day that is old by now.
  expect(await database.applyRetention()).toMatchObject([{ chunksDropped: 1, chunksMoved: 4 }]);
  expect(await coldFiles()).toHaveLength(1);
  await database.createRollup({ name: 'days', source: 'trades', timeframe: '1d', aggregates: [opens] });
  const days = rowsOf(await database.read({ table: 'days', series: { symbol: 'A' }, columns: ['open'] }));
  expect(days).toEqual([[120], [144], [168], [192], [216]]);
  const before = await answers();
  const copies = await mkdtemp(join(tmpdir(), 'candela-tier-copy-'));
  await database.backup(join(copies, 'backup'));
  await restore(join(copies, 'backup'), join(copies, 'data'));
  await database.close();
  await rm(directory, { recursive: true });
  directory = join(copies, 'data');
  database = await openIt();
  expect(await answers()).toEqual(before);
});

it('is for ticks alone', async () => {
  await expect(database.alterTable('hours', { coldAfter: '1d' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  const change = { coldAfter: 'soon' };
  await expect(database.alterTable('trades', change)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
}); // biome-ignore format: one line each
