/** Logs of each format version as they were first written: whatever changes here, they must stay readable. */
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
  expect(head).toEqual({
    lsn: 41,
    kind: 'rows',
    table: 3,
    rowCount: 2,
    firstSeries: 17,
    batchId: 'batch-é',
    answer: null,
  });
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

it('format version 2: amendments, and answers to batches with an id', async () => {
  const disk = createSimDisk(createPrng(1));
  const bytes = readFileSync(new URL('../../../test/golden/wal/version-2.wal', import.meta.url));
  disk.put('/wal/wal-0000000000000007.log', bytes);
  const [rows, amendment, answer, ...others] = await replayAll(disk.fileSystem, '/wal', 6);
  expect(others).toEqual([]);
  expect(rows).toMatchObject({ lsn: 7, kind: 'rows', table: 5, rowCount: 2, batchId: '', answer: null });
  expect(amendment).toMatchObject({ lsn: 8, kind: 'amendment', table: 5, rowCount: 2 });
  expect(amendment).toMatchObject({
    batchId: 'id-1',
    answer: { rowCount: 2, duplicates: 3, corrected: 1 },
  });
  expect([...amendment.series]).toEqual([0, 1]);
  expect(amendment.columns.map(({ id, data }) => [id, data.kind, ...scalars(data)])).toEqual([
    [0, 'timestamp', 1_700_000_000_000_000_000n, 1_700_000_001_000_000_000n],
    [2, 'double', 1.5, null],
    [0xfffffffe, 'int64', 9007199254740993n, 12n],
    [0xffffffff, 'boolean', false, true],
  ]);
  expect(answer).toMatchObject({
    lsn: 9,
    kind: 'rows',
    rowCount: 0,
    batchId: 'id-2',
    series: new Int32Array(0),
  });
  expect(answer.answer).toEqual({ rowCount: 0, duplicates: 4294967295, corrected: 0 });
});
