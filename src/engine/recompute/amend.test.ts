import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ColumnSet } from '../../market/columns.ts';
import { type Batch, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import type { BusEvent, Database } from '../database.ts';
import { open } from '../open.ts';

const second = 1_000_000_000n;
const minute = 60n * second;
/** 2024-01-02 10:00 UTC. */
const start = 1_704_189_600n * second;

const trades: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'id', type: { kind: 'int64' } },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'double' } },
  ],
  dedup: { by: ['id'], keep: 'last' },
};

/** Seconds after the start, symbol, trade id, price, size. */
type Trade = [at: number, symbol: string, id: number, price: number, size?: number];

function batchOf(rows: Trade[]): Batch {
  const column = (values: Scalar[], kind: 'timestamp' | 'text' | 'int64' | 'double') =>
    columnOf(kind, values);
  return {
    rowCount: rows.length,
    columns: {
      time: column(
        rows.map(([at]) => start + BigInt(Math.round(at * 1e9))),
        'timestamp',
      ),
      symbol: column(
        rows.map(([, symbol]) => symbol),
        'text',
      ),
      id: column(
        rows.map(([, , id]) => BigInt(id)),
        'int64',
      ),
      price: column(
        rows.map(([, , , price]) => price),
        'double',
      ),
      size: column(
        rows.map(([, , , , size]) => size ?? 1),
        'double',
      ),
    },
  };
}

function rowsOf({ rowCount, names, columns }: ColumnSet, ...wanted: string[]): Scalar[][] {
  return Array.from({ length: rowCount }, (_, row) =>
    wanted.map((name) => {
      const value = valueAt(columns[names.indexOf(name)], row);
      if (typeof value !== 'bigint') return value;
      return name === 'time' ? Number((value - start) / second) : Number(value);
    }),
  );
}

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'candela-amend-'));
  database = await open({ directory });
  await database.createTable(trades);
  await database.createCandles({
    source: 'trades',
    price: 'price',
    volume: 'size',
    timeframes: ['1s', '1m', '1h'],
  });
});

afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

const reopen = async (): Promise<void> => {
  await database.close();
  database = await open({ directory });
};

const write = (...rows: Trade[]) => database.write('trades', batchOf(rows));
const bars = async (timeframe: string): Promise<Scalar[][]> =>
  rowsOf(
    await database.read({ table: `trades_${timeframe}`, series: { symbol: 'A' } }),
    'time',
    'open',
    'high',
    'low',
    'close',
    'volume',
    'trades',
  );
const latest = () => rowsOf(database.latest('trades', { symbol: 'A' }), 'time', 'id', 'price');

const first: Trade[] = [
  [0.1, 'A', 1, 10],
  [0.2, 'A', 2, 20],
  [0.2, 'B', 2, 500],
  [59.9, 'A', 3, 5],
  [61, 'A', 4, 7],
  [61, 'A', 5, 8],
];

describe.each(['at once', 'after a restart'])('a table that keeps the last, %s', (when) => {
  const settle = async (): Promise<void> => {
    if (when !== 'at once') await reopen();
  };
  beforeEach(async () => {
    await write(...first);
    await settle();
  });

  it('drops what is there already', async () => {
    expect(await write(...first)).toMatchObject({ rowCount: 0, duplicates: 6, corrected: 0 });
    await settle();
    expect(await bars('1m')).toEqual([
      [0, 10, 20, 5, 5, 3, 3],
      [60, 7, 8, 7, 8, 2, 2],
    ]);
    expect((await database.read({ table: 'trades' })).rowCount).toBe(6);
  });

  it('corrects a closed bar at every level, and takes a maximum back', async () => {
    expect(await write([0.2, 'A', 2, 6], [62, 'A', 6, 9])).toMatchObject({ rowCount: 1, corrected: 1 });
    await settle();
    expect(await bars('1s')).toEqual([
      [0, 10, 10, 6, 6, 2, 2],
      [59, 5, 5, 5, 5, 1, 1],
      [61, 7, 8, 7, 8, 2, 2],
      [62, 9, 9, 9, 9, 1, 1],
    ]);
    expect(await bars('1m')).toEqual([
      [0, 10, 10, 5, 5, 3, 3],
      [60, 7, 9, 7, 9, 3, 3],
    ]);
    expect(await bars('1h')).toEqual([[0, 10, 10, 5, 9, 6, 6]]);
  });

  it('corrects the open bar, keeping the order of equal times', async () => {
    expect(await write([61, 'A', 4, 100])).toMatchObject({ rowCount: 0, corrected: 1 });
    await settle();
    expect((await bars('1m')).at(-1)).toEqual([60, 100, 100, 8, 8, 2, 2]);
    expect(latest()).toEqual([[61, 5, 8]]);
    expect(await write([61, 'A', 5, 1])).toMatchObject({ rowCount: 0, corrected: 1 });
    await settle();
    expect((await bars('1m')).at(-1)).toEqual([60, 100, 100, 1, 1, 2, 2]);
    expect(latest()).toEqual([[61, 5, 1]]);
  });

  it('finds duplicates and corrections within a batch', async () => {
    const result = await write(
      [70, 'A', 7, 1],
      [70, 'A', 8, 2],
      [70, 'A', 7, 3],
      [70, 'A', 8, 2],
      [70, 'A', 7, 4],
    );
    expect(result).toMatchObject({ rowCount: 2, duplicates: 1, corrected: 2 });
    await settle();
    expect((await bars('1s')).at(-1)).toEqual([70, 4, 4, 2, 2, 2, 2]);
  });

  it('deletes the newest bucket: the one before is open again', async () => {
    expect(
      await database.deleteRows('trades', { series: { symbol: 'A' }, fromNs: start + minute }),
    ).toMatchObject({
      rowCount: 2,
    });
    await settle();
    expect(await bars('1m')).toEqual([[0, 10, 20, 5, 5, 3, 3]]);
    expect(latest()).toEqual([[59, 3, 5]]);
    expect(rowsOf(database.latest('trades_1m', { symbol: 'A' }), 'time', 'close')).toEqual([[0, 5]]);
    await write([59.95, 'A', 9, 33], [60, 'A', 10, 1]);
    await settle();
    expect(await bars('1m')).toEqual([
      [0, 10, 33, 5, 33, 4, 4],
      [60, 1, 1, 1, 1, 1, 1],
    ]);
    expect(await bars('1h')).toEqual([[0, 10, 33, 1, 1, 5, 5]]);
  });

  it('deletes by value, and a bucket without ticks disappears', async () => {
    expect(await database.deleteRows('trades', { where: { id: 3 } })).toMatchObject({ rowCount: 1 });
    await settle();
    expect(await bars('1s')).toEqual([
      [0, 10, 20, 10, 20, 2, 2],
      [61, 7, 8, 7, 8, 2, 2],
    ]);
    expect(await bars('1h')).toEqual([[0, 10, 20, 7, 8, 4, 4]]);
    const sql = await database.sql('SELECT open, low, trades FROM trades_1h WHERE symbol = $1', {
      parameters: ['A'],
    });
    expect(rowsOf(sql, 'open', 'low', 'trades')).toEqual([[10, 7, 4]]);
  });

  it('deletes everything of a series, and takes new ticks of it', async () => {
    await database.deleteRows('trades', { series: { symbol: 'A' } });
    await settle();
    expect(await bars('1h')).toEqual([]);
    expect(latest()).toEqual([]);
    await write([5, 'A', 1, 1]);
    await settle();
    expect(await bars('1h')).toEqual([[0, 1, 1, 1, 1, 1, 1]]);
    expect(latest()).toEqual([[5, 1, 1]]);
  });
});

it('finds nothing to refresh', async () => {
  await write(...first);
  await write([0.2, 'A', 2, 6]);
  expect(await database.refresh({ table: 'trades' })).toEqual({ bars: 4 + 1 + 1, changed: 0, skipped: 0 });
});

it('tells subscribers', async () => {
  await write(...first);
  const events: BusEvent[] = [];
  const minutes = await database.subscribe({
    table: 'trades',
    timeframe: '1m',
    live: false,
    series: { symbol: 'A' },
  });
  const ticks = await database.subscribe({ table: 'trades' });
  const take = async (): Promise<unknown[]> => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    events.push(...minutes.take(), ...ticks.take());
    return events
      .splice(0)
      .map((event) =>
        'rows' in event
          ? [event.type, event.table, rowsOf(event.rows, ...event.rows.names.filter((n) => n !== 'vwap'))]
          : event,
      );
  };
  await write([0.2, 'A', 2, 6]);
  expect(await take()).toEqual([
    ['correction', 'trades_1m', [[0, 'A', 10, 10, 5, 5, 3, 3]]],
    ['correction', 'trades', [[0, 'A', 2, 6, 1]]],
  ]);
  await database.deleteRows('trades', { series: { symbol: 'A' }, toNs: start + minute });
  expect(await take()).toEqual([
    ['deleted', 'trades_1m', [[0, 'A']]],
    [
      'deleted',
      'trades',
      [
        [0, 'A', 1, 10, 1],
        [0, 'A', 2, 6, 1],
        [59, 'A', 3, 5, 1],
      ],
    ],
  ]);
});

describe('a batch with an id', () => {
  it('is written once, in flight or acknowledged, also after a restart', async () => {
    const batch = batchOf([
      [1, 'A', 1, 1],
      [2, 'A', 2, 2],
    ]);
    const [one, two] = await Promise.all([
      database.write('trades', batch, { batchId: 'x' }),
      database.write('trades', batch, { batchId: 'x' }),
    ]);
    expect(one).toMatchObject({ rowCount: 2, repeated: false });
    expect(two).toEqual({ ...one, repeated: true });
    await database.write('trades', batchOf([[2, 'A', 2, 3]]), { batchId: 'correction' });
    await reopen();
    expect(await database.write('trades', batchOf([[3, 'A', 3, 3]]), { batchId: 'x' })).toEqual(two);
    expect(await database.write('trades', batch, { batchId: 'correction' })).toMatchObject({
      rowCount: 0,
      corrected: 1,
      repeated: true,
    });
    expect(await bars('1h')).toEqual([[0, 1, 3, 1, 3, 2, 2]]);
  });
});

it('counts ticks between two sessions once where bars of both are made again', async () => {
  const calendar = {
    name: 'long auctions',
    timeZone: 'UTC',
    from: '1970-01-01',
    to: '2099-12-31',
    earlyMinutes: 60,
    lateMinutes: 60,
    regular: [{ days: 'sun mon tue wed thu fri sat', sessions: ['10:00/12:00'] }],
    holidays: [],
    special: [],
  };
  const aggregates = [{ name: 'trades', fn: 'count' }] as const;
  await database.createRollup({
    name: 'daily',
    source: 'trades',
    timeframe: '1d',
    aggregates: [...aggregates],
    calendar,
  });
  const [hour, day] = [3_600, 86_400];
  // Each day: in the session, and in the hours after its close and before its open.
  const tick = (at: number, id: number): Trade => [at, 'A', id, id];
  const ticks = [0, day, 2 * day].flatMap((at, i) => [
    tick(at - hour / 2, i * 10),
    tick(at + hour, i * 10 + 1),
    tick(at + 2.5 * hour, i * 10 + 2),
  ]);
  await write(...ticks);
  const counts = async (): Promise<Scalar[]> =>
    rowsOf(await database.read({ table: 'daily' }), 'trades').map(([count]) => count);
  expect(await counts()).toEqual([3, 3, 3]);
  expect(await write([hour, 'A', 1, 100], [day + hour, 'A', 11, 100])).toMatchObject({ corrected: 2 });
  expect(await counts()).toEqual([3, 3, 3]);
});

it('plain, bars and state tables: rows are deleted, batches with an id written once', async () => {
  const id = { name: 'id', type: { kind: 'int64' } } as const;
  const name = { name: 'name', type: { kind: 'text' } } as const;
  const time = { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } } as const;
  await database.createTable({ name: 'company', kind: 'plain', seriesKey: [], columns: [id, name] });
  await database.createTable({ name: 'status', kind: 'state', seriesKey: ['name'], columns: [name, id] });
  await database.createTable({
    name: 'daily',
    kind: 'bars',
    timeColumn: 'time',
    seriesKey: ['name'],
    columns: [time, name, id],
  });
  const rows = { id: columnOf('int64', [1n, 2n, 2n]), name: columnOf('text', ['A', 'B', null]) };
  const plain = { rowCount: 3, columns: rows };
  const named = { id: rows.id, name: columnOf('text', ['A', 'B', 'C']) };
  const times = columnOf('timestamp', [start, start + second, start]);
  await database.write('company', plain, { batchId: 'x' });
  await database.write('status', { rowCount: 3, columns: named }, { batchId: 'x' });
  await database.write('daily', { rowCount: 3, columns: { ...named, time: times } }, { batchId: 'x' });
  await reopen();
  for (const table of ['company', 'status', 'daily']) {
    expect(await database.write(table, { rowCount: 0, columns: {} }, { batchId: 'x' })).toMatchObject({
      rowCount: 3,
      repeated: true,
    });
    expect(await database.deleteRows(table, { where: { id: 2 } })).toMatchObject({ rowCount: 2 });
    expect(await database.deleteRows(table, { where: { id: 2 } })).toMatchObject({ rowCount: 0 });
    for (const again of [false, true]) {
      if (again) await reopen();
      expect(rowsOf(await database.read({ table }), 'name', 'id')).toEqual([['A', 1]]);
      expect(rowsOf(await database.sql(`SELECT name FROM ${table}`), 'name')).toEqual([['A']]);
    }
    if (table !== 'company') expect(rowsOf(database.latest(table), 'name')).toEqual([['A']]);
  }
  await expect(database.deleteRows('company', { fromNs: 0n })).rejects.toThrow('plain table');
  await expect(database.deleteRows('trades_1m', {})).rejects.toThrow('is a rollup');
  expect(await database.deleteRows('company', {})).toMatchObject({ rowCount: 1 });
  expect((await database.read({ table: 'company' })).rowCount).toBe(0);
});
