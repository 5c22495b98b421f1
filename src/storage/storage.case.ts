/** What every store must do, whatever it is made of: run on each backend by its own test file. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ColumnData,
  type ColumnKind,
  type ColumnSet,
  columnOf,
  type Scalar,
  valueAt,
} from '../market/columns.ts';
import { timeNsMax, timeNsMin } from '../market/time.ts';
import type { ScanRequest, Storage, StorageOp, StoredColumn, StoredTable } from './storage.ts';

/** Runs the suite on stores that `open` makes, each empty and its own. */
export function describeStorage(name: string, open: () => Promise<Storage>): void {
  describe(name, () => {
    let storage: Storage;
    beforeEach(async () => {
      storage = await open();
    });
    afterEach(() => storage.close());
    const use = (): Storage => storage;
    describe('types', () => typeCases(use));
    describe('scan', () => scanCases(use));
    describe('point reads', () => pointCases(use));
    describe('rows in', () => writeCases(use));
    describe('commits', () => commitCases(use));
  });
}

/** Ticks as small as can be: series, time, version and a price. */
export const ticks: StoredTable = {
  id: 7,
  columns: [
    { name: '_series', type: { kind: 'int32' }, nullable: false },
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true }, nullable: false },
    { name: '_version', type: { kind: 'int64' }, nullable: false },
    { name: 'price', type: { kind: 'double' }, nullable: true },
  ],
  roles: { series: '_series', time: 'time', version: '_version' },
};

/** A tick: series, time, version, price. */
export type Tick = [series: number, timeNs: bigint, version: bigint, price: number | null];

/** Columns of {@link ticks}. */
export function tickColumns(rows: readonly Tick[]): ColumnData[] {
  return [
    columnOf(
      'int64',
      rows.map(([series]) => BigInt(series)),
    ),
    columnOf(
      'timestamp',
      rows.map(([, timeNs]) => timeNs),
    ),
    columnOf(
      'int64',
      rows.map(([, , version]) => version),
    ),
    columnOf(
      'double',
      rows.map(([, , , price]) => price),
    ),
  ];
}

/** A scan of everything, to be narrowed. */
export const scanAll: ScanRequest = {
  table: ticks.id,
  columns: ['_series', 'time', '_version', 'price'],
  series: null,
  fromNs: null,
  toNs: null,
  order: 'asc',
  limit: null,
  versionBelow: null,
  after: null,
};

/** Rows of a result. */
export function rowsOf(set: ColumnSet): Scalar[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

function append(rows: readonly Tick[], table = ticks.id): StorageOp {
  return { op: 'append', table, columns: tickColumns(rows), rowCount: rows.length };
}

const createTicks: StorageOp = { op: 'create-table', table: ticks };

function typeCases(use: () => Storage): void {
  const roundTrip = async (
    type: StoredColumn['type'],
    kind: ColumnKind,
    values: Scalar[],
  ): Promise<ColumnSet> => {
    const table: StoredTable = { id: 1, columns: [{ name: 'value', type, nullable: true }], roles: null };
    await use().commit([
      { op: 'create-table', table },
      { op: 'append', table: 1, columns: [columnOf(kind, values)], rowCount: values.length },
    ]);
    const set = await use().readAll(1, ['value']);
    expect(set.columns[0].kind).toBe(kind);
    expect(set.names).toEqual(['value']);
    return set;
  };
  const kept = async (type: StoredColumn['type'], kind: ColumnKind, values: Scalar[]): Promise<void> => {
    expect(rowsOf(await roundTrip(type, kind, values))).toEqual(values.map((value) => [value]));
  };

  it('keeps doubles to the bit, and NaN as null', () =>
    kept({ kind: 'double' }, 'double', [
      0.1,
      null,
      -0,
      5e-324,
      Number.MAX_VALUE,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]));

  it('keeps 64-bit integers from end to end', () =>
    kept({ kind: 'int64' }, 'int64', [2n ** 63n - 1n, -(2n ** 63n), null, 0n, -1n]));

  it('keeps 32-bit integers from end to end', () =>
    kept({ kind: 'int32' }, 'int64', [2n ** 31n - 1n, -(2n ** 31n), null, 0n, -1n]));

  it('keeps text of any length and script', () =>
    kept({ kind: 'text' }, 'text', [
      '',
      null,
      'twelve bytes',
      'thirteen byte',
      'é',
      '上证指数',
      '🕯️'.repeat(500),
      "it's",
      'nul\u0000byte',
      'é',
    ]));

  it('keeps JSON text as it was written', () =>
    kept({ kind: 'json' }, 'text', [
      '{"b": 1, "a": [1.50, null]}',
      null,
      '[]',
      '"text"',
      '{"b": 1, "a": [1.50, null]}',
    ]));

  it('keeps booleans', () => kept({ kind: 'boolean' }, 'boolean', [true, false, null, true]));

  it.each([true, false])('keeps nanoseconds of the whole range (zone %s)', (zone) =>
    kept({ kind: 'timestamp', unit: 'ns', zone }, 'timestamp', [
      timeNsMin,
      timeNsMax,
      null,
      0n,
      -1n,
      1n,
      1_700_000_000_123_456_789n,
      -999_999_999n,
    ]),
  );

  it.each([true, false])(
    'keeps microseconds of the whole range and cuts what is finer (zone %s)',
    async (zone) => {
      const times = [
        timeNsMin,
        timeNsMax,
        null,
        0n,
        -1n,
        1n,
        1_700_000_000_123_456_789n,
        -1000n,
        -999_999_999n,
      ];
      expect(rowsOf(await roundTrip({ kind: 'timestamp', unit: 'us', zone }, 'timestamp', times))).toEqual([
        [-9_214_560_000_000_000_000n],
        [9_214_646_399_999_999_000n],
        [null],
        [0n],
        [-1000n],
        [0n],
        [1_700_000_000_123_456_000n],
        [-1000n],
        [-1_000_000_000n],
      ]);
    },
  );

  it.each([
    [4, 4],
    [9, 0],
    [10, 2],
    [18, 18],
    [19, 5],
    [38, 0],
    [38, 38],
  ])('keeps decimal(%i,%i) from end to end', (precision, scale) => {
    const most = 10n ** BigInt(precision) - 1n;
    const values = [most, -most, 0n, 1n, -1n].map((coefficient) => ({ coefficient, scale }));
    return kept({ kind: 'decimal', precision, scale }, 'decimal', [...values, null]);
  });

  it('brings decimals to the scale that was declared', async () => {
    const values = [
      { coefficient: 15n, scale: 1 },
      { coefficient: 12_3400n, scale: 4 },
      { coefficient: -2n, scale: 0 },
    ];
    const set = await roundTrip({ kind: 'decimal', precision: 10, scale: 2 }, 'decimal', values);
    expect(rowsOf(set)).toEqual([
      [{ coefficient: 150n, scale: 2 }],
      [{ coefficient: 1234n, scale: 2 }],
      [{ coefficient: -200n, scale: 2 }],
    ]);
  });

  it('keeps decimals without a precision with the scale they came with', () =>
    kept({ kind: 'decimal' }, 'decimal', [
      { coefficient: 110n, scale: 2 },
      { coefficient: 11n, scale: 1 },
      null,
      { coefficient: 10n ** 38n - 1n, scale: 20 },
      { coefficient: -(10n ** 38n - 1n), scale: 20 },
      { coefficient: 10n ** 18n - 1n, scale: 0 },
      { coefficient: 0n, scale: 15 },
      { coefficient: 2n ** 63n, scale: 20 },
      { coefficient: -(2n ** 63n) - 1n, scale: 20 },
    ]));

  it.each<[string, StoredColumn['type'], Scalar]>([
    ['too many digits', { kind: 'decimal', precision: 4, scale: 1 }, { coefficient: 10_000n, scale: 1 }],
    ['too fine', { kind: 'decimal', precision: 4, scale: 1 }, { coefficient: 125n, scale: 2 }],
    ['too fine without precision', { kind: 'decimal' }, { coefficient: 1n, scale: 21 }],
    ['too large without precision', { kind: 'decimal' }, { coefficient: 10n ** 18n, scale: 0 }],
  ])('refuses a decimal that is %s', (_, type, value) =>
    expect(roundTrip(type, 'decimal', [value])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' }),
  );

  it('keeps nulls and values in their rows across many chunks', async () => {
    const values = Array.from({ length: 5000 }, (_, i) => (i % 7 === 3 ? null : `text number ${i % 600}`));
    await kept({ kind: 'text' }, 'text', values);
  });
}

function scanCases(use: () => Storage): void {
  const scan = async (narrowed: Partial<ScanRequest>): Promise<bigint[]> => {
    const set = await use().scan({ ...scanAll, ...narrowed, columns: ['_version'] });
    return rowsOf(set).map(([version]) => version as bigint);
  };
  beforeEach(() =>
    use().commit([
      createTicks,
      append([
        [2, 30n, 1n, 1],
        [1, 10n, 2n, 2],
        [1, 20n, 4n, 3],
        [2, 20n, 3n, 4],
      ]),
      append([
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
    await use().commit([append([tie(1), tie(2)]), append([tie(3)])]);
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

function pointCases(use: () => Storage): void {
  beforeEach(() =>
    use().commit([
      createTicks,
      append([
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
    await use().commit([append(rows)]);
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

function writeCases(use: () => Storage): void {
  const versions = async (): Promise<Scalar[]> =>
    rowsOf(await use().readAll(ticks.id, ['_version'])).map(([version]) => version);
  beforeEach(() =>
    use().commit([
      createTicks,
      append([
        [1, 10n, 1n, 1],
        [1, 20n, 2n, 2],
        [2, 10n, 3n, 3],
      ]),
    ]),
  );

  it('reads all rows in the order they were appended', async () => {
    await use().commit([append([[0, 5n, 4n, 4]]), append([[0, 4n, 5n, 5]])]);
    expect(await versions()).toEqual([1n, 2n, 3n, 4n, 5n]);
  });

  it('appends no rows', async () => {
    await use().commit([append([])]);
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
    await use().commit([append([[5, 50n, 20n, 0]]), replace(21n), append([[5, 51n, 22n, 0]]), replace(23n)]);
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

  it('rewrites a table', async () => {
    const columns = tickColumns([[1, 1n, 9n, 1]]);
    await use().commit([{ op: 'rewrite', table: ticks.id, columns, rowCount: 1 }, append([[1, 2n, 10n, 1]])]);
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

function commitCases(use: () => Storage): void {
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
    await use().commit([createTicks, append([[1, 10n, 1n, 1]]), { op: 'put-doc', key: 'lsn', value: '1' }]);
    const failing: StorageOp[] = [
      append([[1, 20n, 2n, 2]]),
      { op: 'put-doc', key: 'lsn', value: '2' },
      { op: 'create-table', table: { ...ticks, id: 8 } },
      { op: 'add-column', table: ticks.id, column: { name: 'x', type: { kind: 'text' }, nullable: true } },
      append([[1, 30n, 3n, 3]], 99),
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
      use().commit([append([[1, 1n, 1n, 1]]), { op: 'drop-table', table: 99 }]),
      use().commit([append([[1, 2n, 2n, 2]])]),
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
    await expect(use().commit([append([[1, 1n, 1n, 1]]), op])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect((await use().readAll(7, ['time'])).rowCount).toBe(0);
  });

  it('refuses a table number twice, and forgets a dropped table', async () => {
    await use().commit([createTicks, append([[1, 1n, 1n, 1]])]);
    await expect(use().commit([createTicks])).rejects.toMatchObject({ code: 'TABLE_EXISTS' });
    await use().commit([{ op: 'drop-table', table: ticks.id }]);
    await expect(use().scan(scanAll)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  it('applies commits in the order of the calls', async () => {
    await use().commit([createTicks]);
    const commits = Array.from({ length: 20 }, (_, i) => use().commit([append([[1, 0n, BigInt(i), i]])]));
    await Promise.all(commits);
    const versions = rowsOf(await use().readAll(ticks.id, ['_version'])).map(([version]) => version);
    expect(versions).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i)));
  });

  it('shows a read beside commits a whole number of them', async () => {
    await use().commit([createTicks]);
    const size = 3000;
    const batch = Array.from({ length: size }, (_, i): Tick => [1, BigInt(i), 1n, 1]);
    const commits = Array.from({ length: 5 }, () => use().commit([append(batch)]));
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
