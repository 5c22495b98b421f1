/** Random ops on both stores: whatever is done, the DuckDB store shows what the naive one shows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../core/log.ts';
import { type ColumnKind, type ColumnSet, columnOf, type Scalar } from '../market/columns.ts';
import { rowsOf } from './cases/fixtures.ts';
import { openDuckDbStorage } from './duckdb/duckdb-storage.ts';
import { openMemoryStorage } from './memory/memory-storage.ts';
import type { LookupRequest, ScanRequest, Storage, StorageOp, StoredColumn, StoredTable } from './storage.ts';

const columns: (StoredColumn & { kind: ColumnKind })[] = [
  { name: '_series', type: { kind: 'int32' }, nullable: false, kind: 'int64' },
  { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false, kind: 'timestamp' },
  { name: '_version', type: { kind: 'int64' }, nullable: false, kind: 'int64' },
  { name: 'price', type: { kind: 'double' }, nullable: true, kind: 'double' },
  { name: 'venue', type: { kind: 'text' }, nullable: true, kind: 'text' },
  { name: 'amount', type: { kind: 'decimal' }, nullable: true, kind: 'decimal' },
  { name: 'fee', type: { kind: 'decimal', precision: 12, scale: 3 }, nullable: true, kind: 'decimal' },
  { name: 'auction', type: { kind: 'boolean' }, nullable: true, kind: 'boolean' },
  { name: 'seen', type: { kind: 'timestamp', unit: 'ns', zone: false }, nullable: true, kind: 'timestamp' },
];
const names = columns.map(({ name }) => name);

// Few values each, so that keys, times and versions meet.
const series = fc.integer({ min: -1, max: 3 }).map(BigInt);
const timeNs = fc.integer({ min: -4, max: 8 }).map((half) => BigInt(half) * 500n);
const version = fc.integer({ min: 0, max: 6 }).map(BigInt);
const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { freq: 4 });
const decimal = (scaleMax: number): fc.Arbitrary<Scalar> =>
  fc.record({
    coefficient: fc.bigInt(-(10n ** 9n), 10n ** 9n),
    scale: fc.integer({ min: 0, max: scaleMax }),
  });
const row: fc.Arbitrary<Scalar[]> = fc.tuple(
  series,
  timeNs,
  version,
  orNull(fc.double({ noNaN: true })),
  orNull(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom('', 'NYSE', 'a venue with a long name'),
    ),
  ),
  orNull(decimal(20)),
  orNull(decimal(3)),
  orNull(fc.boolean()),
  orNull(fc.bigInt(-(2n ** 62n), 2n ** 62n)),
);

/** Ops on a table whose number is given later. */
type OpOnTable = (table: number) => StorageOp;

const rowsOp = fc.record({
  op: fc.constantFrom('append', 'append', 'rewrite'),
  rows: fc.array(row, { maxLength: 12 }),
});
const replaceKeys: string[][] = [['_series', 'time'], ['_series'], ['venue', '_series']];
const replaceOp = fc
  .constantFrom(...replaceKeys)
  .chain((key) =>
    fc
      .uniqueArray(row, { maxLength: 6, selector: (values) => keyOf(values, key) })
      .map((rows) => ({ op: 'replace' as const, key, rows })),
  );
const op: fc.Arbitrary<OpOnTable> = fc.oneof(
  {
    weight: 5,
    arbitrary: rowsOp.map(
      ({ op, rows }): OpOnTable =>
        (table) => ({ op: op as 'append', table, ...columnsOf(rows) }),
    ),
  },
  {
    weight: 4,
    arbitrary: replaceOp.map(
      ({ key, rows }): OpOnTable =>
        (table) => ({ op: 'replace', table, key, ...columnsOf(rows) }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ key: fc.constantFrom('a', 'b'), value: fc.string() }).map(
      (document): OpOnTable =>
        () => ({ op: 'put-doc', ...document }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', 'b').map(
      (key): OpOnTable =>
        () => ({ op: 'delete-doc', key }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<OpOnTable>(() => ({ op: 'drop-table', table: -1 })) },
);

function columnsOf(rows: readonly Scalar[][]) {
  return {
    columns: columns.map(({ kind }, index) =>
      columnOf(
        kind,
        rows.map((values) => values[index]),
      ),
    ),
    rowCount: rows.length,
  };
}

/** The key as the store compares it: times are cut to microseconds. */
function keyOf(values: readonly Scalar[], key: readonly string[]): string {
  const parts = key.map((name) => {
    const value = values[names.indexOf(name)];
    return name === 'time' ? (value as bigint) >> 1n : value;
  });
  return parts.map(String).join('|');
}

const scan: fc.Arbitrary<Omit<ScanRequest, 'table'>> = fc.record({
  columns: fc.shuffledSubarray(names, { minLength: 1 }),
  series: fc.option(fc.array(series, { maxLength: 20 }).map((list) => Int32Array.from(list, Number))),
  fromNs: fc.option(timeNs),
  toNs: fc.option(timeNs),
  order: fc.constantFrom('asc', 'desc'),
  limit: fc.option(fc.nat({ max: 10 })),
  versionBelow: fc.option(version),
  after: fc.option(fc.record({ timeNs, version })),
});
const lookup: fc.Arbitrary<Omit<LookupRequest, 'table'>> = fc
  .array(fc.tuple(series, timeNs), { maxLength: 8 })
  .map((pairs) => ({
    columns: names,
    series: Int32Array.from(pairs, ([number]) => Number(number)),
    timesNs: BigInt64Array.from(pairs, ([, time]) => time),
  }));

let directory = '';
let duckdb: Storage;
const memory = openMemoryStorage();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-property-'));
  duckdb = await openDuckDbStorage({ directory, log: silentLogger });
});
afterAll(async () => {
  await duckdb.close();
  await rm(directory, { recursive: true });
});

async function onBoth<T>(
  run: (storage: Storage) => Promise<T>,
): Promise<[PromiseSettledResult<T>, PromiseSettledResult<T>]> {
  const [expected] = await Promise.allSettled([run(memory)]);
  const [actual] = await Promise.allSettled([run(duckdb)]);
  return [expected, actual];
}

async function expectSame(run: (storage: Storage) => Promise<ColumnSet>, ordered = true): Promise<void> {
  const shown = async (storage: Storage): Promise<unknown> => {
    const set = await run(storage);
    const rows = rowsOf(set).map((values) => values.map(show).join(' | '));
    return {
      names: set.names,
      kinds: set.columns.map(({ kind }) => kind),
      rows: ordered ? rows : rows.sort(),
    };
  };
  const [expected, actual] = await onBoth(shown);
  expect(actual).toEqual(expected);
}

function show(value: Scalar): string {
  if (value === null || typeof value !== 'object')
    return `${typeof value} ${Object.is(value, -0) ? '-0' : value}`;
  return `${value.coefficient}e-${value.scale}`;
}

it('shows what the naive store shows', async () => {
  let tables = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      fc.array(scan, { minLength: 3, maxLength: 3 }),
      lookup,
      async (commits, scans, pairs) => {
        const id = ++tables;
        const roles = { series: '_series', time: 'time', version: '_version' };
        const table: StoredTable = { id, columns: columns.map(({ kind: _, ...column }) => column), roles };
        await onBoth((storage) => storage.commit([{ op: 'create-table', table }]));
        for (const commit of commits) {
          const [expected, actual] = await onBoth((storage) =>
            storage.commit(commit.map((make) => make(id))),
          );
          expect(actual.status).toBe(expected.status);
        }
        await expectSame((storage) => storage.readAll(id, names));
        for (const request of scans) await expectSame((storage) => storage.scan({ table: id, ...request }));
        await expectSame((storage) => storage.lookup({ table: id, ...pairs }), false);
        await expectSame((storage) => storage.lastRows(id, names));
        const [expected, actual] = await onBoth(async (storage) => [...(await storage.documents())].sort());
        expect(actual).toEqual(expected);
        await onBoth((storage) => storage.commit([{ op: 'drop-table', table: id }]));
      },
    ),
    { numRuns: 40 },
  );
});
