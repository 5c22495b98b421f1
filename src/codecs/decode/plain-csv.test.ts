import fc from 'fast-check';
import { expect, it } from 'vitest';
import { valueAt } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import { decodeRecords } from './decode-csv.ts';
import type { DecodedRows } from './decoded-rows.ts';
import { decodePlainLines, isPlainCsv, takePlainHeader } from './plain-csv.ts';

const table: TableDef = {
  name: 't',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'int64' } },
    { name: 'amount', type: { kind: 'decimal' } },
    { name: 'buy', type: { kind: 'boolean' } },
    { name: 'note', type: { kind: 'text' } },
  ],
};
const header = ['time', 'symbol', null, 'price', 'size', 'amount', 'buy', 'note'];
const unbounded = { rowsMax: 1000 };

/** Values instead of columns, whose dictionaries and flags may differ and mean the same. */
function readable({ batch, rowNumbers, rejected, sentRowCount }: DecodedRows): unknown {
  const values = Object.entries(batch.columns).map(([name, column]) => [
    name,
    Array.from({ length: batch.rowCount }, (_, row) => valueAt(column, row)),
  ]);
  return { sentRowCount, rejected, rowNumbers, values };
}

it('reads as the reader of any CSV does', () => {
  const cell = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '-0',
      '007',
      '1.10',
      '-.5',
      '.',
      '-',
      '+1',
      '5.',
      '5.0',
      ' 7',
      '1e3',
      'NaN',
      'Infinity',
    ),
    fc.constantFrom(
      '123456789012345',
      '1234567890123456',
      '9223372036854775808',
      '0.1234567890123456',
      'true',
      'x',
    ),
    fc.constantFrom('2024-05-17 09:30:00', '1715938200', '1715938200.5', '1715938200123456789', '株'),
    fc.double({ noNaN: true }).map(String),
    fc.integer().map(String),
  );
  const record = fc.oneof(
    { weight: 9, arbitrary: fc.array(cell, { minLength: header.length, maxLength: header.length }) },
    { weight: 1, arbitrary: fc.array(cell, { minLength: 2, maxLength: 10 }) },
  );
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      (records, end, closed) => {
        const text = records.map((cells) => cells.join(';')).join(end) + (closed ? end : '');
        // A line of a single empty cell is a blank line; records here have two cells at least.
        const plain = decodePlainLines(table, header, Buffer.from(text), 0x3b, unbounded);
        expect(readable(plain)).toEqual(readable(decodeRecords(table, header, records, unbounded)));
      },
    ),
    { numRuns: 500 },
  );
});

it('passes over blank lines and a byte-order mark', () => {
  const plain = takePlainHeader(Buffer.from('\ufeff\r\n\na,b\r\n1,2\n'), ',');
  expect(plain?.header).toEqual(['a', 'b']);
  expect(plain?.rest.toString()).toBe('1,2\n');
  expect(takePlainHeader(Buffer.from('\n\n'), ',')).toBeNull();
  const decoded = decodePlainLines(
    table,
    ['time', 'symbol'],
    Buffer.from('\n1,A\n\r\n\n2,B'),
    0x2c,
    unbounded,
  );
  expect([decoded.sentRowCount, decoded.rejected]).toEqual([2, []]);
});

it('leaves quotes and the line ends of old Macs to the reader of any CSV', () => {
  expect(isPlainCsv(Buffer.from('a,b\r\n1,2\r\n'))).toBe(true);
  expect(isPlainCsv(Buffer.from('a,"b"\n'))).toBe(false);
  expect(isPlainCsv(Buffer.from('a,b\r1,2\r'))).toBe(false);
});

it('bounds the rows', () => {
  const lines = Buffer.from('1,A\n2,A\n3,A\n');
  expect(() => decodePlainLines(table, ['time', 'symbol'], lines, 0x2c, { rowsMax: 2 })).toThrow(
    'more than 2 rows',
  );
});
