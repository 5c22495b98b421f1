/**
 * Columns to JSON text, as rows or as columns, piece by piece so that a large answer neither stands in memory as one
 * string nor holds up the process. Values are written as `protocols/http/wire.ts` says.
 */
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import { formatDecimal } from '../decimal-text.ts';
import { wordsOf } from '../time-words.ts';
import { joinedRows } from './joined-rows.ts';
import { type TimeFormat, timeWriter } from './time-text.ts';

/** Writes the value of a row. */
type ValueWriter = (row: number) => string;

/** `[{"time":…,"symbol":…},…]` in pieces. Names must be distinct. */
export function* encodeJsonRows(set: ColumnSet, time: TimeFormat): Generator<string> {
  yield '[';
  yield* encodeObjects(set, time, ',');
  yield ']';
}

/** A JSON object a line, in pieces. Names must be distinct. */
export function* encodeNdjson(set: ColumnSet, time: TimeFormat): Generator<string> {
  yield* encodeObjects(set, time, '\n');
  if (set.rowCount > 0) yield '\n';
}

function encodeObjects(set: ColumnSet, time: TimeFormat, between: string): Generator<string> {
  const writers = set.columns.map((column) => jsonWriter(column, time));
  const labels = set.names.map((name, i) => `${i === 0 ? '' : ','}${JSON.stringify(name)}:`);
  const writeRow = (row: number): string => {
    let text = '{';
    for (let i = 0; i < writers.length; i++) text += labels[i] + writers[i](row);
    return `${text}}`;
  };
  return joinedRows(writeRow, set.rowCount, between);
}

/** `{"time":[…],"symbol":[…]}` in pieces. Names must be distinct. */
export function* encodeJsonColumns(set: ColumnSet, time: TimeFormat): Generator<string> {
  yield '{';
  for (let i = 0; i < set.columns.length; i++) {
    yield `${i === 0 ? '' : ','}${JSON.stringify(set.names[i])}:[`;
    yield* joinedRows(jsonWriter(set.columns[i], time), set.rowCount, ',');
    yield ']';
  }
  yield '}';
}

function jsonWriter(column: ColumnData, time: TimeFormat): ValueWriter {
  switch (column.kind) {
    case 'double':
      return doubleWriter(column.values);
    case 'text':
      return textWriter(column.dictionary, column.codes);
    case 'boolean':
      return orNull(column.nulls, (row) => (column.values[row] === 1 ? 'true' : 'false'));
    case 'int64':
      return orNull(column.nulls, int64Writer(column.values));
    case 'decimal': {
      const { coefficients, scales } = column;
      return orNull(column.nulls, (row) => `"${formatDecimal(coefficients[row], scales[row])}"`);
    }
    case 'timestamp': {
      const write = timeWriter(column, time);
      const quoted = time === 'iso' || time === 'ns';
      return orNull(column.nulls, quoted ? (row) => `"${write(row)}"` : write);
    }
  }
}

function orNull(nulls: Uint8Array | undefined, write: ValueWriter): ValueWriter {
  return nulls ? (row) => (nulls[row] ? 'null' : write(row)) : write;
}

function doubleWriter(values: Float64Array): ValueWriter {
  return (row) => {
    const value = values[row];
    if (Number.isFinite(value)) return String(value);
    return Number.isNaN(value) ? 'null' : `"${value}"`;
  };
}

/** A number while every JSON reader keeps it exactly, else a string. */
function int64Writer(values: BigInt64Array): ValueWriter {
  const words = wordsOf(values);
  return (row) => {
    const value = words[row * 2 + 1] * 4294967296 + (words[row * 2] >>> 0);
    return Number.isSafeInteger(value) ? String(value) : `"${values[row]}"`;
  };
}

/** Each string is escaped once. */
function textWriter(dictionary: string[], codes: Int32Array): ValueWriter {
  const escaped: string[] = [];
  return (row) => {
    const code = codes[row];
    if (code < 0) return 'null';
    escaped[code] ??= JSON.stringify(dictionary[code]);
    return escaped[code];
  };
}
