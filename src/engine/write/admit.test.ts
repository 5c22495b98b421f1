import { describe, expect, it } from 'vitest';
import type { Batch, ColumnData, Decimal, Scalar } from '../../market/columns.ts';
import { columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { ColumnType, TableDef } from '../../market/schema.ts';
import { admit } from './admit.ts';

const def: TableDef = {
  name: 't',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
    { name: 'price', type: { kind: 'double' }, nullable: false },
    { name: 'lots', type: { kind: 'int64' }, nullable: false },
    { name: 'amount', type: { kind: 'decimal', precision: 6, scale: 2 } },
    { name: 'free', type: { kind: 'decimal' } },
    { name: 'doc', type: { kind: 'json' } },
    { name: 'seen', type: { kind: 'timestamp', unit: 'ns', zone: true } },
  ],
};

/** Three rows that fit, with some columns replaced. */
function batchWith(columns: Record<string, ColumnData>): Batch {
  return {
    rowCount: 3,
    columns: {
      time: columnOf('timestamp', [1_000n, 2_000n, 3_000n]),
      symbol: textColumn(['A', 'B', 'A']),
      price: columnOf('double', [1, 2, 3]),
      lots: columnOf('int64', [1n, 2n, 3n]),
      ...columns,
    },
  };
}

/** The reasons by row with `skip`; with `fail` the same rows fail the batch. */
function reasonsOf(columns: Record<string, ColumnData>): [number, string | null, string][] {
  const batch = batchWith(columns);
  const { rejected, rowCount } = admit(def, batch, 'skip');
  expect(rowCount).toBe(3 - rejected.length);
  expect(() => admit(def, batch, 'fail')).toThrow(
    expect.objectContaining({ code: 'INVALID_ROWS', rows: rejected }),
  );
  return rejected.map(({ row, column, reason }) => [row, column, reason]);
}

const decimal = (coefficient: bigint, scale: number): Decimal => ({ coefficient, scale });

describe('a row is refused, by number and column,', () => {
  it('for a null where there may be none, whatever the kind says null with', () => {
    expect(reasonsOf({ price: columnOf('double', [1, Number.NaN, 3]) })).toEqual([[1, 'price', 'is null']]);
    expect(reasonsOf({ lots: columnOf('int64', [null, 2n, 3n]) })).toEqual([[0, 'lots', 'is null']]);
    expect(reasonsOf({ symbol: textColumn(['A', 'B', null]) })).toEqual([[2, 'symbol', 'is null']]);
    expect(reasonsOf({ time: columnOf('timestamp', [1n, null, 3n]) })).toEqual([[1, 'time', 'is null']]);
  });

  it('for a time beyond what bars, or the store, can tell apart', () => {
    const late = 'lies outside the years 1897 to 2042, in which ticks and their bars are exact';
    const times = ['2043-01-01T00:00:00Z', '1896-12-31T23:59:59Z', '2042-12-31T23:59:50Z'];
    const time = columnOf(
      'timestamp',
      times.map((iso) => BigInt(Date.parse(iso)) * 1_000_000n),
    );
    expect(reasonsOf({ time })).toEqual([
      [0, 'time', late],
      [1, 'time', late],
    ]);
    const seen = columnOf('timestamp', [9_220_000_000_000_000_000n, -9_220_000_000_000_000_000n, null]);
    expect(reasonsOf({ seen }).map(([row, , reason]) => [row, reason])).toEqual([
      [0, 'lies outside the years 1678 to 2261'],
      [1, 'lies outside the years 1678 to 2261'],
    ]);
  });

  it('for text that cannot be a key or cannot be read', () => {
    expect(reasonsOf({ symbol: textColumn(['A', 'x\u0000y', 'A']) })).toEqual([
      [1, 'symbol', 'contains a NUL character'],
    ]);
    expect(reasonsOf({ symbol: textColumn(['A', '\ud800', 'A']) })[0][2]).toMatch(/surrogate/);
    expect(reasonsOf({ doc: textColumn(['{}', '{', null]) })).toEqual([[1, 'doc', 'is not valid JSON']]);
    const beyond: ColumnData = { kind: 'text', dictionary: ['A'], codes: Int32Array.of(0, 1, 0) };
    expect(reasonsOf({ symbol: beyond })).toEqual([[1, 'symbol', 'has code 1, beyond its dictionary']]);
  });

  it('for digits that the column has no room for', () => {
    const amount = columnOf('decimal', [decimal(12_345n, 3), decimal(1_000_000n, 2), decimal(12_340n, 3)]);
    expect(reasonsOf({ amount })).toEqual([
      [0, 'amount', 'has more than 2 decimals'],
      [1, 'amount', 'has more than 4 whole digits'],
    ]);
    const free = columnOf('decimal', [decimal(10n ** 18n, 0), decimal(1n, 21), decimal(10n ** 18n - 1n, 0)]);
    expect(reasonsOf({ free })).toEqual([
      [0, 'free', 'has more than 18 whole digits'],
      [1, 'free', 'has more than 20 decimals'],
    ]);
  });

  it('once, for the first column that does not fit', () => {
    const time = columnOf('timestamp', [null, 2n, 3n]);
    expect(reasonsOf({ time, price: columnOf('double', [Number.NaN, 2, 3]) })).toEqual([
      [0, 'time', 'is null'],
    ]);
  });
});

describe('a batch is refused whole', () => {
  const refusal = (columns: Record<string, ColumnData>, rowCount = 3): unknown => {
    try {
      return admit(def, { ...batchWith(columns), rowCount }, 'skip');
    } catch (error) {
      return [(error as { code: string }).code, (error as Error).message];
    }
  };

  it('for a column that is not there, is of another kind, or is missing', () => {
    expect(refusal({ volume: columnOf('double', [1, 2, 3]) })).toEqual([
      'COLUMN_NOT_FOUND',
      "table 't' has no column 'volume'",
    ]);
    expect(refusal({ price: columnOf('int64', [1n, 2n, 3n]) })).toEqual([
      'INVALID_ARGUMENT',
      "column 'price' of 't' takes double data, not int64",
    ]);
    const { price: _, ...columns } = batchWith({}).columns;
    expect(() => admit(def, { rowCount: 3, columns }, 'skip')).toThrow(/'price' of 't' is missing/);
  });

  it('for a column, or an array of a column, of another length', () => {
    expect(refusal({ price: columnOf('double', [1, 2]) })).toEqual([
      'INVALID_ARGUMENT',
      "column 'price' of 't' has 2 rows, the batch 3",
    ]);
    const nulls = Uint8Array.of(0, 0);
    const values = BigInt64Array.of(1n, 2n, 3n);
    expect(refusal({ lots: { kind: 'int64', values, nulls } })).toEqual([
      'INVALID_ARGUMENT',
      "column 'lots' of 't' has 2 rows, the batch 3",
    ]);
    expect(
      refusal({ free: { kind: 'decimal', coefficients: [1n, 2n, 3n], scales: Uint8Array.of(1) } }),
    ).toEqual(['INVALID_ARGUMENT', "column 'free' of 't' has 1 rows, the batch 3"]);
  });
});

describe('values come to the form they are kept in', () => {
  const kept = (type: ColumnType, values: Scalar[]): Scalar[] => {
    const one: TableDef = { name: 't', kind: 'plain', seriesKey: [], columns: [{ name: 'c', type }] };
    const kind = type.kind === 'json' ? 'text' : type.kind;
    const batch = { rowCount: values.length, columns: { c: columnOf(kind, values) } };
    const [column] = admit(one, batch, 'fail').columns;
    return values.map((_, row) => (column ? valueAt(column, row) : null));
  };

  it('times lose the digits below a microsecond, downwards also before 1970', () => {
    const us: ColumnType = { kind: 'timestamp', unit: 'us', zone: false };
    const times = [1_999n, -1n, -1_000n, 0n, -1_500_000_000_123_456_789n, 2n ** 62n - 1n, null];
    const floored = times.map((time) => time && time - (((time % 1000n) + 1000n) % 1000n));
    expect(kept(us, times)).toEqual(floored);
    expect(kept({ ...us, unit: 'ns' }, times)).toEqual(times);
  });

  it('decimals take the scale declared; without one they keep theirs', () => {
    const written = [decimal(15n, 1), decimal(150n, 2), decimal(-2n, 0), decimal(1500n, 3), null];
    expect(kept({ kind: 'decimal', precision: 10, scale: 2 }, written)).toEqual([
      decimal(150n, 2),
      decimal(150n, 2),
      decimal(-200n, 2),
      decimal(150n, 2),
      null,
    ]);
    expect(kept({ kind: 'decimal' }, written)).toEqual(written);
    expect(kept({ kind: 'decimal' }, [decimal(15n * 10n ** 5n, 25)])).toEqual([decimal(15n, 20)]);
  });

  it('tables with dedup refuse rows of a time that retention has dropped, by row', () => {
    const dedup: TableDef = { ...def, dedup: { by: 'row', keep: 'first' } };
    expect(admit(dedup, batchWith({}), 'skip', 2_000n)).toMatchObject({
      rowCount: 2,
      rejected: [{ row: 0, column: 'time', reason: expect.stringContaining('duplicate') }],
    });
    expect(admit(def, batchWith({}), 'fail', 2_000n).rowCount).toBe(3);
  });

  it('batches are not written to', () => {
    const values = BigInt64Array.of(1_001n, 2_000n, 3_000n);
    admit(def, batchWith({ time: { kind: 'timestamp', values } }), 'fail');
    expect([...values]).toEqual([1_001n, 2_000n, 3_000n]);
  });
});
