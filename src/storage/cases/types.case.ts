/** Every type comes back as it went in. */
import { expect, it } from 'vitest';
import { type ColumnKind, type ColumnSet, columnOf, type Scalar } from '../../market/columns.ts';
import { timeNsMax, timeNsMin } from '../../market/time.ts';
import type { Storage, StoredColumn, StoredTable } from '../storage.ts';
import { rowsOf } from './fixtures.ts';

/** See `storage.case.ts`. */
export function typeCases(use: () => Storage): void {
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
      '[1e999, "\\ud800"]',
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
