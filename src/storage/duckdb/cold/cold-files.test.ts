import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { columnOf } from '../../../market/columns.ts';
import { rowsOf } from '../../cases/fixtures.ts';
import type { Storage, StorageOp, StoredTable } from '../../storage.ts';
import { openDuckDbStorage } from '../duckdb-storage.ts';

const quotes: StoredTable = {
  id: 8,
  columns: [
    { name: '_sid', type: { kind: 'int32' }, nullable: false },
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: false }, nullable: false },
    { name: '_seq', type: { kind: 'int64' }, nullable: false },
    { name: 'price', type: { kind: 'decimal' }, nullable: true },
    { name: 'size', type: { kind: 'decimal', precision: 12, scale: 3 }, nullable: true },
    { name: 'note', type: { kind: 'json' }, nullable: true },
    { name: 'is_buy', type: { kind: 'boolean' }, nullable: true },
  ],
  roles: { series: '_sid', time: 'time', version: '_seq' },
};
const dictionary: StoredTable = {
  id: 9,
  columns: [
    { name: '_sid', type: { kind: 'int32' }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
  ],
  roles: null,
};
const names = quotes.columns.map(({ name }) => name);
const all = { table: 8, fromNs: 0n, toNs: 10n ** 12n };
const scanAll = {
  ...all,
  columns: names,
  series: null,
  order: 'asc',
  limit: null,
  versionBelow: null,
  after: null,
} as const;

const decimal = (coefficient: bigint | null, scale: number) =>
  coefficient === null ? null : { coefficient, scale };

/** 6 rows, of series 1 and 0 in turn; prices keep their own scales. */
const rows: StorageOp = {
  op: 'append',
  table: 8,
  rowCount: 6,
  columns: [
    columnOf('int64', [1n, 0n, 1n, 0n, 1n, 0n]),
    columnOf('timestamp', [1n, 2n, 3n, 4n, 5n, 6n]),
    columnOf('int64', [0n, 1n, 2n, 3n, 4n, 5n]),
    columnOf('decimal', [10n, 110n, null, -5n, 10n ** 18n, 7n].map((c, scale) => decimal(c, scale))),
    columnOf('decimal', [1n, null, 3n, 4n, 5n, 6n].map((c) => decimal(c, 3))),
    columnOf('text', ['{"a":1}', null, '[]', '"é"', '{}', '1']),
    columnOf('boolean', [true, false, null, true, false, true]),
  ],
}; // biome-ignore format: a column a line

let directory: string;
let storage: Storage;
const open = (): Promise<Storage> => openDuckDbStorage({ directory, log: silentLogger });
const coldNames = (): string[] => readdirSync(join(directory, 'cold'));
const sqlCount = async (): Promise<unknown> => {
  const snapshot = await storage.snapshot();
  const limits = { rowsMax: 10, timeoutMs: 10_000 };
  const text = 'SELECT symbol, count(*), sum(size)::VARCHAR FROM quotes GROUP BY 1 ORDER BY 1';
  const result = await snapshot.query(text, [], limits);
  await snapshot.close();
  return rowsOf(result);
};

const counted = [
  ['AAPL', 3n, '0.010'],
  ['MSFT', 3n, '0.009'],
];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'candela-cold-'));
  storage = await open();
  await storage.commit([
    { op: 'create-table', table: quotes },
    { op: 'create-table', table: dictionary },
    {
      op: 'put-view',
      view: {
        name: 'quotes',
        columns: [
          { name: 'time', source: { from: 'row', column: 'time' } },
          { name: 'symbol', source: { from: 'series', column: 'symbol' } },
          { name: 'size', source: { from: 'row', column: 'size' } },
        ],
        tables: [8],
        seriesTable: 9,
      },
    },
    {
      op: 'append',
      table: 9,
      columns: [columnOf('int64', [0n, 1n]), columnOf('text', ['AAPL', 'MSFT'])],
      rowCount: 2,
    },
    rows,
  ]);
});

afterEach(async () => {
  await storage.close();
  rmSync(directory, { recursive: true });
});

it('keeps every kind of value, through a restart and in another directory, for scans and SQL', async () => {
  const before = rowsOf(await storage.scan(scanAll));
  expect(await storage.tier({ ...all, toNs: 4n })).toBe(3);
  expect(await storage.tier(all)).toBe(3);
  expect(rowsOf(await storage.scan(scanAll))).toEqual(before);
  expect(await sqlCount()).toEqual(counted);
  await storage.close();
  const moved = `${directory}-moved`;
  renameSync(directory, moved);
  directory = moved;
  storage = await open();
  expect(rowsOf(await storage.scan(scanAll))).toEqual(before);
  expect(await sqlCount()).toEqual(counted);
});

it('writes files that others can read, sorted by series and time, with the key spelled out', async () => {
  await storage.tier(all);
  const [name] = coldNames();
  const other = await (await DuckDBInstance.create(':memory:')).connect();
  const read = await other.runAndReadAll(
    `SELECT symbol, epoch_ns(time), price::VARCHAR, size::VARCHAR, note FROM '${join(directory, 'cold', name)}'`,
  );
  expect(read.getRows().map((row) => row.slice(0, 2))).toEqual([
    ['AAPL', 2n],
    ['AAPL', 4n],
    ['AAPL', 6n],
    ['MSFT', 1n],
    ['MSFT', 3n],
    ['MSFT', 5n],
  ]);
  expect(read.getRows()[1].slice(2)).toEqual(['-0.00500000000000000000', '0.004', '"é"']);
});

it('removes a file when its rows are back or gone, and at a start those that nobody knows', async () => {
  await storage.tier({ ...all, toNs: 4n });
  await storage.tier({ ...all, fromNs: 4n });
  expect(coldNames()).toHaveLength(2);
  await storage.commit([{ op: 'delete-range', ...all, toNs: 4n }]);
  expect(coldNames()).toHaveLength(1);
  const last = { columns: [columnOf('int64', [5n])], rowCount: 1 };
  await storage.commit([{ op: 'delete', table: 8, key: ['_seq'], ...last }]);
  expect(coldNames()).toHaveLength(0);
  expect(rowsOf(await storage.scan({ ...scanAll, columns: ['_seq'] }))).toEqual([[3n], [4n]]);
  await storage.tier(all);
  await storage.close();
  writeFileSync(join(directory, 'cold', 't8-1-7.parquet'), 'half a file');
  storage = await open();
  expect(coldNames()).toHaveLength(1);
  expect(coldNames()).not.toContain('t8-1-7.parquet');
  expect(rowsOf(await storage.scan({ ...scanAll, columns: ['_seq'] }))).toEqual([[3n], [4n]]);
});

it('leaves files to snapshots that may still read them', async () => {
  await storage.tier(all);
  const snapshot = await storage.snapshot();
  await storage.commit([{ op: 'delete-range', ...all }]);
  const limits = { rowsMax: 10, timeoutMs: 10_000 };
  expect(rowsOf(await snapshot.query('SELECT count(*) FROM quotes', [], limits))).toEqual([[6n]]);
  await snapshot.close();
  await storage.commit([{ op: 'put-doc', key: 'any', value: 'commit' }]);
  expect(coldNames()).toEqual([]);
});

it('copies the files with an image', async () => {
  await storage.tier(all);
  const before = rowsOf(await storage.scan(scanAll));
  const image = await storage.image();
  const copy = `${directory}-copy`;
  mkdirSync(join(copy, 'cold'), { recursive: true });
  for (const { name, bytes } of image.files)
    writeFileSync(join(copy, name), await image.read(name, 0, bytes));
  await storage.commit([{ op: 'delete-range', ...all }]);
  await image.close();
  await storage.close();
  rmSync(directory, { recursive: true });
  directory = copy;
  storage = await open();
  expect(rowsOf(await storage.scan(scanAll))).toEqual(before);
});

it('names a file that is missing', async () => {
  await storage.tier(all);
  await storage.close();
  const [name] = coldNames();
  cpSync(join(directory, 'cold', name), join(directory, 'kept'));
  rmSync(join(directory, 'cold', name));
  await expect(open()).rejects.toMatchObject({
    code: 'CORRUPT_STORE',
    message: expect.stringContaining(name),
  });
  renameSync(join(directory, 'kept'), join(directory, 'cold', name));
  storage = await open();
  expect((await storage.scan(scanAll)).rowCount).toBe(6);
});

it('lets no query near the files or any other', async () => {
  await storage.tier(all);
  const [name] = coldNames();
  const snapshot = await storage.snapshot();
  const limits = { rowsMax: 10, timeoutMs: 10_000 };
  const path = join(directory, 'cold', name);
  const queries = [`SELECT * FROM read_parquet('${path}')`, `SELECT * FROM '${path}'`];
  for (const text of [...queries, `COPY (SELECT 1) TO '${path}'`]) {
    await expect(snapshot.query(text, [], limits)).rejects.toBeInstanceOf(Error);
  }
  await snapshot.close();
});
