import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ColumnSet, columnOf } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import { formatTimeNs, timeNsMax, timeNsMin } from '../../market/time.ts';
import { decodeCsv } from '../decode/decode-csv.ts';
import { decodeJson } from '../decode/decode-json.ts';
import { encodeCsv } from './encode-csv.ts';
import { encodeJsonColumns, encodeJsonRows } from './encode-json.ts';
import { type TimeFormat, timeWriter } from './time-text.ts';

const set: ColumnSet = {
  rowCount: 2,
  names: ['time', 'symbol', 'price', 'size', 'amount', 'buy'],
  columns: [
    columnOf('timestamp', [1_715_938_200_123_456_000n, null]),
    columnOf('text', ['say "hi"', null]),
    columnOf('double', [189.5, null]),
    columnOf('int64', [9_007_199_254_740_993n, null]),
    columnOf('decimal', [{ coefficient: 110n, scale: 2 }, null]),
    columnOf('boolean', [true, null]),
  ],
};
const rowsOf = (columns: ColumnSet, time: TimeFormat = 'iso') =>
  JSON.parse([...encodeJsonRows(columns, time)].join('')) as unknown;
const columnsOf = (columns: ColumnSet, time: TimeFormat = 'iso') =>
  JSON.parse([...encodeJsonColumns(columns, time)].join('')) as unknown;

it('writes rows with every kind and its null', () => {
  expect(rowsOf(set)).toEqual([
    {
      time: '2024-05-17T09:30:00.123456Z',
      symbol: 'say "hi"',
      price: 189.5,
      size: '9007199254740993',
      amount: '1.10',
      buy: true,
    },
    { time: null, symbol: null, price: null, size: null, amount: null, buy: null },
  ]);
});

it('writes columns, and nothing as nothing', () => {
  expect(columnsOf(set)).toMatchObject({ symbol: ['say "hi"', null], price: [189.5, null] });
  const empty = { rowCount: 0, names: ['a'], columns: [columnOf('double', [])] };
  expect(rowsOf(empty)).toEqual([]);
  expect(columnsOf(empty)).toEqual({ a: [] });
  expect(rowsOf({ rowCount: 1, names: [], columns: [] })).toEqual([{}]);
});

it('writes numbers that JSON has no words for as strings', () => {
  const odd = columnOf('double', [Infinity, -Infinity, 1e21, -0]);
  expect(columnsOf({ rowCount: 4, names: ['x'], columns: [odd] })).toEqual({
    x: ['Infinity', '-Infinity', 1e21, 0],
  });
  const whole = columnOf('int64', [2n ** 53n - 1n, -(2n ** 53n) + 1n, -1n, 2n ** 63n - 1n]);
  expect(columnsOf({ rowCount: 4, names: ['x'], columns: [whole] })).toEqual({
    x: [9007199254740991, -9007199254740991, -1, '9223372036854775807'],
  });
});

it('writes times in every format', () => {
  const check = (ns: bigint, format: TimeFormat, expected: unknown) => {
    const column = columnOf('timestamp', [ns]);
    expect(columnsOf({ rowCount: 1, names: ['t'], columns: [column] }, format)).toEqual({ t: [expected] });
  };
  const ns = 1_715_938_200_123_456_789n;
  check(ns, 'iso', '2024-05-17T09:30:00.123456789Z');
  check(ns, 'ns', '1715938200123456789');
  check(1_715_938_200_000_000_000n, 's', 1715938200);
  check(1_715_938_200_500_000_000n, 's', 1715938200.5);
  check(1_715_938_200_123_000_000n, 'ms', 1715938200123);
  check(1_715_938_200_123_500_000n, 'ms', 1715938200123.5);
  check(1_715_938_200_123_456_000n, 'us', 1715938200123456);
  check(5n, 'ns', '5');
  check(-1_500_000_000n, 's', -1.5);
  check(-1_500_000_000n, 'ns', '-1500000000');
  check(-1n, 'iso', '1969-12-31T23:59:59.999999999Z');
});

it('writes ISO times as formatTimeNs does, in any order of rows', () => {
  const time = fc.bigInt({ min: timeNsMin, max: timeNsMax });
  const near = fc.bigInt({ min: 1_700_000_000_000n, max: 1_700_000_200_000n }).map((ms) => ms * 1_000_000n);
  fc.assert(
    fc.property(fc.array(fc.oneof(time, near), { minLength: 1 }), (times) => {
      const write = timeWriter({ kind: 'timestamp', values: BigInt64Array.from(times) }, 'iso');
      expect(times.map((_, row) => write(row))).toEqual(times.map(formatTimeNs));
    }),
  );
});

it('comes in pieces that join to the whole', () => {
  const rowCount = 10_000;
  const large = {
    rowCount,
    names: ['n'],
    columns: [
      columnOf(
        'int64',
        Array.from({ length: rowCount }, (_, i) => BigInt(i)),
      ),
    ],
  };
  expect([...encodeJsonRows(large, 'iso')].length).toBeGreaterThan(1);
  expect(rowsOf(large)).toEqual(Array.from({ length: rowCount }, (_, n) => ({ n })));
  expect(columnsOf(large)).toEqual({ n: Array.from({ length: rowCount }, (_, n) => n) });
  expect([...encodeCsv(large, 'iso')].join('').split('\n').length).toBe(rowCount + 2);
});

it('writes CSV that keeps null and the empty string apart', () => {
  const text = [...encodeCsv(set, 'ns')].join('');
  expect(text).toBe(
    'time,symbol,price,size,amount,buy\n1715938200123456000,"say ""hi""",189.5,9007199254740993,1.10,true\n,,,,,\n',
  );
  const texts = columnOf('text', ['', 'a,b', 'line\nbreak', ' edge', 'plain']);
  expect([...encodeCsv({ rowCount: 5, names: ['a b', 'x'], columns: [texts, texts] }, 'iso')].join('')).toBe(
    'a b,x\n"",""\n"a,b","a,b"\n"line\nbreak","line\nbreak"\n" edge"," edge"\nplain,plain\n',
  );
});

it('is read back by the decoders as it was', () => {
  const table: TableDef = {
    name: 't',
    kind: 'ticks',
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
      { name: 'size', type: { kind: 'int64' } },
      { name: 'amount', type: { kind: 'decimal' } },
      { name: 'buy', type: { kind: 'boolean' } },
    ],
    timeColumn: 'time',
    seriesKey: ['symbol'],
  };
  const record = fc.record({
    time: fc.bigInt({ min: timeNsMin, max: timeNsMax }),
    symbol: fc.string({ unit: 'grapheme', minLength: 1 }),
    price: fc.oneof(fc.double({ noNaN: true }), fc.constant(null)),
    size: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.constant(null)),
    amount: fc.record({ coefficient: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), scale: fc.nat(20) }),
    buy: fc.oneof(fc.boolean(), fc.constant(null)),
  });
  const limits = { rowsMax: 1000 };
  fc.assert(
    fc.property(fc.array(record, { minLength: 1 }), (records) => {
      const columns = table.columns.map(({ name, type }) =>
        columnOf(
          type.kind as 'double',
          records.map((row) => row[name as 'price']),
        ),
      );
      const written = {
        rowCount: records.length,
        names: table.columns.map((column) => column.name),
        columns,
      };
      const texts = [
        decodeJson(table, Buffer.from([...encodeJsonRows(written, 'iso')].join('')), limits),
        decodeJson(
          table,
          Buffer.from(`{"columns":${[...encodeJsonColumns(written, 'iso')].join('')}}`),
          limits,
        ),
        decodeCsv(table, Buffer.from([...encodeCsv(written, 'iso')].join('')), limits),
      ];
      for (const { batch, rejected } of texts) {
        expect(rejected).toEqual([]);
        const read = { ...written, columns: written.names.map((name) => batch.columns[name]) };
        expect([...encodeCsv(read, 'ns')].join('')).toBe([...encodeCsv(written, 'ns')].join(''));
      }
    }),
  );
});
