/** A log of format version 1 as it was first written: whatever changes here, it must stay readable. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { type ColumnData, valueAt } from '../../market/columns.ts';
import { createSimDisk } from '../../testing/sim-disk.ts';
import { replayAll } from '../../testing/wal-frames.ts';

const scalars = (column: ColumnData) => [0, 1].map((row) => valueAt(column, row));

it('format version 1', async () => {
  const disk = createSimDisk(createPrng(1));
  const bytes = readFileSync(new URL('../../../test/golden/wal/version-1.wal', import.meta.url));
  disk.put('/wal/wal-0000000000000041.log', bytes);
  const [first, second, ...others] = await replayAll(disk.fileSystem, '/wal', 40);
  expect(others).toEqual([]);
  const { newSeries, columns, series, ...head } = first;
  expect(head).toEqual({ lsn: 41, table: 3, rowCount: 2, firstSeries: 17, batchId: 'batch-é' });
  expect([...series]).toEqual([18, 17]);
  expect(newSeries.map(scalars)).toEqual([
    ['BTC/USD', '平安银行'],
    [1n, -9223372036854775808n],
  ]);
  expect(columns.map(({ id, data }) => [id, data.kind, ...scalars(data)])).toEqual([
    [0, 'timestamp', 1700000000000000001n, -1n],
    [2, 'double', 0.1, null],
    [3, 'int64', null, 9223372036854775807n],
    [5, 'decimal', { coefficient: 110n, scale: 2 }, null],
    [6, 'decimal', { coefficient: -(10n ** 37n) - 7n, scale: 20 }, { coefficient: 5n, scale: 0 }],
    [7, 'text', null, '{"side":"buy"}'],
    [70000, 'boolean', true, null],
  ]);
  expect(second).toMatchObject({ lsn: 42, table: 4, rowCount: 0, newSeries: [], columns: [], batchId: '' });
});
