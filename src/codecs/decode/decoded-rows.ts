/**
 * What every decoder returns: the rows that could be read, as a batch, and the others by number and reason.
 *
 * Decoders judge form only (is this text a number?). Whether a row may be stored (nulls, precision, range) is for the
 * engine, which names rows by their place in the batch; {@link mergeRejections} turns that into their place in what
 * was sent.
 */
import { must } from '../../core/assert.ts';
import { CandelaError, type RowRejection } from '../../core/errors.ts';
import { type Batch, type ColumnData, takeRows } from '../../market/columns.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import { createSink } from './column-sink.ts';
import type { ColumnSink } from './sink.ts';

/** See the head of this file. */
export interface DecodedRows {
  /** Rows in the text, good or bad. */
  sentRowCount: number;
  batch: Batch;
  /** For each row of the batch its number as sent; null when they are the same. */
  rowNumbers: Int32Array | null;
  /** By row; at most one a row. */
  rejected: RowRejection[];
}

/** Bounds on what is decoded at once. */
export interface DecodeLimits {
  /** More rows are `LIMIT_EXCEEDED`. */
  rowsMax: number;
}

/** Bounds for callers that cut their input themselves. */
export const decodeUnbounded: DecodeLimits = { rowsMax: 0x7fffffff };

/** A named column while rows are being put into it. */
export interface Field {
  name: string;
  sink: ColumnSink<ColumnData>;
  /** Row last put, to notice a name that appears twice in a row; -1 before the first. */
  rowLast: number;
}

/** Collects rows of one table, column by column or row by row. */
export class RowCollector {
  readonly table: TableDef;
  readonly #fields = new Map<string, Field>();
  readonly #rejected = new Map<number, RowRejection>();
  readonly #rowsMax: number;

  constructor(table: TableDef, limits: DecodeLimits) {
    this.table = table;
    this.#rowsMax = limits.rowsMax;
  }

  /** The column of that name, or undefined when the table has none. */
  field(name: string): Field | undefined {
    const known = this.#fields.get(name);
    if (known) return known;
    const def = this.table.columns.find((column) => column.name === name);
    if (!def) return undefined;
    const field = { name, sink: createSink(def.type), rowLast: -1 };
    this.#fields.set(name, field);
    return field;
  }

  /** The field of the column of that name. Throws `COLUMN_NOT_FOUND`. */
  mustField(name: string): Field {
    return must(this.field(this.mustColumn(name).name), 'the field of a column');
  }

  /** The definition of the column of that name. Throws `COLUMN_NOT_FOUND`. */
  mustColumn(name: string): ColumnDef {
    const { columns, name: tableName } = this.table;
    const def = columns.find((column) => column.name === name);
    if (def) return def;
    throw new CandelaError('COLUMN_NOT_FOUND', `table '${tableName}' has no column '${name}'`, {
      help: `Its columns are ${columns.map((column) => column.name).join(', ')}.`,
    });
  }

  /** Notes why a row is refused; the first reason stands. */
  reject(row: number, column: string | null, reason: string): void {
    if (!this.#rejected.has(row)) this.#rejected.set(row, { row, column, reason });
  }

  /** Throws `LIMIT_EXCEEDED` when there are more rows than allowed. */
  checkCount(rowCount: number): void {
    if (rowCount <= this.#rowsMax) return;
    throw new CandelaError('LIMIT_EXCEEDED', `more than ${this.#rowsMax} rows in one write`);
  }

  /** The rows collected, and whole `columns` beside them, those refused taken out. */
  finish(rowCount: number, columns: Record<string, ColumnData> = {}): DecodedRows {
    for (const { name, sink } of this.#fields.values()) {
      if (rowCount > 0) sink.reserve(rowCount - 1);
      columns[name] = sink.finish(rowCount);
    }
    const rowNumbers = this.#rejected.size === 0 ? null : this.#rowsKept(rowCount);
    if (rowNumbers) {
      for (const name of Object.keys(columns)) columns[name] = takeRows(columns[name], rowNumbers);
    }
    const rejected = [...this.#rejected.values()].sort((a, b) => a.row - b.row);
    const batch = { rowCount: rowNumbers?.length ?? rowCount, columns };
    return { sentRowCount: rowCount, batch, rowNumbers, rejected };
  }

  #rowsKept(rowCount: number): Int32Array {
    const kept = new Int32Array(rowCount - this.#rejected.size);
    let count = 0;
    for (let row = 0; row < rowCount; row++) if (!this.#rejected.has(row)) kept[count++] = row;
    return kept;
  }
}

/** The decoder's rejections and the engine's (numbered as in the batch) in one list, numbered as sent. */
export function mergeRejections(decoded: DecodedRows, ofBatch: readonly RowRejection[]): RowRejection[] {
  const { rowNumbers } = decoded;
  const renumbered = rowNumbers
    ? ofBatch.map((rejection) => ({ ...rejection, row: rowNumbers[rejection.row] }))
    : ofBatch;
  return [...decoded.rejected, ...renumbered].sort((a, b) => a.row - b.row);
}
