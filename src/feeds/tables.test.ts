import { expect, it } from 'vitest';
import { recordingDatabase } from '../../test/support/recording-database.ts';
import type { ColumnDef, TableDef } from '../market/schema.ts';
import { buildBatch } from './row-batch.ts';
import { ensureCandles, ensureTable } from './tables.ts';

const time: ColumnDef = {
  name: 'time',
  type: { kind: 'timestamp', unit: 'us', zone: true },
  nullable: false,
};
const symbol: ColumnDef = { name: 'symbol', type: { kind: 'text' }, nullable: false };
const price: ColumnDef = { name: 'price', type: { kind: 'double' } };
const ticks = (columns: ColumnDef[], seriesKey = ['symbol']): TableDef => {
  return { name: 'ticks', kind: 'ticks', timeColumn: 'time', seriesKey, columns };
};

it('keeps a table that is there and adds the columns it lacks', async () => {
  const { database } = recordingDatabase();
  const ownPrice: ColumnDef = { name: 'price', type: { kind: 'decimal', precision: 18, scale: 4 } };
  await database.createTable(ticks([time, symbol, ownPrice]));
  await ensureTable(database, ticks([time, symbol, price, { name: 'size', type: { kind: 'double' } }]));
  expect(database.table('ticks')?.columns).toEqual([
    time,
    symbol,
    ownPrice,
    { name: 'size', type: { kind: 'double' } },
  ]);
});

it('refuses a table without the time or the series key', async () => {
  const { database } = recordingDatabase();
  await database.createTable(ticks([time, price], []));
  await expect(ensureTable(database, ticks([time, symbol, price]))).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: "table 'ticks' exists without column symbol",
  });
});

it('creates only the bars that are missing', async () => {
  const { database, candles } = recordingDatabase();
  await database.createTable(ticks([time, symbol, price]));
  const def = { source: 'ticks', price: 'price', timeframes: ['1s', '1m'] };
  await ensureCandles(database, def);
  await ensureCandles(database, { ...def, timeframes: ['1s', '1m', '1h'] });
  await ensureCandles(database, def);
  expect(candles.map(({ timeframes }) => timeframes)).toEqual([['1s', '1m'], ['1h']]);
});

it("values take the types of the table's columns, or the row is named", () => {
  const columns: ColumnDef[] = [
    { name: 'total', type: { kind: 'int64' } },
    { name: 'price', type: { kind: 'decimal' } },
    { name: 'open', type: { kind: 'boolean' } },
    { name: 'note', type: { kind: 'json' } },
  ];
  const { batch, rejected } = buildBatch(columns, [
    [49153, '30361.20', true, '{"a":1}'],
    ['9007199254740993', 1e-7, false, null],
    [0.5, 1, true, 'x'],
    [1n << 63n, 1, true, 'x'],
    [1, 'cheap', true, 'x'],
    [1, 1, 'yes', 'x'],
  ]);
  expect(batch).toEqual({
    rowCount: 2,
    columns: {
      total: { kind: 'int64', values: BigInt64Array.of(49153n, 9007199254740993n), nulls: undefined },
      price: {
        kind: 'decimal',
        coefficients: [3036120n, 1n],
        scales: Uint8Array.of(2, 7),
        nulls: undefined,
      },
      open: { kind: 'boolean', values: Uint8Array.of(1, 0), nulls: undefined },
      note: { kind: 'text', dictionary: ['{"a":1}'], codes: Int32Array.of(0, -1) },
    },
  });
  expect(rejected).toEqual([
    { row: 2, column: 'total', reason: '0.5 does not fit the type int64' },
    { row: 3, column: 'total', reason: '9223372036854775808 does not fit the type int64' },
    { row: 4, column: 'price', reason: "'cheap' does not fit the type decimal" },
    { row: 5, column: 'open', reason: "'yes' does not fit the type boolean" },
  ]);
});
