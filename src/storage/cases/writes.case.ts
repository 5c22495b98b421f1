/** What each kind of op does to the rows. */
import { beforeEach, expect, it } from 'vitest';
import { type ColumnData, columnOf, type Scalar } from '../../market/columns.ts';
import type { Storage, StorageOp, StoredColumn, StoredTable } from '../storage.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, tickColumns, ticks } from './fixtures.ts';

/** See `storage.case.ts`. */
export function writeCases(use: () => Storage): void {
  const versions = async (): Promise<Scalar[]> =>
    rowsOf(await use().readAll(ticks.id, ['_version'])).map(([version]) => version);
  beforeEach(() =>
    use().commit([
      createTicks,
      appendTicks([
        [1, 10n, 1n, 1],
        [1, 20n, 2n, 2],
        [2, 10n, 3n, 3],
      ]),
    ]),
  );

  it('reads all rows in the order they were appended', async () => {
    await use().commit([appendTicks([[0, 5n, 4n, 4]]), appendTicks([[0, 4n, 5n, 5]])]);
    expect(await versions()).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it('appends no rows', async () => {
    await use().commit([appendTicks([])]);
    expect(await versions()).toEqual([1n, 2n, 3n]);
  });

  it('replaces the rows with the same key and appends the others', async () => {
    const rows: Tick[] = [
      [2, 10n, 10n, 1],
      [1, 30n, 11n, 2],
      [1, 10n, 12n, 3],
    ];
    const columns = tickColumns(rows);
    await use().commit([{ op: 'replace', table: ticks.id, key: ['_series', 'time'], columns, rowCount: 3 }]);
    expect(await versions()).toEqual([2n, 10n, 11n, 12n]);
  });

  it('replaces all rows of a key', async () => {
    const columns = tickColumns([[1, 99n, 10n, 1]]);
    await use().commit([{ op: 'replace', table: ticks.id, key: ['_series'], columns, rowCount: 1 }]);
    expect(await versions()).toEqual([3n, 10n]);
  });

  it('replaces rows appended and replaced in the same commit', async () => {
    const replace = (version: bigint): StorageOp => {
      const columns = tickColumns([[5, 50n, version, 0]]);
      return { op: 'replace', table: ticks.id, key: ['_series', 'time'], columns, rowCount: 1 };
    };
    await use().commit([
      appendTicks([[5, 50n, 20n, 0]]),
      replace(21n),
      appendTicks([[5, 51n, 22n, 0]]),
      replace(23n),
    ]);
    expect(await versions()).toEqual([1n, 2n, 3n, 22n, 23n]);
  });

  it('replaces by text, decimal and missing keys', async () => {
    const column = (name: string, type: StoredColumn['type']): StoredColumn => ({
      name,
      type,
      nullable: true,
    });
    const table: StoredTable = {
      id: 1,
      columns: [
        column('symbol', { kind: 'text' }),
        column('strike', { kind: 'decimal' }),
        column('n', { kind: 'int64' }),
      ],
      roles: null,
    };
    const rows = (values: [string | null, bigint, number, bigint][]): ColumnData[] => [
      columnOf(
        'text',
        values.map(([symbol]) => symbol),
      ),
      columnOf(
        'decimal',
        values.map(([, coefficient, scale]) => ({ coefficient, scale })),
      ),
      columnOf(
        'int64',
        values.map(([, , , n]) => n),
      ),
    ];
    await use().commit([
      { op: 'create-table', table },
      {
        op: 'append',
        table: 1,
        columns: rows([
          ['a', 15n, 1, 1n],
          ['a', 16n, 1, 2n],
          [null, 15n, 1, 3n],
        ]),
        rowCount: 3,
      },
    ]);
    const columns = rows([
      ['a', 150n, 2, 4n],
      [null, 15n, 1, 5n],
    ]);
    await use().commit([{ op: 'replace', table: 1, key: ['symbol', 'strike'], columns, rowCount: 2 }]);
    expect(rowsOf(await use().readAll(1, ['n', 'strike']))).toEqual([
      [2n, { coefficient: 16n, scale: 1 }],
      [4n, { coefficient: 150n, scale: 2 }],
      [5n, { coefficient: 15n, scale: 1 }],
    ]);
  });

  it('deletes the rows with the keys named, also rows of the same commit', async () => {
    const remove = (series: bigint, version: bigint): StorageOp => ({
      op: 'delete',
      table: ticks.id,
      key: ['_version', '_series'],
      columns: [columnOf('int64', [version]), columnOf('int64', [series])],
      rowCount: 1,
    });
    await use().commit([appendTicks([[1, 30n, 4n, 4]]), remove(1n, 4n), remove(1n, 1n), remove(1n, 3n)]);
    expect(await versions()).toEqual([2n, 3n]);
  });

  it('deletes all rows of a key, by missing values and by equal decimals', async () => {
    const type = { kind: 'decimal' } as const;
    const size: StoredColumn = { name: 'size', type, nullable: true };
    const sizes = (...values: ([bigint, number] | null)[]): ColumnData =>
      columnOf(
        'decimal',
        values.map((value) => value && { coefficient: value[0], scale: value[1] }),
      );
    const rows = tickColumns([
      [1, 30n, 4n, 4],
      [1, 31n, 5n, 5],
      [2, 32n, 6n, 6],
    ]);
    await use().commit([
      { op: 'add-column', table: ticks.id, column: size },
      {
        op: 'append',
        table: ticks.id,
        columns: [...rows, sizes([15n, 1], [25n, 1], [150n, 2])],
        rowCount: 3,
      },
    ]);
    const remove = (value: [bigint, number] | null): StorageOp => ({
      op: 'delete',
      table: ticks.id,
      key: ['size'],
      columns: [sizes(value)],
      rowCount: 1,
    });
    await use().commit([remove([1500n, 3])]);
    expect(await versions()).toEqual([1n, 2n, 3n, 5n]);
    await use().commit([remove(null)]);
    expect(await versions()).toEqual([5n]);
  });

  it('deletes the rows of a range of time', async () => {
    const times = [-5n, 0n, 9n, 10n, 11n, 20n];
    await use().commit([
      { op: 'rewrite', table: ticks.id, columns: tickColumns([]), rowCount: 0 },
      appendTicks(times.map((time, i) => [i % 2, time * 1_000n, BigInt(i), i])),
      { op: 'delete-range', table: ticks.id, fromNs: 0n, toNs: 10_000n },
    ]);
    expect(await versions()).toEqual([0n, 3n, 4n, 5n]);
    await use().commit([{ op: 'delete-range', table: ticks.id, fromNs: -(2n ** 63n), toNs: 10_001n }]);
    expect(await versions()).toEqual([4n, 5n]);
  });

  it('rewrites a table', async () => {
    const columns = tickColumns([[1, 1n, 9n, 1]]);
    await use().commit([
      { op: 'rewrite', table: ticks.id, columns, rowCount: 1 },
      appendTicks([[1, 2n, 10n, 1]]),
    ]);
    expect(await versions()).toEqual([9n, 10n]);
  });

  it('adds a column, null in the rows before it', async () => {
    const column: StoredColumn = { name: 'size', type: { kind: 'decimal' }, nullable: true };
    const size = columnOf('decimal', [{ coefficient: 5n, scale: 1 }]);
    await use().commit([
      { op: 'add-column', table: ticks.id, column },
      { op: 'append', table: ticks.id, columns: [...tickColumns([[1, 30n, 4n, 4]]), size], rowCount: 1 },
    ]);
    const set = await use().scan({ ...scanAll, columns: ['size'], series: Int32Array.of(1) });
    expect(rowsOf(set)).toEqual([[null], [null], [{ coefficient: 5n, scale: 1 }]]);
  });
}
