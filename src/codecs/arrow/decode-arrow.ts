/**
 * Arrow IPC (stream or file) to a batch. Columns whose Arrow type is the table's own are moved as whole arrays; any
 * other sensible pairing goes value by value through the same sinks as JSON and CSV, so that the same things are
 * accepted and refused. Nothing a sender writes into lengths and offsets is trusted.
 */
import { DataType, type Table, tableFromIPC, type Vector } from 'apache-arrow';
import { CandelaError } from '../../core/errors.ts';
import type { ColumnData } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import { formatDecimal } from '../decimal-text.ts';
import { type DecodedRows, type DecodeLimits, RowCollector } from '../decode/decoded-rows.ts';
import { int128, isExactDecimal, moveColumn } from './arrow-columns.ts';
import { checkArrow, damagedArrow } from './checked-arrow.ts';

/**
 * Decodes a whole IPC stream or file. Throws `SYNTAX` (not Arrow, or damaged) and what {@link decodeArrowTable}
 * throws.
 */
export function decodeArrow(table: TableDef, bytes: Uint8Array, limits: DecodeLimits): DecodedRows {
  let arrow: Table;
  try {
    checkArrow(bytes, limits.rowsMax);
    arrow = tableFromIPC(bytes);
  } catch (cause) {
    if (cause instanceof CandelaError) throw cause;
    throw damagedArrow(cause instanceof Error ? cause.message : String(cause), cause);
  }
  return decodeArrowTable(table, arrow, limits);
}

/**
 * Decodes the rows of an Arrow table that can be trusted to be one. Throws `SYNTAX` (damaged),
 * `COLUMN_NOT_FOUND`, `INVALID_ARGUMENT`, `LIMIT_EXCEEDED`.
 */
export function decodeArrowTable(table: TableDef, arrow: Table, limits: DecodeLimits): DecodedRows {
  const collector = new RowCollector(table, limits);
  const rowCount = arrow.numRows;
  collector.checkCount(rowCount);
  const moved: Record<string, ColumnData> = {};
  const names = arrow.schema.fields.map((field) => field.name);
  names.forEach((name, index) => {
    const { type } = collector.mustColumn(name);
    if (names.indexOf(name) < index) {
      throw new CandelaError('INVALID_ARGUMENT', `column '${name}' appears twice`);
    }
    const vector = arrow.getChildAt(index);
    if (vector?.length !== rowCount) throw damagedArrow(`column '${name}' has not ${rowCount} rows`);
    const column = moveColumn(type, vector, rowCount, {
      refuse: (row, reason) => collector.reject(row, name, reason),
      damaged: () => damagedArrow(`column '${name}' is cut short`),
    });
    if (column) moved[name] = column;
    else putValues(collector, name, vector, rowCount);
  });
  return collector.finish(rowCount, moved);
}

/** The long way: each value through the column's sink. */
function putValues(collector: RowCollector, name: string, vector: Vector, rowCount: number): void {
  const { sink } = collector.mustField(name);
  if (rowCount > 0) sink.reserve(rowCount - 1);
  for (let row = 0; row < rowCount; row++) {
    const value = readValue(vector, row);
    if (value === null) continue;
    const refusal =
      value === undefined
        ? `has the Arrow type ${vector.type}, which does not fit`
        : typeof value === 'boolean'
          ? sink.putBoolean(row, value)
          : sink.putText(row, value);
    if (refusal !== null) collector.reject(row, name, refusal);
  }
}

/** A value as the sinks take it; undefined for types that have no such form. */
function readValue(vector: Vector, row: number): string | boolean | null | undefined {
  let value: unknown;
  try {
    value = vector.get(row);
  } catch (cause) {
    throw damagedArrow(`row ${row} cannot be read`, cause);
  }
  if (value === null) return null;
  const type = vector.type as DataType;
  if (DataType.isDecimal(type)) {
    if (!isExactDecimal(type) || !(value instanceof Uint32Array)) return undefined;
    if (value.length < 4) throw damagedArrow(`row ${row} is cut short`);
    return formatDecimal(int128(value, 0), type.scale);
  }
  // Times are left out: what they stand for as a number depends on their unit.
  if (DataType.isInt(type) || DataType.isFloat(type)) return String(value);
  return typeof value === 'string' || typeof value === 'boolean' ? value : undefined;
}
