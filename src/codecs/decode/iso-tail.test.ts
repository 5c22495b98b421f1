import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TableDef } from '../../market/schema.ts';
import { parseTimeNs } from '../../market/time.ts';
import { decodeRecords } from './decode-csv.ts';
import { decodeUnbounded } from './decoded-rows.ts';
import { nanosPastMinute } from './iso-tail.ts';

it('reads what follows the minute of a time in UTC', () => {
  const check = (tail: string, nanos: number) =>
    expect(nanosPastMinute(`2024-05-17T09:30${tail}`)).toBe(nanos);
  check(':00', 0);
  check(':59Z', 59e9);
  check(':07.25z', 7.25e9);
  check(':07,000000001', 7e9 + 1);
  for (const tail of [
    '',
    'Z',
    ':7',
    ':60',
    ':07.',
    ':07.Z',
    ':07.1234567890',
    ':07+08:00',
    ':07.5-05',
    ' :07',
    ':07 Z',
  ]) {
    check(tail, -1);
  }
  expect(nanosPastMinute('')).toBe(-1);
});

it('gives the same times whatever came before', () => {
  const table: TableDef = {
    name: 't',
    kind: 'ticks',
    columns: [{ name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } }],
    timeColumn: 'time',
    seriesKey: [],
  };
  const minute = fc.constantFrom(
    '2024-05-17T09:30',
    '2024-05-17 09:30',
    '2024-05-17T09:31',
    '1969-12-31T23:59',
    '1970-01-01T00:00',
  );
  const tail = fc.constantFrom(
    ':00',
    ':59.999999999Z',
    ':07.5',
    ':07+08:00',
    '',
    'Z',
    ':07.5-05:30',
    ':61',
    ':07.5Z',
  );
  const time = fc.tuple(minute, tail).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(time, { minLength: 1 }), (times) => {
      const decoded = decodeRecords(
        table,
        ['time'],
        times.map((text) => [text]),
        decodeUnbounded,
      );
      const column = decoded.batch.columns.time;
      const read = column.kind === 'timestamp' ? [...column.values] : [];
      const expected = times.flatMap((text) => {
        try {
          return [parseTimeNs(text)];
        } catch {
          return [];
        }
      });
      expect(read).toEqual(expected);
      expect(decoded.rejected.length).toBe(times.length - expected.length);
    }),
    { numRuns: 500 },
  );
});
