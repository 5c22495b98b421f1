/**
 * CSV without a quote in it, as most market data is: cells go from the bytes straight into columns, several times
 * faster than through records of strings. Reads as `decode-csv.ts` does in every other respect.
 */
import { CandelaError } from '../../core/errors.ts';
import type { TableDef } from '../../market/schema.ts';
import { type DecodedRows, type DecodeLimits, type Field, RowCollector } from './decoded-rows.ts';
import { JsonReader } from './json-reader.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
const quoteMark = 0x22;

/** Can this text be read here? Neither with quotes nor with the line ends of old Macs. */
export function isPlainCsv(bytes: Buffer): boolean {
  return !bytes.includes(quoteMark) && (!bytes.includes(carriageReturn) || bytes.includes(newline));
}

/** The cells of the first line that is not blank, and the bytes behind it; null when there is none. */
export function takePlainHeader(bytes: Buffer, delimiter: string): { header: string[]; rest: Buffer } | null {
  const text = bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf(newline, from);
    const next = found < 0 ? text.length : found;
    const line = text.toString('utf8', from, next).replace(/\r$/, '');
    if (line !== '') return { header: line.split(delimiter), rest: text.subarray(next + 1) };
    from = next + 1;
  }
  return null;
}

const byteOrderMark = Buffer.from('\ufeff');

/** Is the empty cell of this column the empty string? Where text may not be null, it must be something. */
export function keepsEmpty(table: TableDef, name: string): boolean {
  const def = table.columns.find((column) => column.name === name);
  const required = def?.nullable === false || table.seriesKey.includes(name);
  return def?.type.kind === 'text' && required;
}

/** Where a cell goes. */
interface Cell {
  field: Field;
  isNumber: boolean;
  /** The empty cell is the empty string here, not null. */
  withEmpty: boolean;
}

/**
 * Decodes lines that have no header among them. `header[i]` names the column of each line's cell i; null passes over
 * the cell. `delimiter` is one byte. Blank lines do not count. Throws `INVALID_ARGUMENT` (a name twice),
 * `COLUMN_NOT_FOUND`,
 * `LIMIT_EXCEEDED`.
 */
export function decodePlainLines(
  table: TableDef,
  header: readonly (string | null)[],
  bytes: Buffer,
  delimiter: number,
  limits: DecodeLimits,
): DecodedRows {
  const collector = new RowCollector(table, limits);
  const cells = header.map((name, index) => cellOf(table, header, name, index, collector));
  const reader = new JsonReader(bytes, bytes.length);
  /** Where each cell of the line at hand ends; one place more than wanted tells a line that is too long. */
  const ends = new Int32Array(cells.length + 1);
  let row = 0;
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(newline, from);
    const next = found < 0 ? bytes.length : found;
    const end = next > from && bytes[next - 1] === carriageReturn ? next - 1 : next;
    if (end > from) {
      const count = findCells(bytes, { from, end, delimiter }, ends);
      for (const cell of cells) cell?.field.sink.reserve(row);
      if (count !== cells.length)
        collector.reject(row, null, `has ${count} cells, the header ${cells.length}`);
      else putLine(reader, cells, { from, ends, row }, collector);
      collector.checkCount(++row);
    }
    from = next + 1;
  }
  return collector.finish(row);
}

function cellOf(
  table: TableDef,
  header: readonly (string | null)[],
  name: string | null,
  index: number,
  collector: RowCollector,
): Cell | null {
  if (name === null) return null;
  if (header.indexOf(name) < index) {
    throw new CandelaError('INVALID_ARGUMENT', `the header names column '${name}' twice`);
  }
  const field = collector.mustField(name.trim());
  const { kind } = collector.mustColumn(field.name).type;
  const isNumber = kind === 'double' || kind === 'int64' || kind === 'decimal';
  return { field, isNumber, withEmpty: keepsEmpty(table, field.name) };
}

interface Line {
  from: number;
  end: number;
  delimiter: number;
}

/** How many cells the line has; the ends of as many as there is room for. */
function findCells(bytes: Buffer, { from, end, delimiter }: Line, ends: Int32Array): number {
  let count = 0;
  for (let at = from; at <= end; at++) {
    if (at === end || bytes[at] === delimiter) ends[count++] = at;
  }
  return count;
}

function putLine(
  reader: JsonReader,
  cells: readonly (Cell | null)[],
  { from, ends, row }: { from: number; ends: Int32Array; row: number },
  collector: RowCollector,
): void {
  let start = from;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index];
    if (cell) putCell(reader, cell, row, start, ends[index], collector);
    start = ends[index] + 1;
  }
}

function putCell(
  reader: JsonReader,
  cell: Cell,
  row: number,
  start: number,
  end: number,
  collector: RowCollector,
): void {
  const { sink, name } = cell.field;
  if (start === end && !cell.withEmpty) return;
  const refusal =
    cell.isNumber && scanNumber(reader, start, end)
      ? sink.putNumber(row, reader)
      : sink.putBytes(row, reader.bytes, start, end);
  if (refusal !== null) collector.reject(row, name, refusal);
}

/**
 * Makes a number of at most 15 digits without an exponent the reader's last token; false for any other text, which
 * the column then reads itself.
 */
function scanNumber(reader: JsonReader, start: number, end: number): boolean {
  const { bytes } = reader;
  const negative = bytes[start] === 0x2d;
  let mantissa = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const byte = bytes[at];
    if (byte === 0x2e && point < 0 && digits > 0) point = at;
    else if (byte >= 0x30 && byte <= 0x39) {
      mantissa = mantissa * 10 + byte - 0x30;
      digits++;
    } else return false;
  }
  // The point may not stand at the end, and digits beyond 15 would not be exact here.
  if (digits === 0 || digits > 15 || point === end - 1) return false;
  reader.start = start;
  reader.end = end;
  reader.negative = negative;
  reader.mantissa = mantissa;
  reader.digitCount = digits;
  reader.exponent = point < 0 ? 0 : point + 1 - end;
  return true;
}
