/** Exact comparison of what the engine gave with what it should have. */
import type { ColumnSet, Scalar } from '../../src/market/columns.ts';
import { valueAt } from '../../src/market/columns.ts';
import { scalarText } from '../../src/testing/naive-bars.ts';

/** The rows of a column set. */
export function rowsOf(set: ColumnSet): Scalar[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

/** Throws at the first difference. With a tolerance, doubles may differ by so much of their size. */
export function compareRows(
  actual: readonly Scalar[][],
  expected: readonly Scalar[][],
  tolerance: number,
): void {
  for (let row = 0; row < Math.max(actual.length, expected.length); row++) {
    const got = actual[row];
    const wanted = expected[row];
    if (got && wanted && isSameRow(got, wanted, tolerance)) continue;
    const is = got ? scalarText(got) : 'missing';
    const shouldBe = wanted ? scalarText(wanted) : 'absent';
    throw new Error(
      `row ${row} is ${is}, should be ${shouldBe} (${actual.length} rows, should be ${expected.length})`,
    );
  }
}

function isSameRow(actual: readonly Scalar[], expected: readonly Scalar[], tolerance: number): boolean {
  return (
    actual.length === expected.length && actual.every((value, i) => isSame(value, expected[i], tolerance))
  );
}

function isSame(actual: Scalar, expected: Scalar, tolerance: number): boolean {
  if (typeof actual === 'number' && typeof expected === 'number') {
    if (actual === expected) return true;
    return Math.abs(actual - expected) <= tolerance * Math.max(Math.abs(actual), Math.abs(expected));
  }
  if (isDecimal(actual) && isDecimal(expected)) {
    return actual.coefficient === expected.coefficient && actual.scale === expected.scale;
  }
  return actual === expected;
}

function isDecimal(value: Scalar): value is Exclude<Scalar, number | bigint | string | boolean | null> {
  return typeof value === 'object' && value !== null;
}

/** The rows in an order of their own, for comparing sets. */
export function sorted(rows: readonly Scalar[][]): Scalar[][] {
  return rows
    .map((row) => ({ row, text: scalarText(row) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ row }) => row);
}
