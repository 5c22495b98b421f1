import { afterEach, beforeEach, expect, it } from 'vitest';
import { columnOf } from '../../market/columns.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

let database: Database;
beforeEach(async () => {
  database = await open({ directory: null });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: [],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
});
afterEach(() => database.close());

it('gives candles of another calendar over the same table names of their own', async () => {
  const candles = { source: 'trades', price: 'price', timeframes: ['1h', '1d'] };
  await database.createCandles(candles);
  const inSessions = { ...candles, calendar: 'XSHG' };
  await expect(database.createCandles(inSessions)).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
  const made = await database.createCandles({ ...inSessions, prefix: 'trades XSHG' });
  expect(made.map(({ name, rollup }) => [name, rollup?.source])).toEqual([
    ['trades XSHG_1h', 'trades'],
    ['trades XSHG_1d', 'trades XSHG_1h'],
  ]);

  // 2024-05-17 09:45 in Shanghai.
  const timeNs = BigInt(Date.UTC(2024, 4, 17, 1, 45)) * 1_000_000n;
  const columns = { time: columnOf('timestamp', [timeNs]), price: columnOf('double', [1]) };
  await database.write('trades', { rowCount: 1, columns });
  const opens = async (calendar: object) =>
    (await database.bars({ table: 'trades', timeframe: '1h', ...calendar })).columns[0];
  const minutesNs = 60_000_000_000n;
  expect(await opens({})).toMatchObject({ values: new BigInt64Array([timeNs - 45n * minutesNs]) });
  expect(await opens({ calendar: 'XSHG' })).toMatchObject({
    values: new BigInt64Array([timeNs - 15n * minutesNs]),
  });
});
