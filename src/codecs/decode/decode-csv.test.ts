import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CandelaError } from '../../core/errors.ts';
import { type ColumnData, valueAt } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import { decodeCsv, decodeRecords } from './decode-csv.ts';
import type { DecodedRows } from './decoded-rows.ts';

const table: TableDef = {
  name: 'trades',
  kind: 'ticks',
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'decimal' } },
    { name: 'size', type: { kind: 'double' } },
    { name: 'note', type: { kind: 'text' } },
  ],
  timeColumn: 'time',
  seriesKey: ['symbol'],
};
const limits = { rowsMax: 100 };
const fromCsv = (text: string) => decodeCsv(table, Buffer.from(text), limits);
const valuesOf = (decoded: DecodedRows, name: string) =>
  Array.from({ length: decoded.batch.rowCount }, (_, row) =>
    valueAt(decoded.batch.columns[name] as ColumnData, row),
  );
const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof CandelaError) return error.code;
    throw error;
  }
  return null;
};

it('reads a header and cells, quotes, marks and line ends of both kinds', () => {
  const decoded = fromCsv(
    '\ufefftime,symbol,note,price\r\n2024-05-17 09:30:00.5,AAPL,"say ""hi"", please",1.10\r\n1715938201,"BRK,B",,2\n',
  );
  expect(valuesOf(decoded, 'time')).toEqual([1_715_938_200_500_000_000n, 1_715_938_201_000_000_000n]);
  expect(valuesOf(decoded, 'symbol')).toEqual(['AAPL', 'BRK,B']);
  expect(valuesOf(decoded, 'note')).toEqual(['say "hi", please', null]);
  expect(valuesOf(decoded, 'price')).toEqual([
    { coefficient: 110n, scale: 2 },
    { coefficient: 2n, scale: 0 },
  ]);
  expect(decoded.batch.columns.size).toBeUndefined();
});

it('takes an empty cell as null, in the series key as the empty string', () => {
  const decoded = fromCsv('time,symbol,size\n1,,\n2,A,3\n');
  expect(valuesOf(decoded, 'symbol')).toEqual(['', 'A']);
  expect(valuesOf(decoded, 'size')).toEqual([null, 3]);
});

it('refuses rows by number, column and reason', () => {
  const decoded = fromCsv('time,symbol,size\n1,A,1\nx,B,2\n3,C\n4,D,4,5\n5,E,many\n6,F,6');
  expect(decoded.rejected).toEqual([
    { row: 1, column: 'time', reason: "'x' is not a time" },
    { row: 2, column: null, reason: 'has 2 cells, the header 3' },
    { row: 3, column: null, reason: 'has 4 cells, the header 3' },
    { row: 4, column: 'size', reason: "'many' is not a number" },
  ]);
  expect(valuesOf(decoded, 'symbol')).toEqual(['A', 'F']);
});

it('refuses a whole text that is not a table', () => {
  expect(codeOf(() => fromCsv(''))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => fromCsv('time,prize\n1,2'))).toBe('COLUMN_NOT_FOUND');
  expect(codeOf(() => fromCsv('time,time\n1,2'))).toBe('INVALID_ARGUMENT');
  expect(codeOf(() => fromCsv('time\n"1'))).toBe('SYNTAX');
  expect(codeOf(() => fromCsv(`time\n${'1\n'.repeat(101)}`))).toBe('LIMIT_EXCEEDED');
  expect(fromCsv('time,symbol\n').batch.rowCount).toBe(0);
});

it('passes over cells that the header leaves out', () => {
  const decoded = decodeRecords(table, ['time', null, 'symbol'], [['1', 'junk', 'A']], limits);
  expect(Object.keys(decoded.batch.columns)).toEqual(['time', 'symbol']);
});

it('turns any text into rows, refusals or a Candela error', () => {
  const names = fc.constantFrom('time', 'symbol', 'price', 'size', 'note', 'other');
  const cells = fc.array(fc.oneof(fc.string(), fc.constantFrom('"', '1', '', '1.5')), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(names, { maxLength: 4 }), fc.array(cells), (header, rows) => {
      const text = [header, ...rows].map((row) => row.join(',')).join('\n');
      try {
        const decoded = fromCsv(text);
        expect(decoded.batch.rowCount + decoded.rejected.length).toBe(decoded.sentRowCount);
      } catch (error) {
        expect(error, text).toBeInstanceOf(CandelaError);
      }
    }),
    { numRuns: 1000 },
  );
});
