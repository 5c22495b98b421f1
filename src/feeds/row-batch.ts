/**
 * Rows as feeds have them → the columnar batch the engine takes.
 *
 * A feed hands over plain values; the table's own column types decide what they become, so one feed fills a table
 * whose `day_volume` is a double, an int64 or an exact decimal. A row with a value that cannot become its column's
 * type is left out and named.
 */
import { parseDecimal } from '../codecs/decimal-text.ts';
import { CandelaError, type RowRejection } from '../core/errors.ts';
import { type Batch, type ColumnKind, columnOf, type Decimal, type Scalar } from '../market/columns.ts';
import type { ColumnDef, ColumnType } from '../market/schema.ts';
import { parseTimeNs, timeNsMax, timeNsMin } from '../market/time.ts';

/**
 * A value as a source gives it. Times: nanoseconds as a bigint, ISO 8601 text, or a Unix number whose unit follows
 * from its size. Doubles and decimals: numbers or numeric text. Null is null everywhere.
 */
export type FeedValue = number | bigint | string | boolean | null;

/** Values of one row, in the order of the batcher's columns. */
export type FeedRow = readonly FeedValue[];

/** A built batch, and the rows left out of it (`row` counts in the rows given). */
export interface BuiltBatch {
  batch: Batch;
  rejected: RowRejection[];
}

/** Builds one batch out of rows; `columns` are the definitions of the values in order. */
export function buildBatch(columns: readonly ColumnDef[], rows: readonly FeedRow[]): BuiltBatch {
  const rejected = new Map<number, RowRejection>();
  const scalars = columns.map((column, index) => columnScalars(column, index, rows, rejected));
  const batch: Batch = { rowCount: rows.length - rejected.size, columns: {} };
  columns.forEach((column, index) => {
    const values =
      rejected.size === 0 ? scalars[index] : scalars[index].filter((_, row) => !rejected.has(row));
    batch.columns[column.name] = columnOf(columnKind(column.type), values);
  });
  return { batch, rejected: [...rejected.values()].sort((a, b) => a.row - b.row) };
}

function columnScalars(
  column: ColumnDef,
  index: number,
  rows: readonly FeedRow[],
  rejected: Map<number, RowRejection>,
): Scalar[] {
  const convert = converters[columnKind(column.type)];
  const values = new Array<Scalar>(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row][index];
    const scalar = value === null || value === undefined ? null : convert(value);
    if (scalar !== undefined) {
      values[row] = scalar;
      continue;
    }
    values[row] = null;
    const reason = `${describe(value)} does not fit the type ${column.type.kind}`;
    if (!rejected.has(row)) rejected.set(row, { row, column: column.name, reason });
  }
  return values;
}

function columnKind(type: ColumnType): ColumnKind {
  return type.kind === 'json' ? 'text' : type.kind;
}

/** Value → scalar of the column's kind, or undefined when it does not fit. */
const converters: Record<ColumnKind, (value: Exclude<FeedValue, null>) => Scalar | undefined> = {
  double: toDouble,
  int64: toInt64,
  decimal: toDecimal,
  text: (value) => String(value),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  timestamp: toTimestamp,
};

function toDouble(value: Exclude<FeedValue, null>): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

function toInt64(value: Exclude<FeedValue, null>): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value === 'string' && !/^\s*[+-]?\d{1,19}\s*$/.test(value)) return undefined;
  if (typeof value === 'boolean') return undefined;
  const parsed = BigInt(value);
  return BigInt.asIntN(64, parsed) === parsed ? parsed : undefined;
}

function toDecimal(value: Exclude<FeedValue, null>): Decimal | undefined {
  return parseDecimal(String(value).trim());
}

function toTimestamp(value: Exclude<FeedValue, null>): bigint | undefined {
  if (typeof value === 'boolean') return undefined;
  try {
    const ns = parseTimeNs(value);
    // A time beyond the range would wrap around in the 64-bit column and come out as a plausible wrong one.
    return ns >= timeNsMin && ns <= timeNsMax ? ns : undefined;
  } catch (error) {
    if (error instanceof CandelaError) return undefined;
    throw error;
  }
}

function describe(value: FeedValue | undefined): string {
  return typeof value === 'string' ? `'${value.slice(0, 80)}'` : String(value);
}
