/** All or nothing, in order, and what is refused. */
import { expect, it } from 'vitest';
import { columnOf } from '../../market/columns.ts';
import type { Storage, StorageOp } from '../storage.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, tickColumns, ticks } from './fixtures.ts';

/** See `storage.case.ts`. */
export function commitCases(use: () => Storage): void {
  it('keeps documents', async () => {
    await use().commit([
      { op: 'put-doc', key: 'a', value: '1' },
      { op: 'put-doc', key: 'b', value: '2' },
      { op: 'put-doc', key: "it's", value: '{"big": "document"}'.repeat(1000) },
    ]);
    await use().commit([
      { op: 'put-doc', key: 'a', value: '3' },
      { op: 'delete-doc', key: 'b' },
      { op: 'delete-doc', key: 'never there' },
      { op: 'put-doc', key: 'c', value: 'x' },
      { op: 'put-doc', key: 'c', value: '' },
    ]);
    const documents = await use().documents();
    expect([...documents].sort()).toEqual([
      ['a', '3'],
      ['c', ''],
      ["it's", '{"big": "document"}'.repeat(1000)],
    ]);
  });

  it('does nothing of a commit that fails', async () => {
    await use().commit([
      createTicks,
      appendTicks([[1, 10n, 1n, 1]]),
      { op: 'put-doc', key: 'lsn', value: '1' },
    ]);
    const failing: StorageOp[] = [
      appendTicks([[1, 20n, 2n, 2]]),
      { op: 'put-doc', key: 'lsn', value: '2' },
      { op: 'create-table', table: { ...ticks, id: 8 } },
      { op: 'add-column', table: ticks.id, column: { name: 'x', type: { kind: 'text' }, nullable: true } },
      appendTicks([[1, 30n, 3n, 3]], 99),
    ];
    await expect(use().commit(failing)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    expect(rowsOf(await use().readAll(ticks.id, ['_version']))).toEqual([[1n]]);
    expect(await use().documents()).toEqual(new Map([['lsn', '1']]));
    await expect(use().readAll(8, ['time'])).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    await expect(use().readAll(ticks.id, ['x'])).rejects.toMatchObject({ code: 'COLUMN_NOT_FOUND' });
  });

  it('goes on after a commit that failed, also one that waited behind it', async () => {
    await use().commit([createTicks]);
    const [failed, next] = await Promise.allSettled([
      use().commit([appendTicks([[1, 1n, 1n, 1]]), { op: 'drop-table', table: 99 }]),
      use().commit([appendTicks([[1, 2n, 2n, 2]])]),
    ]);
    expect([failed.status, next.status]).toEqual(['rejected', 'fulfilled']);
    expect(rowsOf(await use().readAll(ticks.id, ['_version']))).toEqual([[2n]]);
  });

  it.each<[string, StorageOp]>([
    ['a column missing', { op: 'append', table: 7, columns: tickColumns([]).slice(1), rowCount: 0 }],
    [
      'columns of unequal length',
      { op: 'append', table: 7, columns: tickColumns([[1, 1n, 1n, 1]]), rowCount: 2 },
    ],
    [
      'a column of another kind',
      { op: 'append', table: 7, columns: tickColumns([[1, 1n, 1n, 1]]).reverse(), rowCount: 1 },
    ],
    [
      'a null where none may be',
      {
        op: 'append',
        table: 7,
        columns: [columnOf('int64', [null]), ...tickColumns([[1, 1n, 1n, 1]]).slice(1)],
        rowCount: 1,
      },
    ],
  ])('refuses rows with %s', async (_, op) => {
    await use().commit([createTicks]);
    await expect(use().commit([appendTicks([[1, 1n, 1n, 1]]), op])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect((await use().readAll(7, ['time'])).rowCount).toBe(0);
  });

  it('refuses a table number twice, and forgets a dropped table', async () => {
    await use().commit([createTicks, appendTicks([[1, 1n, 1n, 1]])]);
    await expect(use().commit([createTicks])).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
    await use().commit([{ op: 'drop-table', table: ticks.id }]);
    await expect(use().scan(scanAll)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  it('applies commits in the order of the calls', async () => {
    await use().commit([createTicks]);
    const commits = Array.from({ length: 20 }, (_, i) =>
      use().commit([appendTicks([[1, 0n, BigInt(i), i]])]),
    );
    await Promise.all(commits);
    const versions = rowsOf(await use().readAll(ticks.id, ['_version'])).map(([version]) => version);
    expect(versions).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i)));
  });

  it('shows a read beside commits a whole number of them', async () => {
    await use().commit([createTicks]);
    const size = 3000;
    const batch = Array.from({ length: size }, (_, i): Tick => [1, BigInt(i), 1n, 1]);
    const commits = Array.from({ length: 5 }, () => use().commit([appendTicks(batch)]));
    for (let i = 0; i < 10; i++) {
      const { rowCount } = await use().scan({ ...scanAll, columns: ['time'] });
      expect(rowCount % size).toBe(0);
    }
    await Promise.all(commits);
    expect((await use().scan({ ...scanAll, columns: [] })).rowCount).toBe(5 * size);
  });

  it('refuses everything once closed', async () => {
    await use().close();
    await expect(use().commit([createTicks])).rejects.toMatchObject({ code: 'STOPPING' });
    await expect(use().documents()).rejects.toMatchObject({ code: 'STOPPING' });
  });
}
