import type { ColumnData } from '../../market/columns.ts';
import type { JsonReader } from './json-reader.ts';

/** Why a value does not fit its column, as a phrase that follows the column's name; null when it fits. */
export type Refusal = string | null;

/**
 * A growing column that takes values as they are written in JSON or CSV. Rows may be put in any order below the next
 * power of two; a row that was not put is null. A refused row keeps what it had.
 */
export abstract class ColumnSink<Column extends ColumnData> {
  /** Rows there is room for. */
  protected capacity = 0;

  /** A JSON number, the reader's last token. */
  abstract putNumber(row: number, reader: JsonReader): Refusal;
  /** A CSV cell or a JSON string's value. */
  abstract putText(row: number, text: string): Refusal;

  /** A JSON string without escapes: bytes `start` to `end`. */
  putBytes(row: number, bytes: Buffer, start: number, end: number): Refusal {
    return this.putText(row, bytes.toString('utf8', start, end));
  }

  /** A JSON true or false. */
  putBoolean(_row: number, value: boolean): Refusal {
    return `is ${value}, not ${this.wanted}`;
  }

  /** A JSON object or array, as its text. */
  putNested(_row: number, text: string): Refusal {
    return `is ${text.startsWith('{') ? 'an object' : 'an array'}, not ${this.wanted}`;
  }

  /** What the column takes, for a refusal. */
  protected abstract readonly wanted: string;
  /** Makes room for `capacity` rows, new ones null. */
  protected abstract grow(capacity: number): void;
  /** Rows 0 to `rowCount` as a column, which the sink gives up. Call after {@link reserve}. */
  abstract finish(rowCount: number): Column;
  /** Gives rows 1 to `rowCount` the value of row 0. */
  abstract repeatFirst(rowCount: number): void;

  /** Makes sure that `row` can be put. */
  reserve(row: number): void {
    if (row < this.capacity) return;
    let capacity = Math.max(1024, this.capacity * 2);
    while (capacity <= row) capacity *= 2;
    this.grow(capacity);
    this.capacity = capacity;
  }
}

/** `values` in a larger array of the same type; the rest is zero. */
export function enlarged<T extends Float64Array | BigInt64Array | Int32Array | Uint8Array>(
  values: T,
  capacity: number,
): T {
  const larger = new (values.constructor as new (length: number) => T)(capacity);
  larger.set(values as never);
  return larger;
}

/** {@link enlarged}, the rest being 1: null until a value is put. */
export function enlargedNulls(nulls: Uint8Array, capacity: number): Uint8Array {
  const larger = enlarged(nulls, capacity);
  larger.fill(1, nulls.length);
  return larger;
}

/** The first `rowCount` flags, or undefined when none is set. */
export function trimNulls(nulls: Uint8Array, rowCount: number): Uint8Array | undefined {
  const used = nulls.subarray(0, rowCount);
  return used.includes(1) ? used : undefined;
}

/** A value from outside as it appears in a refusal: quoted, cut to 40 characters. */
export function quote(text: string): string {
  return `'${text.length > 40 ? `${text.slice(0, 40)}…` : text}'`;
}
