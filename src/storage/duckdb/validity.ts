/** What the readers of result columns share: their shape, and nulls. */
import type { DuckDBDataChunk } from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import type { ColumnData } from '../../market/columns.ts';

/** Gathers one column: `read` is called for each chunk in turn with the row the chunk starts at, then `finish`. */
export interface ColumnReader {
  read(chunk: DuckDBDataChunk, column: number, at: number, count: number): void;
  finish(): ColumnData;
}

/** Validity bits → one byte a row, 1 meaning null; made when the first null comes. */
export class NullBytes {
  bytes: Uint8Array | undefined;
  readonly #rowCount: number;

  constructor(rowCount: number) {
    this.#rowCount = rowCount;
  }

  /** Adds the nulls of a chunk whose first row is row `at`. */
  read(vector: Vector, at: number, count: number): void {
    const validity = validityOf(vector, count);
    if (!validity) return;
    for (let i = 0; i < count; i++) {
      if (isValid(validity, i)) continue;
      this.bytes ??= new Uint8Array(this.#rowCount);
      this.bytes[at + i] = 1;
    }
  }

  /** Calls back with each null row: what DuckDB leaves in its place is arbitrary. */
  forEach(callback: (row: number) => void): void {
    if (!this.bytes) return;
    for (let row = this.bytes.indexOf(1); row >= 0; row = this.bytes.indexOf(1, row + 1)) callback(row);
  }
}

/** The validity bits of a vector, or null when all rows are valid. */
export function validityOf(vector: Vector, count: number): Uint8Array | null {
  // The binding returns null here although its type does not say so.
  return duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
}

/** Is the row's validity bit set? */
export function isValid(validity: Uint8Array, row: number): boolean {
  return (validity[row >> 3] & (1 << (row & 7))) !== 0;
}
