import {
  DateDay,
  Float32,
  Int32,
  Int64,
  makeData,
  makeVector,
  Table,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  Utf8,
  Utf8View,
  type Vector,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CandelaError } from '../../core/errors.ts';
import { type ColumnData, type ColumnSet, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import { timeNsMax, timeNsMin } from '../../market/time.ts';
import type { DecodedRows } from '../decode/decoded-rows.ts';
import { decodeArrow } from './decode-arrow.ts';
import { encodeArrow } from './encode-arrow.ts';

const columns: ColumnDef[] = [
  { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
  { name: 'symbol', type: { kind: 'text' } },
  { name: 'price', type: { kind: 'double' } },
  { name: 'size', type: { kind: 'int64' } },
  { name: 'amount', type: { kind: 'decimal' } },
  { name: 'buy', type: { kind: 'boolean' } },
];
const table: TableDef = { name: 'trades', kind: 'ticks', columns, timeColumn: 'time', seriesKey: ['symbol'] };
const limits = { rowsMax: 10_000 };

const decode = (vectors: Record<string, Vector>, container: 'stream' | 'file' = 'stream') =>
  decodeArrow(table, tableToIPC(new Table(vectors), container), limits);
const valuesOf = (decoded: DecodedRows, name: string) =>
  Array.from({ length: decoded.batch.rowCount }, (_, row) =>
    valueAt(decoded.batch.columns[name] as ColumnData, row),
  );
const setOf = (values: Record<string, readonly Scalar[]>): ColumnSet => ({
  rowCount: Object.values(values)[0].length,
  names: Object.keys(values),
  columns: Object.entries(values).map(([name, column]) =>
    columnOf(columns.find((def) => def.name === name)?.type.kind as 'double', column),
  ),
});

it('reads back what it wrote, stream and file', () => {
  const nullable = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
  const record = fc.record({
    time: nullable(fc.bigInt({ min: timeNsMin, max: timeNsMax })),
    symbol: nullable(fc.string({ unit: 'grapheme' })),
    price: nullable(fc.double({ noNaN: true })),
    size: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    buy: nullable(fc.boolean()),
  });
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1 }),
      fc.constantFrom('stream', 'file'),
      (records, container) => {
        const names = Object.keys(records[0]) as (keyof (typeof records)[0])[];
        const values = Object.fromEntries(names.map((name) => [name, records.map((row) => row[name])]));
        const decoded = decodeArrow(table, encodeArrow(setOf(values), container as 'stream'), limits);
        expect(decoded.rejected).toEqual([]);
        for (const name of names) expect(valuesOf(decoded, name)).toEqual(values[name]);
      },
    ),
  );
});

it('writes no rows as an empty table with its columns', () => {
  const empty = setOf({ time: [], symbol: [], price: [], size: [], amount: [], buy: [] });
  const arrow = tableFromIPC(encodeArrow(empty, 'stream'));
  expect(arrow.numRows).toBe(0);
  expect(arrow.schema.fields.map((field) => field.name)).toEqual(empty.names);
});

it('writes the types it promises', () => {
  const set = setOf({
    time: [1n],
    symbol: ['A'],
    price: [1],
    size: [1n],
    amount: [{ coefficient: 1n, scale: 2 }],
    buy: [true],
  });
  const types = tableFromIPC(encodeArrow(set, 'stream')).schema.fields.map((field) => String(field.type));
  expect(types).toEqual([
    'Timestamp<NANOSECOND, UTC>',
    'Dictionary<Int32, Utf8>',
    'Float64',
    'Int64',
    'Decimal[38e+2]',
    'Bool',
  ]);
});

it('keeps decimals exact: at one scale, as text where they do not fit', () => {
  const amounts = [
    { coefficient: 110n, scale: 2 },
    { coefficient: -5n, scale: 0 },
    null,
    { coefficient: 12345678901234567890n, scale: 4 },
  ];
  const decoded = decodeArrow(table, encodeArrow(setOf({ amount: amounts }), 'stream'), limits);
  expect(valuesOf(decoded, 'amount')).toEqual([
    { coefficient: 11000n, scale: 4 },
    { coefficient: -50000n, scale: 4 },
    null,
    { coefficient: 12345678901234567890n, scale: 4 },
  ]);
  const wide = [
    { coefficient: 10n ** 30n, scale: 0 },
    { coefficient: 1n, scale: 20 },
  ];
  const asText = decodeArrow(table, encodeArrow(setOf({ amount: wide }), 'stream'), limits);
  expect(valuesOf(asText, 'amount')).toEqual(wide);
});

it('shrinks a dictionary that is larger than its rows', () => {
  const dictionary = Array.from({ length: 1000 }, (_, i) => `S${i}`);
  const set: ColumnSet = {
    rowCount: 2,
    names: ['symbol'],
    columns: [{ kind: 'text', dictionary, codes: Int32Array.of(7, -1) }],
  };
  const bytes = encodeArrow(set, 'stream');
  expect(valuesOf(decodeArrow(table, bytes, limits), 'symbol')).toEqual(['S7', null]);
  expect(bytes.length).toBeLessThan(1000);
});

it('takes other number and time types that hold the same values', () => {
  const decoded = decode({
    time: vectorFromArray([1_700_000_000_123, null], new TimestampMillisecond()),
    symbol: vectorFromArray(['A', 'B'], new Utf8()),
    price: vectorFromArray([1.5, null], new Float32()),
    size: vectorFromArray([7, null], new Int32()),
    amount: vectorFromArray([1.25, null]),
  });
  expect(valuesOf(decoded, 'time')).toEqual([1_700_000_000_123_000_000n, null]);
  expect(valuesOf(decoded, 'price')).toEqual([1.5, null]);
  expect(valuesOf(decoded, 'size')).toEqual([7n, null]);
  expect(valuesOf(decoded, 'amount')).toEqual([{ coefficient: 125n, scale: 2 }, null]);
  const dates = decode({ time: vectorFromArray([new Date(86_400_000)], new DateDay()) });
  expect(valuesOf(dates, 'time')).toEqual([86_400_000_000_000n]);
  const unix = decode({ time: vectorFromArray([1_700_000_000_123_456_789n], new Int64()) });
  expect(valuesOf(unix, 'time')).toEqual([1_700_000_000_123_456_789n]);
  const long = 'longer than the twelve bytes that a view holds itself';
  const views = decode({ symbol: vectorFromArray(['A', long, null], new Utf8View()) });
  expect(valuesOf(views, 'symbol')).toEqual(['A', long, null]);
  const iso = decode({ time: vectorFromArray(['2024-05-17T09:30:00Z'], new Utf8()) });
  expect(valuesOf(iso, 'time')).toEqual([1_715_938_200_000_000_000n]);
});

it('joins record batches, each with a dictionary of its own', () => {
  const first = tableFromArrays({ symbol: ['A', 'B', 'A'] });
  const second = tableFromArrays({ symbol: ['C', 'A'] });
  const decoded = decodeArrow(table, tableToIPC(first.concat(second), 'stream'), limits);
  expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'B', 'A', 'C', 'A']);
});

it('refuses rows whose values do not fit', () => {
  const decoded = decode({
    time: vectorFromArray([1000, 9_300_000_000_000, 3000, null], new TimestampSecond()),
    size: vectorFromArray(['1', '2', 'x', '4'], new Utf8()),
  });
  expect(decoded.rejected).toEqual([
    { row: 1, column: 'time', reason: 'is outside the years 1678 to 2261' },
    { row: 2, column: 'size', reason: "'x' is not a whole number" },
  ]);
  expect(valuesOf(decoded, 'time')).toEqual([1_000_000_000n, null]);
  const wrong = decode({ price: vectorFromArray([1000], new TimestampSecond()) });
  expect(wrong.rejected[0].reason).toMatch(/has the Arrow type Timestamp<SECOND>, which does not fit/);
});

it('refuses a whole table that is not one of ours', () => {
  const check = (code: string, run: () => unknown) =>
    expect(run).toThrow(expect.objectContaining({ name: 'CandelaError', code }));
  check('COLUMN_NOT_FOUND', () => decode({ prize: vectorFromArray([1]) }));
  check('LIMIT_EXCEEDED', () => decode({ price: vectorFromArray(new Float64Array(10_001)) }));
  check('SYNTAX', () => decodeArrow(table, Buffer.from('not arrow at all'), limits));
});

it.each(['stream', 'file'] as const)('says that a %s was cut short, and where', (container) => {
  const set = setOf({ time: [1n, 2n], symbol: ['A', 'B'] });
  const bytes = encodeArrow(set, container);
  for (const length of [0, 7, 8, 100, bytes.length - 20]) {
    const cut = () => decodeArrow(table, bytes.subarray(0, length), limits);
    expect(cut, String(length)).toThrow(`Arrow: cut short: it ends after ${length} bytes`);
  }
});

it('survives damaged bytes', () => {
  const set = setOf({
    time: [1n, 2n, null],
    symbol: ['A', 'B', null],
    price: [1, 2, null],
    size: [1n, 2n, null],
    amount: [{ coefficient: 1n, scale: 2 }, null, null],
    buy: [true, false, null],
  });
  const strings = tableToIPC(new Table({ symbol: vectorFromArray(['A', 'BC', null], new Utf8()) }), 'stream');
  const check = (bytes: Uint8Array) => {
    try {
      const decoded = decodeArrow(table, bytes, limits);
      expect(decoded.batch.rowCount + decoded.rejected.length).toBe(decoded.sentRowCount);
    } catch (error) {
      expect(error).toBeInstanceOf(CandelaError);
    }
  };
  const views = tableToIPC(
    new Table({ symbol: vectorFromArray(['A', 'B'.repeat(50)], new Utf8View()) }),
    'stream',
  );
  const originals = [encodeArrow(set, 'stream'), encodeArrow(set, 'file'), strings, views];
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat()),
      (original, changes, cut) => {
        const bytes = Uint8Array.from(original);
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
        check(cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
      },
    ),
    { numRuns: Number(process.env.CANDELA_FUZZ_RUNS ?? 3000) },
  );
});

it.each([
  ['s', new TimestampSecond(), 1_000_000_000n],
  ['ms', new TimestampMillisecond(), 1_000_000n],
  ['us', new TimestampMicrosecond(), 1_000n],
  ['ns', new TimestampNanosecond(), 1n],
])('multiplies times in %s exactly, up to the first and last there are', (_, type, factor) => {
  const [first, last] = [timeNsMin / factor, timeNsMax / factor];
  const inside = fc.oneof(
    fc.bigInt({ min: first, max: last }),
    fc.bigInt({ min: -4_294_967_296n / factor - 1n, max: 4_294_967_296n / factor + 1n }),
  );
  const beyond = fc.oneof(
    fc.bigInt({ min: last + 1n, max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: first - 1n }),
  );
  const check = (times: bigint[]): void => {
    const decoded = decode({ time: makeVector(makeData({ type, data: BigInt64Array.from(times) })) });
    expect(decoded.rejected.map(({ row }) => row)).toEqual(
      times.flatMap((time, row) => (time < first || time > last ? [row] : [])),
    );
    expect(valuesOf(decoded, 'time')).toEqual(
      times.filter((time) => time >= first && time <= last).map((time) => time * factor),
    );
  };
  fc.assert(fc.property(fc.array(inside, { minLength: 1 }), check));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 9, arbitrary: inside }, beyond), { minLength: 1 }), check),
  );
});
