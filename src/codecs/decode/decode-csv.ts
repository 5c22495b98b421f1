/**
 * CSV to a batch. The first line names the columns; cells are read as JSON strings are (`decode-json.ts`). An empty
 * cell is null, or the empty string in a text column that may not be null. Lines of the wrong length refuse their row.
 */
import { CsvError, parse } from 'csv-parse/sync';
import { CandelaError } from '../../core/errors.ts';
import type { TableDef } from '../../market/schema.ts';
import { type DecodedRows, type DecodeLimits, type Field, RowCollector } from './decoded-rows.ts';
import { decodePlainLines, isPlainCsv, keepsEmpty, takePlainHeader } from './plain-csv.ts';

/** Options of csv-parse with which a stream of records gives what {@link decodeRecords} takes. */
export const csvParseOptions = {
  bom: true,
  relax_column_count: true,
  skip_empty_lines: true,
} as const;

/** Decodes a whole CSV text. Throws `SYNTAX` (quotes), `INVALID_ARGUMENT`, `COLUMN_NOT_FOUND`, `LIMIT_EXCEEDED`. */
export function decodeCsv(table: TableDef, bytes: Buffer, limits: DecodeLimits): DecodedRows {
  if (isPlainCsv(bytes)) {
    const plain = takePlainHeader(bytes, ',');
    if (!plain) throw emptyText();
    return decodePlainLines(table, plain.header, plain.rest, comma, limits);
  }
  const records = parseCsv(bytes);
  const header = records.shift();
  if (!header) throw emptyText();
  return decodeRecords(table, header, records, limits);
}

const comma = 0x2c;

function emptyText(): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', 'the CSV text is empty', {
    help: 'Send a first line that names the columns, then a line a row.',
  });
}

/**
 * Decodes records already cut into cells. `header[i]` names the column of each record's cell i; null passes over the
 * cell. Throws `INVALID_ARGUMENT` (a name twice), `COLUMN_NOT_FOUND`, `LIMIT_EXCEEDED`.
 */
export function decodeRecords(
  table: TableDef,
  header: readonly (string | null)[],
  records: readonly (readonly string[])[],
  limits: DecodeLimits,
): DecodedRows {
  const collector = new RowCollector(table, limits);
  const rowCount = records.length;
  collector.checkCount(rowCount);
  rejectUneven(records, header.length, collector);
  for (let cell = 0; cell < header.length; cell++) {
    const name = header[cell];
    if (name === null) continue;
    if (header.indexOf(name) < cell) {
      throw new CandelaError('INVALID_ARGUMENT', `the header names column '${name}' twice`);
    }
    const field = collector.mustField(name.trim());
    putColumn(records, cell, field, keepsEmpty(table, field.name), collector);
  }
  return collector.finish(rowCount);
}

function parseCsv(bytes: Buffer): string[][] {
  try {
    return parse(bytes, csvParseOptions);
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new CandelaError('SYNTAX', `CSV: ${cause.message}`, {
      cause,
      help: 'Quote cells that hold commas, quotes or line breaks, and double the quotes inside.',
    });
  }
}

function rejectUneven(
  records: readonly (readonly string[])[],
  wanted: number,
  collector: RowCollector,
): void {
  for (let row = 0; row < records.length; row++) {
    const { length } = records[row];
    if (length !== wanted) collector.reject(row, null, `has ${length} cells, the header ${wanted}`);
  }
}

function putColumn(
  records: readonly (readonly string[])[],
  cell: number,
  field: Field,
  withEmpty: boolean,
  collector: RowCollector,
): void {
  const { sink, name } = field;
  if (records.length > 0) sink.reserve(records.length - 1);
  for (let row = 0; row < records.length; row++) {
    const text = records[row][cell];
    if (text === undefined || (text === '' && !withEmpty)) continue;
    const refusal = sink.putText(row, text);
    if (refusal !== null) collector.reject(row, name, refusal);
  }
}
