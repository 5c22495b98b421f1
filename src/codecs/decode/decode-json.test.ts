import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CandelaError } from '../../core/errors.ts';
import { type ColumnData, valueAt } from '../../market/columns.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import { parseTimeNs } from '../../market/time.ts';
import { decodeJson, decodeNdjson } from './decode-json.ts';
import { type DecodedRows, mergeRejections } from './decoded-rows.ts';

const columns: ColumnDef[] = [
  { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
  { name: 'symbol', type: { kind: 'text' } },
  { name: 'price', type: { kind: 'double' } },
  { name: 'size', type: { kind: 'int64' } },
  { name: 'amount', type: { kind: 'decimal' } },
  { name: 'buy', type: { kind: 'boolean' } },
  { name: 'extra', type: { kind: 'json' } },
];
const table: TableDef = { name: 'trades', kind: 'ticks', columns, timeColumn: 'time', seriesKey: ['symbol'] };
const limits = { rowsMax: 1000 };

const fromJson = (value: unknown) =>
  decodeJson(table, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), limits);
const fromNdjson = (text: string) => decodeNdjson(table, Buffer.from(text), limits);
const valuesOf = (decoded: DecodedRows, name: string) => {
  const column = decoded.batch.columns[name] as ColumnData;
  return Array.from({ length: decoded.batch.rowCount }, (_, row) => valueAt(column, row));
};
const errorOf = (run: () => unknown): CandelaError => {
  try {
    run();
  } catch (error) {
    if (error instanceof CandelaError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('values', () => {
  /** Reads one value of a column, in every shape; a refusal is returned as its reason. */
  const readOne = (name: string, json: string) => {
    const shapes = [
      fromJson(`[{"${name}":${json}}]`),
      fromJson(`{"rows":[{"${name}":${json}}]}`),
      fromJson(`{"columns":{"${name}":[${json}]}}`),
      fromNdjson(`{"${name}":${json}}`),
    ].map((decoded) =>
      decoded.rejected.length > 0 ? decoded.rejected[0].reason : valuesOf(decoded, name)[0],
    );
    for (const shape of shapes) expect(shape).toEqual(shapes[0]);
    return shapes[0];
  };

  it('times by magnitude, exact to the nanosecond, or ISO 8601', () => {
    const expected = 1_700_000_000_123_456_789n;
    expect(readOne('time', '1700000000123456789')).toBe(expected);
    expect(readOne('time', '"1700000000123456789"')).toBe(expected);
    expect(readOne('time', '"2023-11-14T22:13:20.123456789Z"')).toBe(expected);
    expect(readOne('time', '1700000000')).toBe(1_700_000_000_000_000_000n);
    expect(readOne('time', '1700000000123')).toBe(1_700_000_000_123_000_000n);
    expect(readOne('time', '1700000000123.5')).toBe(1_700_000_000_123_500_000n);
    expect(readOne('time', '1700000000123456')).toBe(1_700_000_000_123_456_000n);
    expect(readOne('time', '-1')).toBe(-1_000_000_000n);
    expect(readOne('time', '0')).toBe(0n);
    expect(readOne('time', 'null')).toBe(null);
    expect(readOne('time', '"soon"')).toBe("'soon' is not a time");
    expect(readOne('time', '99999999999')).toMatch(/outside the years/);
    expect(readOne('time', 'true')).toBe('is true, not a time');
  });

  it('times as parseTimeNs reads them, for any number of digits', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[1-9][0-9]{0,18}(\.[0-9]{1,12})?$/), (digits) => {
        const read = readOne('time', digits);
        const expected = parseTimeNs(digits);
        if (typeof read === 'bigint') expect(read).toBe(expected);
        else expect(expected > 9_214_646_399_999_999_999n).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('doubles', () => {
    expect(readOne('price', '189.51')).toBe(189.51);
    expect(readOne('price', '"189.51"')).toBe(189.51);
    expect(readOne('price', '"NaN"')).toBe(null);
    expect(readOne('price', '"-Infinity"')).toBe(Number.NEGATIVE_INFINITY);
    expect(readOne('price', '1e999')).toBe("'1e999' is beyond the range of a double");
    expect(readOne('price', '"0x10"')).toBe("'0x10' is not a number");
    expect(readOne('price', '""')).toBe("'' is not a number");
    expect(readOne('price', '[1]')).toBe('is an array, not a number');
  });

  it('64-bit integers exactly, beyond what a double holds', () => {
    expect(readOne('size', '9223372036854775807')).toBe(9223372036854775807n);
    expect(readOne('size', '-9223372036854775808')).toBe(-9223372036854775808n);
    expect(readOne('size', '"9007199254740993"')).toBe(9007199254740993n);
    expect(readOne('size', '-5')).toBe(-5n);
    expect(readOne('size', '5.0')).toBe(5n);
    expect(readOne('size', '1e3')).toBe(1000n);
    expect(readOne('size', '5.5')).toBe("'5.5' is not a whole number");
    expect(readOne('size', '9223372036854775808')).toBe("'9223372036854775808' is beyond 64 bits");
  });

  it('decimals with the digits they were written with', () => {
    expect(readOne('amount', '"1.10"')).toEqual({ coefficient: 110n, scale: 2 });
    expect(readOne('amount', '1.10')).toEqual({ coefficient: 110n, scale: 2 });
    expect(readOne('amount', '-12345678901234567.890')).toEqual({
      coefficient: -12345678901234567890n,
      scale: 3,
    });
    expect(readOne('amount', '1e-7')).toEqual({ coefficient: 1n, scale: 7 });
    expect(readOne('amount', '"1,5"')).toMatch(/not a number/);
  });

  it('text, booleans and documents', () => {
    expect(readOne('symbol', '"BTC/USD"')).toBe('BTC/USD');
    expect(readOne('symbol', '"\\u00e9\\n"')).toBe('é\n');
    expect(readOne('symbol', '"日経"')).toBe('日経');
    expect(readOne('symbol', '600999')).toBe('is the number 600999, not a string');
    expect(readOne('buy', 'true')).toBe(true);
    expect(readOne('buy', '"F"')).toBe(false);
    expect(readOne('buy', '2')).toBe("'2' is neither true nor false");
    expect(readOne('extra', '{"a": [1, 2.50]}')).toBe('{"a": [1, 2.50]}');
    expect(readOne('extra', '"{\\"a\\":1}"')).toBe('{"a":1}');
    expect(readOne('extra', '"{"')).toBe("'{' is not a JSON document");
  });
});

describe('rows', () => {
  it('may leave columns out and order them as they like', () => {
    const decoded = fromJson([
      { time: 1, symbol: 'A', price: 1.5 },
      { price: 2.5, symbol: 'B', time: 2 },
      { symbol: 'A', time: 3 },
    ]);
    expect(decoded.sentRowCount).toBe(3);
    expect(valuesOf(decoded, 'time')).toEqual([1_000_000_000n, 2_000_000_000n, 3_000_000_000n]);
    expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'B', 'A']);
    expect(valuesOf(decoded, 'price')).toEqual([1.5, 2.5, null]);
    expect(Object.keys(decoded.batch.columns)).toEqual(['time', 'symbol', 'price']);
  });

  it('are refused one by one, by number, column and reason', () => {
    const decoded = fromJson([
      { time: 1, symbol: 'A' },
      { time: 'x', symbol: 'A', price: 'y' },
      7,
      { time: 4, symbl: 'A' },
      { time: 5, symbol: 'B', price: 5 },
    ]);
    expect(decoded.rejected).toEqual([
      { row: 1, column: 'time', reason: "'x' is not a time" },
      { row: 2, column: null, reason: 'is not an object' },
      { row: 3, column: 'symbl', reason: "is not a column of table 'trades'" },
    ]);
    expect(decoded.batch.rowCount).toBe(2);
    expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'B']);
    expect(valuesOf(decoded, 'price')).toEqual([null, 5]);
    expect([...(decoded.rowNumbers ?? [])]).toEqual([0, 4]);
  });

  it('may not name a column twice', () => {
    expect(fromJson('[{"time":1,"time":2}]').rejected).toEqual([
      { row: 0, column: 'time', reason: 'appears twice' },
    ]);
  });

  it('share the numbering with what the engine refuses', () => {
    const decoded = fromJson([{ time: 'x' }, { time: 1 }, { time: 'y' }, { time: 2 }]);
    const merged = mergeRejections(decoded, [{ row: 1, column: 'symbol', reason: 'is null' }]);
    expect(merged.map((rejection) => rejection.row)).toEqual([0, 2, 3]);
    const clean = fromJson([{ time: 1 }, { time: 2 }]);
    expect(mergeRejections(clean, [{ row: 1, column: null, reason: 'late' }])).toEqual([
      { row: 1, column: null, reason: 'late' },
    ]);
  });
});

describe('columns', () => {
  it('are arrays, or one value for all rows', () => {
    const decoded = fromJson({
      columns: { symbol: 'A', time: [1, 2, 3], price: [1, null, 3], size: 7, buy: true },
    });
    expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'A', 'A']);
    expect(valuesOf(decoded, 'price')).toEqual([1, null, 3]);
    expect(valuesOf(decoded, 'size')).toEqual([7n, 7n, 7n]);
    expect(valuesOf(decoded, 'buy')).toEqual([true, true, true]);
    expect(valuesOf(fromJson({ columns: { time: 1, symbol: 'A' } }), 'symbol')).toEqual(['A']);
    expect(fromJson({ columns: { time: [], symbol: 'A' } }).batch.rowCount).toBe(0);
    expect(fromJson({ columns: {} }).batch.rowCount).toBe(0);
  });

  it('repeat a null given for all rows', () => {
    const decoded = fromJson({ columns: { time: [1, 2], price: null, size: null, amount: null, buy: null } });
    for (const name of ['price', 'size', 'amount', 'buy'])
      expect(valuesOf(decoded, name)).toEqual([null, null]);
  });

  it('grow past their first room', () => {
    const rows = 5000;
    const time = Array.from({ length: rows }, (_, i) => i + 1);
    const body = {
      columns: { time, symbol: time.map((i) => `S${i % 700}`), amount: time.map((i) => `${i}.50`) },
    };
    const decoded = decodeJson(table, Buffer.from(JSON.stringify(body)), { rowsMax: rows });
    expect(valuesOf(decoded, 'symbol')).toEqual(body.columns.symbol);
    expect(valuesOf(decoded, 'time')).toEqual(time.map((i) => BigInt(i) * 1_000_000_000n));
    expect(valuesOf(decoded, 'amount')[4999]).toEqual({ coefficient: 500050n, scale: 2 });
  });

  it('must agree in length and exist', () => {
    const unequal = errorOf(() => fromJson({ columns: { time: [1, 2], price: [1] } }));
    expect(unequal).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining("'price' 1"),
    });
    expect(errorOf(() => fromJson({ columns: { time: [1], prize: [1] } })).code).toBe('COLUMN_NOT_FOUND');
    expect(errorOf(() => fromJson({ columns: { time: 'x' } }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(errorOf(() => fromJson('{"columns":{"time":[1],"time":[2]}}')).code).toBe('SYNTAX');
  });
});

describe('NDJSON', () => {
  it('is a row a line, blank lines and line ends of both kinds apart', () => {
    const decoded = fromNdjson('\ufeff{"time":1,"symbol":"A"}\r\n\n  \n{"time":2,"symbol":"B"}\n');
    expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'B']);
  });

  it('refuses a line that is not JSON and reads on', () => {
    const decoded = fromNdjson('{"time":1,"symbol":"A"}\n{"time":2,\n{"time":3} x\n{"time":4,"symbol":"D"}');
    expect(decoded.rejected.map(({ row, column }) => ({ row, column }))).toEqual([
      { row: 1, column: null },
      { row: 2, column: null },
    ]);
    expect(decoded.rejected[0].reason).toMatch(/^is not JSON \(JSON, line 1, column 11/);
    expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'D']);
  });

  it('gives up when thousands of lines are not JSON', () => {
    const lines = '{"time":\n'.repeat(10_000);
    const roomy = { rowsMax: 20_000 };
    expect(decodeNdjson(table, Buffer.from(lines), roomy).rejected.length).toBe(10_000);
    expect(errorOf(() => decodeNdjson(table, Buffer.from(`${lines}{`), roomy)).code).toBe('SYNTAX');
  });
});

describe('the document', () => {
  it('is rows or columns', () => {
    expect(fromJson('[]').batch.rowCount).toBe(0);
    expect(fromJson('{"rows":[]}').batch.rowCount).toBe(0);
    expect(errorOf(() => fromJson('{"data":[]}'))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(errorOf(() => fromJson('"x"')).code).toBe('SYNTAX');
    expect(errorOf(() => fromJson(''))).toMatchObject({ code: 'SYNTAX', position: 0 });
    expect(errorOf(() => fromJson('[{"time":1},]'))).toMatchObject({ code: 'SYNTAX', position: 12 });
    expect(errorOf(() => fromJson('[{"time":1}] x'))).toMatchObject({ code: 'SYNTAX', position: 13 });
    expect(errorOf(() => fromJson('{"rows":[],"columns":{}}')).code).toBe('SYNTAX');
  });

  it('has a bounded number of rows', () => {
    const tooMany = Array.from({ length: 1001 }, () => ({ time: 1 }));
    expect(errorOf(() => fromJson(tooMany)).code).toBe('LIMIT_EXCEEDED');
    expect(errorOf(() => fromJson({ columns: { time: tooMany.map(() => 1) } })).code).toBe('LIMIT_EXCEEDED');
    expect(errorOf(() => fromNdjson('{"time":1}\n'.repeat(1001))).code).toBe('LIMIT_EXCEEDED');
  });
});

describe('whatever is sent', () => {
  const check = (text: string) => {
    for (const decode of [decodeJson, decodeNdjson]) {
      try {
        const decoded = decode(table, Buffer.from(text), limits);
        expect(decoded.batch.rowCount + decoded.rejected.length).toBe(decoded.sentRowCount);
      } catch (error) {
        expect(error, text).toBeInstanceOf(CandelaError);
        expect((error as CandelaError).code).not.toBe('INTERNAL');
      }
    }
  };
  const cell = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.string());
  const row = fc.dictionary(fc.constantFrom(...columns.map((column) => column.name), 'other'), cell);

  it('only Candela errors and refused rows come of it', () => {
    fc.assert(fc.property(fc.array(row), (rows) => check(JSON.stringify(rows))));
    fc.assert(fc.property(row, (columns) => check(JSON.stringify({ columns }))));
    fc.assert(fc.property(fc.array(row), (rows) => check(rows.map((r) => JSON.stringify(r)).join('\n'))));
    fc.assert(fc.property(fc.string(), check));
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1 }),
        fc.nat(),
        fc.string({ maxLength: 1 }),
        (rows, place, insert) => {
          const text = JSON.stringify({ rows });
          const at = place % text.length;
          check(text.slice(0, at) + insert + text.slice(at + 1));
        },
      ),
    );
  });
});
