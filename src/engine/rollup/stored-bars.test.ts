import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Scalar } from '../../market/columns.ts';
import { columnOf, valueAt } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-stored-bars-'));
  database = await open({ directory });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function reopen(): Promise<void> {
  await database.close();
  database = await open({ directory });
}

async function rows(table: string): Promise<Scalar[][]> {
  const set = await database.read({ table });
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

const double = (name: string): ColumnDef => ({ name, type: { kind: 'double' } });

async function createTicks(columns: ColumnDef[], timeColumn = 'time'): Promise<void> {
  const time: ColumnDef = { name: timeColumn, type: { kind: 'timestamp', unit: 'us', zone: true } };
  await database.createTable({
    name: 'ticks',
    kind: 'ticks',
    timeColumn,
    seriesKey: [],
    columns: [...columns, time],
  });
}

it('sums beyond the digits of the store stay exact, and flushes go on', async () => {
  const kinds = [
    { name: 'free', type: { kind: 'decimal' } as const, value: { coefficient: 9n * 10n ** 17n, scale: 0 } },
    {
      name: 'wide',
      type: { kind: 'decimal', precision: 38, scale: 10 } as const,
      value: { coefficient: 9n * 10n ** 37n + 1n, scale: 10 },
    },
  ];
  await createTicks(kinds.map(({ name, type }) => ({ name, type })));
  await database.createRollup({
    name: 'bars',
    source: 'ticks',
    timeframe: '1m',
    aggregates: [
      { name: 'free', fn: 'sum', of: 'free' },
      { name: 'wide', fn: 'sum', of: 'wide' },
      { name: 'mean', fn: 'avg', of: 'wide' },
    ],
  });
  const write = (times: bigint[]): Promise<unknown> => {
    const columns = kinds.map(({ name, value }) => [
      name,
      columnOf('decimal', Array(times.length).fill(value)),
    ]);
    const time = columnOf('timestamp', times);
    return database.write('ticks', {
      rowCount: times.length,
      columns: { time, ...Object.fromEntries(columns) },
    });
  };
  const second = 1_000_000_000n;
  const sums = (count: bigint): unknown[] => [
    { coefficient: 9n * 10n ** 17n * count, scale: 0 },
    { coefficient: (9n * 10n ** 37n + 1n) * count, scale: 10 },
    expect.toSatisfy((mean: number) => Math.abs(mean / 9e27 - 1) < 1e-15),
  ];
  await write(Array.from({ length: 30 }, (_, i) => BigInt(i) * second));
  await write([100n * second]);
  await reopen();
  await write([59n * second]);
  expect(await rows('bars')).toEqual([
    [0n, ...sums(31n)],
    [60n * second, ...sums(1n)],
  ]);
  await reopen();
  expect((await rows('bars'))[0]).toEqual([0n, ...sums(31n)]);
  expect(database.status().writesStopped).toBeNull();
  // SQL has no room for them: null, and no error.
  const shown = await database.sql('select free, wide from bars order by time');
  expect(shown.columns.map((column) => valueAt(column, 0))).toEqual([null, null]);
});

it('columns whose names run together are kept apart', async () => {
  const names = ['a', 'b_c', 'a_b', 'c', 'x', 'x_compensation'];
  await createTicks(names.map(double), 'first_a');
  await database.createRollup({
    name: 'bars',
    source: 'ticks',
    timeframe: '1m',
    aggregates: [
      { name: 'one', fn: 'vwap', of: 'a', weight: 'b_c' },
      { name: 'other', fn: 'vwap', of: 'a_b', weight: 'c' },
      { name: 'x', fn: 'sum', of: 'x' },
      { name: 'xc', fn: 'sum', of: 'x_compensation' },
      { name: 'first', fn: 'first', of: 'a' },
    ],
  });
  const columns = Object.fromEntries(names.map((name, i) => [name, columnOf('double', [i + 1, 2 * i])]));
  await database.write('ticks', {
    rowCount: 2,
    columns: { first_a: columnOf('timestamp', [0n, 1000n]), ...columns },
  });
  await reopen();
  // a 1 0, b_c 2 2, a_b 3 4, c 4 6, x 5 8, x_compensation 6 10
  expect(await rows('bars')).toEqual([[0n, 2 / 4, (12 + 24) / 10, 13, 16, 1]]);
});

it("the time of a bar's first tick has the type of the time column, whatever other times there are", async () => {
  await createTicks([{ name: 'received', type: { kind: 'timestamp', unit: 'ns', zone: false } }]);
  const info = await database.createRollup({
    name: 'bars',
    source: 'ticks',
    timeframe: '1m',
    aggregates: [{ name: 'began', fn: 'first-time' }],
  });
  expect(info.columns.find(({ name }) => name === 'began')?.type).toEqual({
    kind: 'timestamp',
    unit: 'us',
    zone: true,
  });
});

it('a query beside the drop of its rollup fails or answers, and does no other harm', async () => {
  await createTicks([double('price')]);
  const aggregates = [{ name: 'price', fn: 'last', of: 'price' }] as const;
  for (let i = 0; i < 5; i++) {
    await database.createRollup({
      name: 'bars',
      source: 'ticks',
      timeframe: '1m',
      aggregates: [...aggregates],
    });
    const time = columnOf('timestamp', [BigInt(i) * 1_000_000_000n]);
    await database.write('ticks', { rowCount: 1, columns: { time, price: columnOf('double', [i]) } });
    const query = database.sql('select * from bars').then(
      ({ rowCount }) => rowCount,
      ({ code }: { code: string }) => code,
    );
    await database.dropTable('bars');
    expect([1, 'INVALID_ARGUMENT', 'TABLE_NOT_FOUND']).toContain(await query);
    await database.flush();
    expect(database.status().writesStopped).toBeNull();
  }
});
