/**
 * Columns: the only form in which rows move inside the process.
 *
 * A {@link Batch} is a set of equally long columns for one table. Writers hand batches to the engine and may
 * reuse the arrays once the write has been acknowledged; readers get columns that are theirs to keep.
 *
 * Null: a double column uses NaN (so NaN written to a double column *is* null), a text column uses code -1, the
 * others an optional `nulls` array with one byte a row, 1 meaning null.
 *
 * ```
 * { time:   { kind: 'timestamp', values: BigInt64Array [1700000000000000000n, …] },
 *   symbol: { kind: 'text', dictionary: ['AAPL', 'MSFT'], codes: Int32Array [0, 1, …] },
 *   price:  { kind: 'double', values: Float64Array [189.5, …] } }
 * ```
 */

/** 64-bit floats; NaN means null. */
export interface DoubleColumn {
  kind: 'double';
  values: Float64Array;
}

/** Signed 64-bit integers. */
export interface Int64Column {
  kind: 'int64';
  values: BigInt64Array;
  nulls?: Uint8Array | undefined;
}

/**
 * Exact decimals: value = coefficient / 10^scale, the scale kept per row so that `1.10` comes back as `1.10`.
 * Coefficients beyond 64 bits are why they are bigints.
 */
export interface DecimalColumn {
  kind: 'decimal';
  coefficients: bigint[];
  scales: Uint8Array;
  nulls?: Uint8Array | undefined;
}

/**
 * Strings (also JSON documents) by reference into a dictionary; code -1 means null. The dictionary may repeat
 * or hold unused entries.
 */
export interface TextColumn {
  kind: 'text';
  dictionary: string[];
  codes: Int32Array;
}

/** 0 or 1 a row. */
export interface BooleanColumn {
  kind: 'boolean';
  values: Uint8Array;
  nulls?: Uint8Array | undefined;
}

/** Nanoseconds since the Unix epoch, UTC. */
export interface TimestampColumn {
  kind: 'timestamp';
  values: BigInt64Array;
  nulls?: Uint8Array | undefined;
}

/** One column of values, of any kind. */
export type ColumnData =
  | DoubleColumn
  | Int64Column
  | DecimalColumn
  | TextColumn
  | BooleanColumn
  | TimestampColumn;

/** Which of the kinds a column is of. */
export type ColumnKind = ColumnData['kind'];

/** Named columns of equal length, in order: what reads return. */
export interface ColumnSet {
  rowCount: number;
  /** Names in display order; `columns[i]` belongs to `names[i]`. */
  names: string[];
  columns: ColumnData[];
}

/** Rows for one table, by column name. A nullable column may be left out. */
export interface Batch {
  rowCount: number;
  columns: Record<string, ColumnData>;
}

/** A single value outside a column: bigint for int64 and for timestamps (ns), {@link Decimal} for decimals. */
export type Scalar = number | bigint | string | boolean | Decimal | null;

/** An exact decimal: coefficient / 10^scale. */
export interface Decimal {
  coefficient: bigint;
  scale: number;
}

/** The value of row `row`; see {@link Scalar} for the form. */
export function valueAt(column: ColumnData, row: number): Scalar {
  switch (column.kind) {
    case 'double': {
      const value = column.values[row];
      return Number.isNaN(value) ? null : value;
    }
    case 'text':
      return column.codes[row] < 0 ? null : column.dictionary[column.codes[row]];
    case 'decimal':
      return column.nulls?.[row]
        ? null
        : { coefficient: column.coefficients[row], scale: column.scales[row] };
    case 'boolean':
      return column.nulls?.[row] ? null : column.values[row] === 1;
    default:
      return column.nulls?.[row] ? null : column.values[row];
  }
}

/** How many rows a column has. */
export function lengthOf(column: ColumnData): number {
  switch (column.kind) {
    case 'text':
      return column.codes.length;
    case 'decimal':
      return column.coefficients.length;
    default:
      return column.values.length;
  }
}

/** A column holding `values`; each must be of the kind's {@link Scalar} form or null. */
export function columnOf(kind: ColumnKind, values: readonly Scalar[]): ColumnData {
  switch (kind) {
    case 'double':
      return { kind, values: Float64Array.from(values, (v) => (v === null ? Number.NaN : (v as number))) };
    case 'text':
      return textColumn(values as readonly (string | null)[]);
    case 'boolean':
      return { kind, values: Uint8Array.from(values, (v) => (v === true ? 1 : 0)), nulls: nullsOf(values) };
    case 'decimal':
      return {
        kind,
        coefficients: values.map((v) => (v === null ? 0n : (v as Decimal).coefficient)),
        scales: Uint8Array.from(values, (v) => (v === null ? 0 : (v as Decimal).scale)),
        nulls: nullsOf(values),
      };
    default:
      return {
        kind,
        values: BigInt64Array.from(values, (v) => (v === null ? 0n : (v as bigint))),
        nulls: nullsOf(values),
      };
  }
}

/** A text column that stores each distinct string once. */
export function textColumn(values: readonly (string | null)[]): TextColumn {
  const dictionary: string[] = [];
  const codeOf = new Map<string, number>();
  const codes = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (value === null) {
      codes[row] = -1;
      continue;
    }
    let code = codeOf.get(value);
    if (code === undefined) {
      code = dictionary.push(value) - 1;
      codeOf.set(value, code);
    }
    codes[row] = code;
  }
  return { kind: 'text', dictionary, codes };
}

/** Rows `from` (inclusive) to `to` (exclusive) as a view where the arrays allow it: do not write to it. */
export function sliceColumn(column: ColumnData, from: number, to: number): ColumnData {
  switch (column.kind) {
    case 'double':
      return { kind: 'double', values: column.values.subarray(from, to) };
    case 'text':
      return { kind: 'text', dictionary: column.dictionary, codes: column.codes.subarray(from, to) };
    case 'decimal':
      return {
        kind: 'decimal',
        coefficients: column.coefficients.slice(from, to),
        scales: column.scales.subarray(from, to),
        nulls: column.nulls?.subarray(from, to),
      };
    case 'boolean':
      return {
        kind: 'boolean',
        values: column.values.subarray(from, to),
        nulls: column.nulls?.subarray(from, to),
      };
    default:
      return {
        kind: column.kind,
        values: column.values.subarray(from, to),
        nulls: column.nulls?.subarray(from, to),
      };
  }
}

/** The rows named by `rows`, in that order, as a new column. */
export function takeRows(column: ColumnData, rows: Int32Array): ColumnData {
  const count = rows.length;
  const nulls = 'nulls' in column && column.nulls ? takeBytes(column.nulls, rows) : undefined;
  switch (column.kind) {
    case 'double': {
      const values = new Float64Array(count);
      for (let i = 0; i < count; i++) values[i] = column.values[rows[i]];
      return { kind: 'double', values };
    }
    case 'text': {
      const codes = new Int32Array(count);
      for (let i = 0; i < count; i++) codes[i] = column.codes[rows[i]];
      return { kind: 'text', dictionary: column.dictionary, codes };
    }
    case 'decimal':
      return {
        kind: 'decimal',
        coefficients: Array.from(rows, (row) => column.coefficients[row]),
        scales: takeBytes(column.scales, rows),
        nulls,
      };
    case 'boolean':
      return { kind: 'boolean', values: takeBytes(column.values, rows), nulls };
    default: {
      const values = new BigInt64Array(count);
      for (let i = 0; i < count; i++) values[i] = column.values[rows[i]];
      return { kind: column.kind, values, nulls };
    }
  }
}

/** The column of that name, or undefined. */
export function columnNamed(set: ColumnSet, name: string): ColumnData | undefined {
  const index = set.names.indexOf(name);
  return index < 0 ? undefined : set.columns[index];
}

function nullsOf(values: readonly Scalar[]): Uint8Array | undefined {
  return values.includes(null) ? Uint8Array.from(values, (v) => (v === null ? 1 : 0)) : undefined;
}

function takeBytes(bytes: Uint8Array, rows: Int32Array): Uint8Array {
  const taken = new Uint8Array(rows.length);
  for (let i = 0; i < rows.length; i++) taken[i] = bytes[rows[i]];
  return taken;
}
