/** Whole-column operations on top of `columns.ts`. */
import { assert } from '../core/assert.ts';
import type { ColumnData, ColumnKind, ColumnSet, Scalar } from './columns.ts';
import { columnOf, lengthOf, takeRows, valueAt } from './columns.ts';

/** The columns one after the other; all of one kind, at least one. */
export function concatColumns(parts: readonly ColumnData[]): ColumnData {
  const [first, ...others] = parts;
  if (others.length === 0) return first;
  const count = parts.reduce((rows, part) => rows + lengthOf(part), 0);
  switch (first.kind) {
    case 'double':
      return {
        kind: 'double',
        values: joined(
          new Float64Array(count),
          parts.map((part) => of(part, 'double').values),
        ),
      };
    case 'text':
      return concatText(parts, count);
    case 'decimal':
      return {
        kind: 'decimal',
        coefficients: parts.flatMap((part) => of(part, 'decimal').coefficients),
        scales: joined(
          new Uint8Array(count),
          parts.map((part) => of(part, 'decimal').scales),
        ),
        nulls: joinedNulls(parts, count),
      };
    case 'boolean': {
      const values = joined(
        new Uint8Array(count),
        parts.map((part) => of(part, 'boolean').values),
      );
      return { kind: 'boolean', values, nulls: joinedNulls(parts, count) };
    }
    default: {
      const { kind } = first;
      const values = joined(
        new BigInt64Array(count),
        parts.map((part) => of(part, kind).values),
      );
      return { kind, values, nulls: joinedNulls(parts, count) };
    }
  }
}

/** Rows of several sets with the same columns, one set after the other. */
export function concatSets(sets: readonly ColumnSet[]): ColumnSet {
  return {
    rowCount: sets.reduce((rows, set) => rows + set.rowCount, 0),
    names: sets[0].names,
    columns: sets[0].columns.map((_, i) => concatColumns(sets.map((set) => set.columns[i]))),
  };
}

/** The rows named, in that order. */
export function takeSetRows(set: ColumnSet, rows: Int32Array): ColumnSet {
  return {
    rowCount: rows.length,
    names: set.names,
    columns: set.columns.map((column) => takeRows(column, rows)),
  };
}

/** `count` nulls. */
export function nullColumn(kind: ColumnKind, count: number): ColumnData {
  return columnOf(kind, Array(count).fill(null));
}

/** Of rows with equal values in the key columns (by index) only the last; all rows when there is no key. */
export function lastRowsOfKey(
  columns: ColumnData[],
  rowCount: number,
  key: readonly number[],
): { columns: ColumnData[]; rowCount: number } {
  if (key.length === 0) return { columns, rowCount };
  const lastOf = new Map<string, number>();
  for (let row = 0; row < rowCount; row++) {
    lastOf.set(key.map((index) => scalarText(valueAt(columns[index], row))).join('\u0000'), row);
  }
  if (lastOf.size === rowCount) return { columns, rowCount };
  const rows = Int32Array.from(lastOf.values()).sort();
  return { columns: columns.map((column) => takeRows(column, rows)), rowCount: rows.length };
}

function scalarText(value: Scalar): string {
  return value !== null && typeof value === 'object'
    ? `${value.coefficient}e-${value.scale}`
    : `${typeof value}:${String(value)}`;
}

/** Int32 numbers as an int64 column's values, by 32-bit halves (bigints cost ten times as much). */
export function widenInt32(values: Int32Array): BigInt64Array {
  const wide = new BigInt64Array(values.length);
  const words = new Int32Array(wide.buffer);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i];
    words[2 * i + 1] = values[i] >> 31;
  }
  return wide;
}

/** The low halves of int64 values that are known to fit 32 bits. */
export function narrowToInt32(values: BigInt64Array): Int32Array {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
  const narrow = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) narrow[i] = words[2 * i];
  return narrow;
}

/** The values of the rows named, in that order. */
export function takeDoubles(values: Float64Array, rows: Int32Array): Float64Array {
  const taken = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
  return taken;
}

/**
 * Whole numbers as 64-bit integers, by 32-bit halves (bigints cost ten times as much); |whole| < 2^62. Where `rest` is
 * given it is added: 0 ≤ rest < 256, to multiples of 256.
 */
export function toInt64(whole: Float64Array, rest?: Float64Array): BigInt64Array {
  const values = new BigInt64Array(whole.length);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < whole.length; i++) {
    const high = Math.floor(whole[i] / 4294967296);
    words[2 * i] = whole[i] - high * 4294967296;
    words[2 * i + 1] = high;
  }
  // The sum of a multiple of 256 and less than 256 does not carry.
  if (rest) for (let i = 0; i < rest.length; i++) words[2 * i] += rest[i];
  return values;
}

function of<K extends ColumnKind>(column: ColumnData, kind: K): Extract<ColumnData, { kind: K }> {
  assert(column.kind === kind, `a ${column.kind} column among ${kind} columns`);
  return column as Extract<ColumnData, { kind: K }>;
}

function joined<T extends Float64Array | Uint8Array | BigInt64Array>(into: T, parts: readonly T[]): T {
  let at = 0;
  for (const part of parts) {
    (into as { set(values: T, at: number): void }).set(part, at);
    at += part.length;
  }
  return into;
}

function joinedNulls(parts: readonly ColumnData[], count: number): Uint8Array | undefined {
  if (!parts.some((part) => 'nulls' in part && part.nulls)) return undefined;
  const nulls = new Uint8Array(count);
  let at = 0;
  for (const part of parts) {
    if ('nulls' in part && part.nulls) nulls.set(part.nulls, at);
    at += lengthOf(part);
  }
  return nulls;
}

function concatText(parts: readonly ColumnData[], count: number): ColumnData {
  const dictionary: string[] = [];
  const codes = new Int32Array(count);
  const offsetOf = new Map<string[], number>();
  let at = 0;
  for (const part of parts) {
    const text = of(part, 'text');
    // Parts often share one dictionary, such as the series names.
    let offset = offsetOf.get(text.dictionary);
    if (offset === undefined) {
      offset = dictionary.length;
      offsetOf.set(text.dictionary, offset);
      for (const entry of text.dictionary) dictionary.push(entry);
    }
    for (let i = 0; i < text.codes.length; i++)
      codes[at + i] = text.codes[i] < 0 ? -1 : text.codes[i] + offset;
    at += text.codes.length;
  }
  return { kind: 'text', dictionary, codes };
}
