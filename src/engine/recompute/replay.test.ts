/** An amendment that is in the log but not in the store: the process ended between the two. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { nodeFileSystem } from '../../core/file-system.ts';
import { silentLogger } from '../../core/log.ts';
import { columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';
import { amendmentColumns, type WalFrame } from '../wal/frame.ts';
import { openWal } from '../wal/writer.ts';

const start = 1_704_189_600_000_000_000n;
const second = 1_000_000_000n;

const trades: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' } },
  ],
};

async function bars(database: Database): Promise<unknown[]> {
  const { columns, rowCount } = await database.read({
    table: 'trades_1m',
    columns: ['open', 'high', 'close', 'trades'],
  });
  return Array.from({ length: rowCount }, (_, row) => columns.map((column) => Number(valueAt(column, row))));
}

it.each([0, 3])(
  'is made at the next start, once, and the log goes on: %i rows after it',
  async (rowsAfter) => {
    const directory = mkdtempSync(join(tmpdir(), 'candela-replay-'));
    try {
      let database = await open({ directory });
      await database.createTable(trades);
      await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1s', '1m'] });
      const write = (first: number, prices: number[]) =>
        database.write('trades', {
          rowCount: prices.length,
          columns: {
            time: columnOf(
              'timestamp',
              prices.map((_, i) => start + BigInt(first + i) * second),
            ),
            symbol: textColumn(prices.map(() => 'A')),
            price: columnOf('double', prices),
          },
        });
      const { lsn } = await write(0, [1, 9, 3, 4]);
      await database.close();

      const wal = await openWal({
        directory: join(directory, 'wal'),
        fileSystem: nodeFileSystem,
        durability: 'always',
        clock: systemClock,
        log: silentLogger,
        startLsn: lsn + 1,
      });
      const base = { table: 1, firstSeries: 0, newSeries: [], batchId: '', answer: null };
      // The tick of 9 becomes 2, the newest goes.
      const amendment: Omit<WalFrame, 'lsn'> = {
        ...base,
        kind: 'amendment',
        rowCount: 2,
        series: Int32Array.of(0, 0),
        columns: [
          { id: 0, data: columnOf('timestamp', [start + second, start + 3n * second]) },
          { id: 2, data: columnOf('double', [2, null]) },
          { id: amendmentColumns.arrival, data: columnOf('int64', [1n, 3n]) },
          { id: amendmentColumns.isGone, data: columnOf('boolean', [false, true]) },
        ],
        batchId: 'of the correction',
        answer: { rowCount: 0, duplicates: 0, corrected: 1 },
      };
      await wal.append(amendment).durable;
      if (rowsAfter > 0) {
        const times = Array.from({ length: rowsAfter }, (_, i) => start + BigInt(10 + i) * second);
        const rows: Omit<WalFrame, 'lsn'> = {
          ...base,
          kind: 'rows',
          rowCount: rowsAfter,
          series: new Int32Array(rowsAfter),
          columns: [
            { id: 0, data: columnOf('timestamp', times) },
            {
              id: 2,
              data: columnOf(
                'double',
                times.map(() => 7),
              ),
            },
          ],
        };
        await wal.append(rows).durable;
      }
      await wal.close();

      const expected = rowsAfter > 0 ? [[1, 7, 7, 3 + rowsAfter]] : [[1, 3, 3, 3]];
      for (let restart = 0; restart < 2; restart++) {
        database = await open({ directory });
        expect(await bars(database)).toEqual(expected);
        const again = await database.write(
          'trades',
          { rowCount: 0, columns: {} },
          { batchId: 'of the correction' },
        );
        expect(again).toMatchObject({ lsn: lsn + 1, corrected: 1, repeated: true });
        await database.close();
      }
      database = await open({ directory });
      await write(20, [8]);
      expect(await bars(database)).toEqual([[1, 8, 8, 4 + rowsAfter]]);
      await database.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
