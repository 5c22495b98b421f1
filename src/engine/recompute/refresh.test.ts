/** Bars that other hands have spoilt. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { columnOf, textColumn, valueAt } from '../../market/columns.ts';
import { openDuckDbStorage } from '../../storage/duckdb/duckdb-storage.ts';
import type { StorageOp } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

const start = 1_704_189_600_000_000_000n;
const second = 1_000_000_000n;
const levels = ['1s', '1m', '1h'];

async function bars(database: Database): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const level of levels) {
    const { columns, rowCount } = await database.read({ table: `trades_${level}` });
    for (let row = 0; row < rowCount; row++) found.push(columns.map((column) => valueAt(column, row)));
  }
  return found;
}

it('are made from the ticks again, at every level, within the range asked for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'candela-refresh-'));
  try {
    let database = await open({ directory });
    await database.createTable({
      name: 'trades',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
      ],
    });
    await database.createCandles({ source: 'trades', price: 'price', timeframes: levels });
    const count = 9_000;
    const times = Array.from({ length: count }, (_, i) => start + BigInt(i) * second);
    await database.write('trades', {
      rowCount: count,
      columns: {
        time: columnOf('timestamp', times),
        symbol: textColumn(times.map((_, i) => `S${i % 3}`)),
        price: columnOf(
          'double',
          times.map((_, i) => (i * 7) % 31),
        ),
      },
    });
    const right = await bars(database);
    await database.close();

    // The bars of two minutes of seconds, and all of the hours, are gone.
    const storage = await openDuckDbStorage({ directory, log: silentLogger });
    const gone = (id: number, fromNs: bigint, toNs: bigint): StorageOp => ({
      op: 'delete-range',
      table: physicalId(id, tableRole.rows),
      fromNs,
      toNs,
    });
    await storage.commit([gone(2, start, start + 120n * second), gone(4, 0n, 2n ** 62n)]);
    await storage.close();

    database = await open({ directory });
    expect(await bars(database)).not.toEqual(right);
    const range = { fromNs: start + 60n * second, toNs: start + 61n * second };
    // All bars that one of the hour is made of; no minute is wrong.
    const first = await database.refresh({ table: 'trades_1s', ...range });
    expect(first).toMatchObject({ changed: 120 + 3, skipped: 0 });
    expect(await database.refresh({ table: 'trades' })).toMatchObject({ changed: 3, skipped: 0 });
    expect(await bars(database)).toEqual(right);
    expect(await database.refresh({ table: 'trades' })).toMatchObject({ changed: 0 });
    await database.close();
    database = await open({ directory });
    expect(await bars(database)).toEqual(right);
    await database.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it('are made again whatever their width, from the earliest time to the latest', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'candela-refresh-'));
  const database = await open({ directory });
  try {
    await database.createTable({
      name: 'trades',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: [],
      columns: [{ name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } }],
    });
    const aggregates = [{ name: 'trades', fn: 'count' } as const];
    const timeframes = ['1s', '1d', '3mo', '10y'];
    for (const timeframe of timeframes)
      await database.createRollup({ name: `t${timeframe}`, source: 'trades', timeframe, aggregates });
    // In the years 1898, 1969, 2024 and 2041.
    const times = [-2_250_000_000n * second, -second, start, 2_250_000_000n * second];
    await database.write('trades', { rowCount: 4, columns: { time: columnOf('timestamp', times) } });
    for (const timeframe of timeframes)
      expect(await database.refresh({ table: `t${timeframe}` }), timeframe).toMatchObject({
        bars: 4,
        changed: 0,
        skipped: 0,
      });
  } finally {
    await database.close();
    rmSync(directory, { recursive: true });
  }
});
