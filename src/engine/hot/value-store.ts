/**
 * Growable, randomly addressed columns of values: what hot tables and first/last/min/max slots keep their values in.
 *
 * One implementation per kind, all with the same small surface. Nulls are as in `market/columns.ts`.
 */
import type { ColumnData } from '../../market/columns.ts';
import { textColumn } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';

/** A column of values addressed by row. Rows that were never set hold null. */
export interface ValueStore {
  readonly bytesPerRow: number;
  grow(capacity: number): void;
  /** Rows 0 … count-1 become null. */
  clear(count: number): void;
  /** Rows at, at+1, … take rows from … to-1 of the column; null where there is no column. */
  append(column: ColumnData | undefined, from: number, to: number, at: number): void;
  /** Row r takes row `rows[r]` of the column, for r < count; null where there is no column. */
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void;
  setFrom(column: ColumnData, fromRow: number, toRow: number): void;
  copyRow(from: ValueStore, fromRow: number, toRow: number): void;
  /**
   * Is the column's value at `fromRow` smaller (`isMin`) or greater than that of `row`, or is `row` null? Never
   * for a null. Of equal decimals the one written with more digits is.
   */
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean;
  /** A new column of the rows named. */
  gather(rows: Int32Array): ColumnData;
  /**
   * Rows from … to-1; shares memory where it can, so it must not be written to. It stays valid when the store
   * grows.
   */
  view(from: number, to: number): ColumnData;
}

/** An empty store with room for `capacity` values of the type. */
export function createValueStore(type: ColumnType, capacity: number): ValueStore {
  switch (type.kind) {
    case 'double':
      return new DoubleStore(capacity);
    case 'int64':
      return new Int64Store('int64', capacity);
    case 'timestamp':
      return new Int64Store('timestamp', capacity);
    case 'boolean':
      return new BooleanStore(capacity);
    case 'decimal':
      return new DecimalStore(capacity);
    default:
      return new TextStore();
  }
}

class DoubleStore implements ValueStore {
  readonly bytesPerRow = 8;
  values: Float64Array;

  constructor(capacity: number) {
    this.values = new Float64Array(capacity).fill(Number.NaN);
  }
  grow(capacity: number): void {
    const larger = new Float64Array(capacity).fill(Number.NaN, this.values.length);
    larger.set(this.values);
    this.values = larger;
  }
  clear(count: number): void {
    this.values.fill(Number.NaN, 0, count);
  }
  append(column: ColumnData | undefined, from: number, to: number, at: number): void {
    if (column?.kind === 'double') this.values.set(column.values.subarray(from, to), at);
    else this.values.fill(Number.NaN, at, at + to - from);
  }
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void {
    if (column?.kind !== 'double') this.values.fill(Number.NaN, 0, count);
    else for (let r = 0; r < count; r++) this.values[r] = column.values[rows[r]];
  }
  setFrom(column: ColumnData, fromRow: number, toRow: number): void {
    this.values[toRow] = (column as { values: Float64Array }).values[fromRow];
  }
  copyRow(from: ValueStore, fromRow: number, toRow: number): void {
    this.values[toRow] = (from as DoubleStore).values[fromRow];
  }
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean {
    const value = (column as { values: Float64Array }).values[fromRow];
    const own = this.values[row];
    return !Number.isNaN(value) && !(isMin ? own <= value : own >= value);
  }
  gather(rows: Int32Array): ColumnData {
    const { values } = this;
    const taken = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
    return { kind: 'double', values: taken };
  }
  view(from: number, to: number): ColumnData {
    return { kind: 'double', values: this.values.subarray(from, to) };
  }
}

class Int64Store implements ValueStore {
  readonly bytesPerRow = 9;
  readonly kind: 'int64' | 'timestamp';
  values: BigInt64Array;
  nulls: Uint8Array;

  constructor(kind: 'int64' | 'timestamp', capacity: number) {
    this.kind = kind;
    this.values = new BigInt64Array(capacity);
    this.nulls = new Uint8Array(capacity).fill(1);
  }
  grow(capacity: number): void {
    const values = new BigInt64Array(capacity);
    values.set(this.values);
    this.values = values;
    this.nulls = grownBytes(this.nulls, capacity, 1);
  }
  clear(count: number): void {
    this.nulls.fill(1, 0, count);
  }
  append(column: ColumnData | undefined, from: number, to: number, at: number): void {
    if (column?.kind === 'int64' || column?.kind === 'timestamp') {
      this.values.set(column.values.subarray(from, to), at);
      appendNulls(this.nulls, column.nulls, from, to, at);
    } else this.nulls.fill(1, at, at + to - from);
  }
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void {
    if (!column) this.clear(count);
    else for (let r = 0; r < count; r++) this.setFrom(column, rows[r], r);
  }
  setFrom(column: ColumnData, fromRow: number, toRow: number): void {
    const source = column as { values: BigInt64Array; nulls?: Uint8Array };
    this.values[toRow] = source.values[fromRow];
    this.nulls[toRow] = source.nulls ? source.nulls[fromRow] : 0;
  }
  copyRow(from: ValueStore, fromRow: number, toRow: number): void {
    this.values[toRow] = (from as Int64Store).values[fromRow];
    this.nulls[toRow] = (from as Int64Store).nulls[fromRow];
  }
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean {
    const source = column as { values: BigInt64Array; nulls?: Uint8Array };
    if (source.nulls?.[fromRow]) return false;
    if (this.nulls[row]) return true;
    return isMin ? source.values[fromRow] < this.values[row] : source.values[fromRow] > this.values[row];
  }
  gather(rows: Int32Array): ColumnData {
    const values = new BigInt64Array(rows.length);
    const nulls = new Uint8Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      values[i] = this.values[rows[i]];
      nulls[i] = this.nulls[rows[i]];
    }
    return { kind: this.kind, values, nulls: anyNull(nulls) };
  }
  view(from: number, to: number): ColumnData {
    return {
      kind: this.kind,
      values: this.values.subarray(from, to),
      nulls: anyNull(this.nulls.subarray(from, to)),
    };
  }
}

class BooleanStore implements ValueStore {
  readonly bytesPerRow = 2;
  values: Uint8Array;
  nulls: Uint8Array;

  constructor(capacity: number) {
    this.values = new Uint8Array(capacity);
    this.nulls = new Uint8Array(capacity).fill(1);
  }
  grow(capacity: number): void {
    this.values = grownBytes(this.values, capacity, 0);
    this.nulls = grownBytes(this.nulls, capacity, 1);
  }
  clear(count: number): void {
    this.nulls.fill(1, 0, count);
  }
  append(column: ColumnData | undefined, from: number, to: number, at: number): void {
    if (column?.kind === 'boolean') {
      this.values.set(column.values.subarray(from, to), at);
      appendNulls(this.nulls, column.nulls, from, to, at);
    } else this.nulls.fill(1, at, at + to - from);
  }
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void {
    if (!column) this.clear(count);
    else for (let r = 0; r < count; r++) this.setFrom(column, rows[r], r);
  }
  setFrom(column: ColumnData, fromRow: number, toRow: number): void {
    const source = column as { values: Uint8Array; nulls?: Uint8Array };
    this.values[toRow] = source.values[fromRow];
    this.nulls[toRow] = source.nulls ? source.nulls[fromRow] : 0;
  }
  copyRow(from: ValueStore, fromRow: number, toRow: number): void {
    this.values[toRow] = (from as BooleanStore).values[fromRow];
    this.nulls[toRow] = (from as BooleanStore).nulls[fromRow];
  }
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean {
    const source = column as { values: Uint8Array; nulls?: Uint8Array };
    if (source.nulls?.[fromRow]) return false;
    if (this.nulls[row]) return true;
    return isMin ? source.values[fromRow] < this.values[row] : source.values[fromRow] > this.values[row];
  }
  gather(rows: Int32Array): ColumnData {
    const nulls = Uint8Array.from(rows, (row) => this.nulls[row]);
    return {
      kind: 'boolean',
      values: Uint8Array.from(rows, (row) => this.values[row]),
      nulls: anyNull(nulls),
    };
  }
  view(from: number, to: number): ColumnData {
    const nulls = anyNull(this.nulls.subarray(from, to));
    return { kind: 'boolean', values: this.values.subarray(from, to), nulls };
  }
}

class DecimalStore implements ValueStore {
  readonly bytesPerRow = 34;
  coefficients: bigint[] = [];
  scales: Uint8Array;
  nulls: Uint8Array;

  constructor(capacity: number) {
    this.scales = new Uint8Array(capacity);
    this.nulls = new Uint8Array(capacity).fill(1);
  }
  grow(capacity: number): void {
    this.scales = grownBytes(this.scales, capacity, 0);
    this.nulls = grownBytes(this.nulls, capacity, 1);
  }
  clear(count: number): void {
    this.nulls.fill(1, 0, count);
  }
  append(column: ColumnData | undefined, from: number, to: number, at: number): void {
    for (let row = from; row < to; row++) {
      if (column) this.setFrom(column, row, at + row - from);
      else this.nulls[at + row - from] = 1;
    }
  }
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void {
    if (!column) this.clear(count);
    else for (let r = 0; r < count; r++) this.setFrom(column, rows[r], r);
  }
  setFrom(column: ColumnData, fromRow: number, toRow: number): void {
    if (column.kind !== 'decimal') return;
    this.coefficients[toRow] = column.coefficients[fromRow];
    this.scales[toRow] = column.scales[fromRow];
    this.nulls[toRow] = column.nulls ? column.nulls[fromRow] : 0;
  }
  copyRow(from: ValueStore, fromRow: number, toRow: number): void {
    const source = from as DecimalStore;
    this.coefficients[toRow] = source.coefficients[fromRow] ?? 0n;
    this.scales[toRow] = source.scales[fromRow];
    this.nulls[toRow] = source.nulls[fromRow];
  }
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean {
    if (column.kind !== 'decimal' || column.nulls?.[fromRow]) return false;
    if (this.nulls[row]) return true;
    const order = compareDecimals(
      column.coefficients[fromRow],
      column.scales[fromRow],
      this.coefficients[row],
      this.scales[row],
    );
    // 1.50 and 1.5 are equal, but which is shown must not depend on the order in which they came.
    if (order === 0) return column.scales[fromRow] > this.scales[row];
    return isMin ? order < 0 : order > 0;
  }
  gather(rows: Int32Array): ColumnData {
    return {
      kind: 'decimal',
      coefficients: Array.from(rows, (row) => this.coefficients[row] ?? 0n),
      scales: Uint8Array.from(rows, (row) => this.scales[row]),
      nulls: anyNull(Uint8Array.from(rows, (row) => this.nulls[row])),
    };
  }
  view(from: number, to: number): ColumnData {
    return this.gather(Int32Array.from({ length: to - from }, (_, i) => from + i));
  }
}

/** Negative, zero or positive as a/10^as is below, equal to or above b/10^bs. */
export function compareDecimals(a: bigint, aScale: number, b: bigint, bScale: number): number {
  const left = aScale < bScale ? a * 10n ** BigInt(bScale - aScale) : a;
  const right = bScale < aScale ? b * 10n ** BigInt(aScale - bScale) : b;
  return left < right ? -1 : left > right ? 1 : 0;
}

class TextStore implements ValueStore {
  readonly bytesPerRow = 48;
  values: (string | null)[] = [];

  grow(): void {}
  clear(count: number): void {
    this.values.fill(null, 0, Math.min(count, this.values.length));
  }
  append(column: ColumnData | undefined, from: number, to: number, at: number): void {
    for (let row = from; row < to; row++) {
      if (column) this.setFrom(column, row, at + row - from);
      else this.values[at + row - from] = null;
    }
  }
  takeRows(column: ColumnData | undefined, rows: Int32Array, count: number): void {
    for (let r = 0; r < count; r++) {
      if (column) this.setFrom(column, rows[r], r);
      else this.values[r] = null;
    }
  }
  setFrom(column: ColumnData, fromRow: number, toRow: number): void {
    if (column.kind !== 'text') return;
    const code = column.codes[fromRow];
    this.values[toRow] = code < 0 ? null : column.dictionary[code];
  }
  copyRow(from: ValueStore, fromRow: number, toRow: number): void {
    this.values[toRow] = (from as TextStore).values[fromRow] ?? null;
  }
  beats(column: ColumnData, fromRow: number, row: number, isMin: boolean): boolean {
    if (column.kind !== 'text' || column.codes[fromRow] < 0) return false;
    const own = this.values[row] ?? null;
    const value = column.dictionary[column.codes[fromRow]];
    return own === null || (isMin ? value < own : value > own);
  }
  gather(rows: Int32Array): ColumnData {
    return textColumn(Array.from(rows, (row) => this.values[row] ?? null));
  }
  view(from: number, to: number): ColumnData {
    return textColumn(Array.from({ length: to - from }, (_, i) => this.values[from + i] ?? null));
  }
}

function grownBytes(bytes: Uint8Array, capacity: number, fill: number): Uint8Array {
  const larger = new Uint8Array(capacity).fill(fill, bytes.length);
  larger.set(bytes);
  return larger;
}

function appendNulls(
  into: Uint8Array,
  nulls: Uint8Array | undefined,
  from: number,
  to: number,
  at: number,
): void {
  if (nulls) into.set(nulls.subarray(from, to), at);
  else into.fill(0, at, at + to - from);
}

function anyNull(nulls: Uint8Array): Uint8Array | undefined {
  return nulls.includes(1) ? nulls : undefined;
}
