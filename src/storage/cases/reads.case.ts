/** Ranges, pages, points and last rows. */
import { beforeEach, expect, it } from 'vitest';
import { type Scalar, textColumn } from '../../market/columns.ts';
import type { ScanRequest, Storage, StoredTable } from '../storage.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, tickColumns, ticks } from './fixtures.ts';

/** See `storage.case.ts`. */
export function scanCases(use: () => Storage): void {
  const scan = async (narrowed: Partial<ScanRequest>): Promise<bigint[]> => {
    const set = await use().scan({ ...scanAll, ...narrowed, columns: ['_version'] });
    return rowsOf(set).map(([version]) => version as bigint);
  };
  beforeEach(() =>
    use().commit([
      createTicks,
      appendTicks([
        [2, 30n, 1n, 1],
        [1, 10n, 2n, 2],
        [1, 20n, 4n, 3],
        [2, 20n, 3n, 4],
      ]),
      appendTicks([
        [3, -5n, 6n, 5],
        [1, 20n, 5n, null],
      ]),
    ]),
  );

  it('orders by time, then version', async () => {
    expect(await scan({})).toEqual([6n, 2n, 3n, 4n, 5n, 1n]);
    expect(await scan({ order: 'desc' })).toEqual([1n, 5n, 4n, 3n, 2n, 6n]);
  });

  it('keeps the order of appending where time and version are equal', async () => {
    const tie = (price: number): Tick => [9, 40n, 9n, price];
    await use().commit([appendTicks([tie(1), tie(2)]), appendTicks([tie(3)])]);
    const prices = async (order: 'asc' | 'desc'): Promise<Scalar[]> => {
      const set = await use().scan({ ...scanAll, series: Int32Array.of(9), columns: ['price'], order });
      return rowsOf(set).map(([price]) => price);
    };
    expect(await prices('asc')).toEqual([1, 2, 3]);
    expect(await prices('desc')).toEqual([3, 2, 1]);
  });

  it('returns the columns asked for, in that order', async () => {
    const set = await use().scan({ ...scanAll, columns: ['price', '_series'], limit: 1 });
    expect(set.names).toEqual(['price', '_series']);
    expect(rowsOf(set)).toEqual([[5, 3n]]);
  });

  it('takes one, several, many and no series', async () => {
    expect(await scan({ series: Int32Array.of(1) })).toEqual([2n, 4n, 5n]);
    expect(await scan({ series: Int32Array.of(3, 1, 77) })).toEqual([6n, 2n, 4n, 5n]);
    expect(await scan({ series: Int32Array.from({ length: 100 }, (_, i) => 101 - i) })).toEqual([6n, 3n, 1n]);
    expect(await scan({ series: new Int32Array(0) })).toEqual([]);
  });

  it('includes the start and excludes the end', async () => {
    expect(await scan({ fromNs: 10n, toNs: 20n })).toEqual([2n]);
    expect(await scan({ fromNs: 11n })).toEqual([3n, 4n, 5n, 1n]);
    expect(await scan({ toNs: 10n })).toEqual([6n]);
    expect(await scan({ fromNs: -(2n ** 70n), toNs: 2n ** 70n })).toHaveLength(6);
    expect(await scan({ fromNs: 30n, toNs: 10n })).toEqual([]);
  });

  it('gives rows that are unlike those there when the same was read before', async () => {
    const note = { name: 'note', type: { kind: 'text' } as const, nullable: true };
    const table: StoredTable = { ...ticks, id: 77, columns: [...ticks.columns, note] };
    const request = { ...scanAll, table: 77, columns: ['_version', 'note'] };
    const append = (version: bigint, text: string): Promise<void> => {
      const columns = [...tickColumns([[1, version, version, 1]]), textColumn([text])];
      return use().commit([{ op: 'append', table: 77, columns, rowCount: 1 }]);
    };
    await use().commit([{ op: 'create-table', table }]);
    await append(1n, 'C');
    expect(rowsOf(await use().scan(request))).toEqual([[1n, 'C']]);
    await append(1_000_000n, 'C*');
    // As often as there may be connections that have read before.
    for (let i = 0; i < 4; i++) {
      expect(rowsOf(await use().scan(request))).toEqual([
        [1n, 'C'],
        [1_000_000n, 'C*'],
      ]);
    }
  });

  it('limits from either end', async () => {
    expect(await scan({ limit: 2 })).toEqual([6n, 2n]);
    expect(await scan({ limit: 2, order: 'desc' })).toEqual([1n, 5n]);
    expect(await scan({ limit: 0 })).toEqual([]);
    expect(await scan({ limit: 99 })).toHaveLength(6);
  });

  it('leaves out versions from the bound on', async () => {
    expect(await scan({ versionBelow: 4n })).toEqual([2n, 3n, 1n]);
    expect(await scan({ versionBelow: 4n, limit: 1, order: 'desc' })).toEqual([1n]);
  });

  it('goes on after the row where a page ended, in both orders', async () => {
    for (const order of ['asc', 'desc'] as const) {
      const paged: bigint[] = [];
      let after: ScanRequest['after'] = null;
      for (let page = 0; page < 10; page++) {
        const set = await use().scan({ ...scanAll, order, limit: 2, after, columns: ['time', '_version'] });
        const rows = rowsOf(set) as [bigint, bigint][];
        if (rows.length === 0) break;
        paged.push(...rows.map(([, version]) => version));
        const [timeNs, version] = rows[rows.length - 1];
        after = { timeNs, version };
      }
      expect(paged).toEqual(await scan({ order }));
    }
  });

  it('compares nanosecond bounds with microsecond columns exactly', async () => {
    const [series, time, version] = ticks.columns;
    const micros: StoredTable = {
      id: 8,
      columns: [series, { ...time, type: { kind: 'timestamp', unit: 'us', zone: false } }, version],
      roles: ticks.roles,
    };
    const rows: Tick[] = [
      [1, -2000n, 1n, 0],
      [1, -1000n, 2n, 0],
      [1, 0n, 3n, 0],
      [1, 1000n, 4n, 0],
    ];
    const columns = tickColumns(rows).slice(0, 3);
    await use().commit([
      { op: 'create-table', table: micros },
      { op: 'append', table: 8, columns, rowCount: 4 },
    ]);
    expect(await scan({ table: 8, fromNs: -1500n })).toEqual([2n, 3n, 4n]);
    expect(await scan({ table: 8, fromNs: 1n })).toEqual([4n]);
    expect(await scan({ table: 8, toNs: -1500n })).toEqual([1n]);
    expect(await scan({ table: 8, toNs: 1n })).toEqual([1n, 2n, 3n]);
    expect(await scan({ table: 8, after: { timeNs: -999n, version: 0n } })).toEqual([3n, 4n]);
    expect(await scan({ table: 8, after: { timeNs: -999n, version: 0n }, order: 'desc' })).toEqual([2n, 1n]);
    expect(await scan({ table: 8, after: { timeNs: -1000n, version: 2n }, order: 'desc' })).toEqual([1n]);
    const found = await use().lookup({
      table: 8,
      columns: ['_version'],
      series: Int32Array.of(1, 1),
      timesNs: BigInt64Array.of(-1000n, 999n),
    });
    expect(rowsOf(found)).toEqual([[2n]]);
  });

  it('returns columns of no rows for an empty table', async () => {
    await use().commit([{ op: 'rewrite', table: ticks.id, columns: tickColumns([]), rowCount: 0 }]);
    const set = await use().scan(scanAll);
    expect(set.rowCount).toBe(0);
    expect(set.columns.map(({ kind }) => kind)).toEqual(['int64', 'timestamp', 'int64', 'double']);
  });

  it('names what it does not have', async () => {
    await expect(use().scan({ ...scanAll, table: 99 })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    await expect(use().scan({ ...scanAll, columns: ['size'] })).rejects.toMatchObject({
      code: 'COLUMN_NOT_FOUND',
    });
  });
}

/** See `storage.case.ts`. */
export function pointCases(use: () => Storage): void {
  beforeEach(() =>
    use().commit([
      createTicks,
      appendTicks([
        [1, 10n, 1n, 1],
        [2, 10n, 2n, 2],
        [1, 20n, 3n, 3],
        [1, 20n, 5n, 5],
        [1, 20n, 4n, 4],
        [2, -7n, 6n, 6],
      ]),
    ]),
  );

  it('looks up pairs of series and time', async () => {
    const set = await use().lookup({
      table: ticks.id,
      columns: ['price'],
      series: Int32Array.of(2, 1, 1, 2, 2),
      timesNs: BigInt64Array.of(-7n, 10n, 11n, 20n, -7n),
    });
    expect(rowsOf(set).sort()).toEqual([[1], [6]]);
  });

  it('looks up nothing', async () => {
    const nothing = { series: new Int32Array(0), timesNs: new BigInt64Array(0) };
    const set = await use().lookup({ table: ticks.id, columns: ['price'], ...nothing });
    expect(set).toMatchObject({ rowCount: 0, names: ['price'] });
  });

  it('looks up thousands of pairs', async () => {
    const rows = Array.from({ length: 5000 }, (_, i): Tick => [100 + (i % 50), BigInt(i) * 1000n, 1n, i]);
    await use().commit([appendTicks(rows)]);
    const wanted = rows.filter((_, i) => i % 2 === 0);
    const set = await use().lookup({
      table: ticks.id,
      columns: ['price'],
      series: Int32Array.from(wanted, ([series]) => series),
      timesNs: BigInt64Array.from(wanted, ([, timeNs]) => timeNs),
    });
    const prices = rowsOf(set).map(([price]) => Number(price));
    expect(prices.sort((a, b) => a - b)).toEqual(wanted.map(([, , , price]) => price));
  });

  it('finds the last row of each series by time, then version', async () => {
    const set = await use().lastRows(ticks.id, ['_series', 'price']);
    expect(rowsOf(set)).toEqual([
      [1n, 5],
      [2n, 2],
    ]);
  });

  it('finds the last row of each series before a time', async () => {
    const columns = ['_series', 'time', '_version', 'price'];
    for (const toNs of [-5n, 0n, 10n, 11n, 20n, 21n, 30n, 31n]) {
      const before = await use().scan({ ...scanAll, columns, toNs });
      const last = new Map(rowsOf(before).map((row) => [String(row[0]), row]));
      for (const series of [null, [1], [2, 7], []]) {
        const wanted = [...last.values()].filter(([one]) => !series || series.includes(Number(one)));
        const of = { series: series && Int32Array.from(series), toNs };
        const set = await use().lastRows(ticks.id, columns, of);
        expect(rowsOf(set)).toEqual(wanted.sort((a, b) => Number(a[0]) - Number(b[0])));
      }
    }
  });

  it('refuses range reads of a table without series', async () => {
    const table: StoredTable = {
      id: 1,
      columns: [{ name: 'a', type: { kind: 'text' }, nullable: true }],
      roles: null,
    };
    await use().commit([{ op: 'create-table', table }]);
    const scan = use().scan({ ...scanAll, table: 1, columns: ['a'] });
    await expect(scan).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(use().lastRows(1, ['a'])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
}
