import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, it } from 'vitest';
import { type ColumnSet, columnOf } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { openParquet } from './read-parquet.ts';
import { createParquet } from './write-parquet.ts';

const folder = mkdtempSync(join(tmpdir(), 'candela-parquet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defs: ColumnDef[] = [
  { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
  { name: 'seen', type: { kind: 'timestamp', unit: 'us', zone: true } },
  { name: 'symbol', type: { kind: 'text' } },
  { name: 'price', type: { kind: 'double' } },
  { name: 'size', type: { kind: 'int64' } },
  { name: 'fee', type: { kind: 'decimal', precision: 20, scale: 4 } },
  { name: 'exact', type: { kind: 'decimal' } },
  { name: 'buy', type: { kind: 'boolean' } },
  { name: 'odd "name"', type: { kind: 'json' } },
];

/** Rows `from` to `to` of a table whose values follow from the row's number; each seventh row is mostly null. */
function page(from: number, to: number): ColumnSet {
  const rows = Array.from({ length: to - from }, (_, index) => from + index);
  const orNull = <T>(row: number, value: T): T | null => (row % 7 === 0 ? null : value);
  const values = [
    rows.map((row) => 1_700_000_000_123_456_789n + BigInt(row)),
    rows.map((row) => orNull(row, 1_700_000_000_123_456_000n + BigInt(row) * 1000n)),
    rows.map((row) => `S${row % 100}`),
    rows.map((row) => orNull(row, row / 8)),
    rows.map((row) => orNull(row, 9_007_199_254_740_993n + BigInt(row))),
    rows.map((row) => orNull(row, { coefficient: BigInt(row) * 10n + 5n, scale: 4 })),
    rows.map((row) => orNull(row, { coefficient: 123_456_789_012_345_678n + BigInt(row), scale: 15 })),
    rows.map((row) => orNull(row, row % 2 === 0)),
    rows.map((row) => orNull(row, `{"row":${row}}`)),
  ];
  const columns = defs.map(({ type }, index) =>
    columnOf(type.kind === 'json' ? 'text' : type.kind, values[index]),
  );
  return { rowCount: rows.length, names: defs.map(({ name }) => name), columns };
}

it('writes in pages what another reader finds, row by row', async () => {
  const path = join(folder, 'written.parquet');
  const writer = await createParquet(path, defs);
  await writer.write(page(0, 1000));
  expect(readdirSync(folder)).not.toContain('written.parquet');
  await writer.write(page(1000, 5000));
  await writer.finish();
  await writer.close();

  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const result = await connection.runAndReadAll(`
    SELECT count(*), count(price), sum(price), sum(size)::VARCHAR, min(epoch_ns("time"))::VARCHAR, max(fee)::VARCHAR,
      max(exact)::VARCHAR, count(*) FILTER (buy), any_value("odd ""name""") FILTER (size = 9007199254740994)
    FROM '${path}'`);
  const numbers = Array.from({ length: 5000 }, (_, row) => row).filter((row) => row % 7 !== 0);
  const sum = numbers.reduce((total, row) => total + row, 0);
  expect(result.getRows()[0].map(String)).toEqual([
    '5000',
    String(numbers.length),
    String(sum / 8),
    String(9_007_199_254_740_993n * BigInt(numbers.length) + BigInt(sum)),
    '1700000000123456789',
    '4.9995',
    '123.45678901235067700000',
    String(numbers.filter((row) => row % 2 === 0).length),
    '{"row":1}',
  ]);
  connection.closeSync();
  instance.closeSync();
  expect(readdirSync(folder)).toEqual(['written.parquet']);
});

it('leaves nothing behind when it is given up', async () => {
  const writer = await createParquet(join(folder, 'given-up.parquet'), defs);
  await writer.write(page(0, 10));
  await writer.close();
  expect(readdirSync(folder).filter((name) => name !== 'written.parquet')).toEqual([]);
});

it('reads back what was written, in order, in pages', async () => {
  const path = join(folder, 'back.parquet');
  const writer = await createParquet(path, defs);
  await writer.write(page(0, 70_000));
  await writer.finish();
  const file = await openParquet(path);
  expect(file.columns.map(({ name, type }) => [name, type.kind])).toEqual([
    ['time', 'timestamp'],
    ['seen', 'timestamp'],
    ['symbol', 'text'],
    ['price', 'double'],
    ['size', 'int64'],
    ['fee', 'decimal'],
    ['exact', 'decimal'],
    ['buy', 'boolean'],
    ['odd "name"', 'json'],
  ]);
  expect(file.columns[0].type).toEqual({ kind: 'timestamp', unit: 'ns', zone: true });
  let rowCount = 0;
  let pages = 0;
  for await (const { columns, rowCount: count } of file.pages(['time', 'price'])) {
    const expected = page(rowCount, rowCount + count);
    expect(columns).toEqual([expected.columns[0], expected.columns[3]]);
    rowCount += count;
    pages++;
  }
  file.close();
  expect(rowCount).toBe(70_000);
  expect(pages).toBeGreaterThan(1);
});

it('reads the types other programs write', async () => {
  const path = join(folder, 'types.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT 1::TINYINT a, 2::UINTEGER b, 1.5::FLOAT c, DATE '2024-05-17' d,
    TIMESTAMP '2024-05-17 09:30:00.5' e, 18446744073709551615::UBIGINT f, [1, 2] g, 'x' h)
    TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  const file = await openParquet(path);
  expect(file.columns.map(({ type }) => type.kind)).toEqual([
    'int64',
    'int64',
    'double',
    'timestamp',
    'timestamp',
    'decimal',
    'json',
    'text',
  ]);
  const pages = file.pages(file.columns.map(({ name }) => name))[Symbol.asyncIterator]();
  const { value: set } = (await pages.next()) as IteratorYieldResult<ColumnSet>;
  expect(set.columns[2]).toEqual(columnOf('double', [1.5]));
  expect(set.columns[3]).toEqual(columnOf('timestamp', [1_715_904_000_000_000_000n]));
  expect(set.columns[4]).toEqual(columnOf('timestamp', [1_715_938_200_500_000_000n]));
  expect(set.columns[5]).toEqual(columnOf('decimal', [{ coefficient: 18446744073709551615n, scale: 0 }]));
  expect(set.columns[6]).toMatchObject({ dictionary: ['[1,2]'] });
  file.close();
});

it('says so when a file is not Parquet', async () => {
  await expect(openParquet(import.meta.filename)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

it('sorts the file, across pages, and keeps the order of what is equal', async () => {
  const path = join(folder, 'sorted.parquet');
  const writer = await createParquet(path, defs, ['symbol', 'buy']);
  await writer.write(page(0, 300));
  await writer.write(page(300, 600));
  await writer.finish();
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = await connection.runAndReadAll(`SELECT symbol, buy, epoch_ns("time") FROM '${path}'`);
  const written = [...Array(600).keys()].map((row): [string, boolean | null, bigint] => [
    `S${row % 100}`,
    row % 7 === 0 ? null : row % 2 === 0,
    1_700_000_000_123_456_789n + BigInt(row),
  ]);
  const rank = (value: boolean | null): number => (value === null ? 2 : Number(value));
  written.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : rank(x) - rank(y)));
  expect(rows.getRows()).toEqual(written);
});
