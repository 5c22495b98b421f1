/**
 * JSON to a batch, in three shapes:
 *
 * ```
 * [{"time": 1700000000000, "symbol": "AAPL", "price": 189.5}, …]                      rows, also {"rows": […]}
 * {"columns": {"time": [1700000000000, …], "symbol": "AAPL", "price": [189.5, …]}}    columns; one value stands
 * for all rows
 * {"time": 1700000000000, "symbol": "AAPL", "price": 189.5}⏎…                         NDJSON, a row a line
 * ```
 *
 * A value that does not fit refuses its row and nothing else. Text that is not JSON is a `SYNTAX` error; in NDJSON,
 * whose lines stand alone, it refuses its line.
 */
import { CandelaError } from '../../core/errors.ts';
import type { TableDef } from '../../market/schema.ts';
import { type DecodedRows, type DecodeLimits, type Field, RowCollector } from './decoded-rows.ts';
import { JsonReader, token } from './json-reader.ts';
import type { Refusal } from './sink.ts';

/**
 * Decodes the rows or columns shape (see the head of this file). Throws `SYNTAX`, `INVALID_ARGUMENT`,
 * `COLUMN_NOT_FOUND`, `LIMIT_EXCEEDED`.
 */
export function decodeJson(table: TableDef, bytes: Buffer, limits: DecodeLimits): DecodedRows {
  const reader = new JsonReader(bytes);
  const collector = new RowCollector(table, limits);
  const rowCount = readDocument(reader, collector);
  reader.expect(token.end, 'the end of the text');
  return collector.finish(rowCount);
}

/** Beyond so many broken lines the text is not NDJSON at all. */
const brokenLinesMax = 10_000;

const noNames: ReadonlySet<string> = new Set();

/**
 * Decodes NDJSON; blank lines do not count, fields named in `ignored` are passed over. Throws `LIMIT_EXCEEDED`, and
 * `SYNTAX` when thousands of lines are not JSON.
 */
export function decodeNdjson(
  table: TableDef,
  bytes: Buffer,
  limits: DecodeLimits,
  ignored: ReadonlySet<string> = noNames,
): DecodedRows {
  const collector = new RowCollector(table, limits);
  const rows = new RowReader(collector, ignored);
  const reader = new JsonReader(bytes);
  let row = 0;
  let broken = 0;
  for (let from = 0; from < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, from);
    const until = newline < 0 ? bytes.length : newline;
    reader.at = from === 0 ? reader.at : from;
    reader.limit = until;
    reader.origin = from;
    from = until + 1;
    try {
      if (!readLine(reader, rows, row)) continue;
    } catch (error) {
      if (!(error instanceof CandelaError) || error.code !== 'SYNTAX' || broken++ === brokenLinesMax)
        throw error;
      collector.reject(row, null, `is not JSON (${error.message})`);
    }
    collector.checkCount(++row);
  }
  return collector.finish(row);
}

/** False for a blank line. */
function readLine(reader: JsonReader, rows: RowReader, row: number): boolean {
  const found = reader.next();
  if (found === token.end) return false;
  rows.read(reader, found, row);
  reader.expect(token.end, 'the end of the line');
  return true;
}

function readDocument(reader: JsonReader, collector: RowCollector): number {
  const found = reader.next();
  if (found === token.openArray) return readRows(reader, collector);
  if (found !== token.openObject) throw reader.unexpected(found, 'an array of rows or an object');
  reader.expect(token.string, '"rows" or "columns"');
  const name = reader.string();
  if (name !== 'rows' && name !== 'columns') {
    throw new CandelaError('INVALID_ARGUMENT', `a write holds "rows" or "columns", not "${name}"`, {
      help: 'Send [{…}], {"rows": [{…}]} or {"columns": {"time": […], …}}.',
    });
  }
  reader.expect(token.colon, "':'");
  let rowCount: number;
  if (name === 'rows') {
    reader.expect(token.openArray, "'['");
    rowCount = readRows(reader, collector);
  } else {
    reader.expect(token.openObject, "'{'");
    rowCount = readColumns(reader, collector);
  }
  reader.expect(token.closeObject, "'}'");
  return rowCount;
}

function readRows(reader: JsonReader, collector: RowCollector): number {
  const rows = new RowReader(collector, noNames);
  let row = 0;
  let found = reader.next();
  if (found === token.closeArray) return 0;
  for (;;) {
    rows.read(reader, found, row);
    collector.checkCount(++row);
    found = reader.next();
    if (found === token.closeArray) return row;
    if (found !== token.comma) throw reader.unexpected(found, "',' or ']'");
    found = reader.next();
  }
}

/** Reads row objects. Rows tend to repeat the names of the row before in the same order, which is tried first. */
class RowReader {
  readonly #collector: RowCollector;
  readonly #names: Buffer[] = [];
  readonly #fields: Field[] = [];
  readonly #ignored: ReadonlySet<string>;

  constructor(collector: RowCollector, ignored: ReadonlySet<string>) {
    this.#collector = collector;
    this.#ignored = ignored;
  }

  /** Reads the object that begins with the token just `found` into row `row`. */
  read(reader: JsonReader, found: number, row: number): void {
    if (found !== token.openObject) {
      putValue(reader, found, null, row);
      this.#collector.reject(row, null, 'is not an object');
      return;
    }
    let next = reader.next();
    if (next === token.closeObject) return;
    for (let place = 0; ; place++) {
      if (next !== token.string) throw reader.unexpected(next, 'a column name');
      const field = this.#fieldAt(reader, place, row);
      reader.expect(token.colon, "':'");
      this.#put(reader, field, row);
      next = reader.next();
      if (next === token.closeObject) return;
      if (next !== token.comma) throw reader.unexpected(next, "',' or '}'");
      next = reader.next();
    }
  }

  #put(reader: JsonReader, field: Field | undefined, row: number): void {
    const refusal = putValue(reader, reader.next(), field, row);
    if (!field) return;
    if (refusal !== null) this.#collector.reject(row, field.name, refusal);
    else if (field.rowLast === row) this.#collector.reject(row, field.name, 'appears twice');
    field.rowLast = row;
  }

  #fieldAt(reader: JsonReader, place: number, row: number): Field | undefined {
    const { bytes, start, end } = reader;
    const expected = this.#names[place];
    if (expected !== undefined && equalBytes(expected, bytes, start, end)) return this.#fields[place];
    const name = reader.string();
    const field = this.#collector.field(name);
    if (field) {
      this.#names[place] = Buffer.from(bytes.subarray(start, end));
      this.#fields[place] = field;
    } else if (!this.#ignored.has(name)) {
      this.#collector.reject(row, name, `is not a column of table '${this.#collector.table.name}'`);
    }
    return field;
  }
}

/** Column lengths must agree; columns given as one value take the length of the others. */
function readColumns(reader: JsonReader, collector: RowCollector): number {
  let counted: { name: string; rowCount: number } | null = null;
  const constants: Field[] = [];
  const seen = new Set<string>();
  let found = reader.next();
  while (found !== token.closeObject) {
    if (found !== token.string) throw reader.unexpected(found, 'a column name');
    const field = collector.mustField(reader.string());
    if (seen.has(field.name)) throw reader.error(`column '${field.name}' appears twice`);
    seen.add(field.name);
    reader.expect(token.colon, "':'");
    const first = reader.next();
    if (first === token.openArray) {
      const rowCount = readArray(reader, collector, field);
      counted ??= { name: field.name, rowCount };
      if (counted.rowCount !== rowCount) throw unequalColumns(counted, { name: field.name, rowCount });
    } else {
      putConstant(reader, first, field);
      constants.push(field);
    }
    found = reader.next();
    if (found === token.comma) {
      found = reader.next();
      if (found === token.closeObject) throw reader.unexpected(found, 'a column name');
    } else if (found !== token.closeObject) throw reader.unexpected(found, "',' or '}'");
  }
  const rowCount = counted?.rowCount ?? Math.min(1, constants.length);
  for (const { sink } of constants) {
    sink.reserve(rowCount);
    sink.repeatFirst(rowCount);
  }
  return rowCount;
}

function readArray(reader: JsonReader, collector: RowCollector, field: Field): number {
  let row = 0;
  let found = reader.next();
  if (found === token.closeArray) return 0;
  for (;;) {
    const refusal = putValue(reader, found, field, row);
    if (refusal !== null) collector.reject(row, field.name, refusal);
    row++;
    found = reader.next();
    if (found === token.comma) {
      found = reader.next();
      continue;
    }
    collector.checkCount(row);
    if (found === token.closeArray) return row;
    throw reader.unexpected(found, "',' or ']'");
  }
}

function putConstant(reader: JsonReader, found: number, field: Field): void {
  const refusal = putValue(reader, found, field, 0);
  if (refusal === null) return;
  throw new CandelaError('INVALID_ARGUMENT', `column '${field.name}': ${refusal}`, {
    help: 'Send an array with a value a row, or one value for all rows.',
  });
}

/** Puts the value that begins with the token `found`; without a field it is only read. */
function putValue(reader: JsonReader, found: number, field: Field | undefined | null, row: number): Refusal {
  field?.sink.reserve(row);
  switch (found) {
    case token.number:
      return field ? field.sink.putNumber(row, reader) : null;
    case token.string:
      if (!field) return null;
      if (reader.escaped) return field.sink.putText(row, reader.string());
      return field.sink.putBytes(row, reader.bytes, reader.start, reader.end);
    case token.null:
      return null;
    case token.true:
    case token.false:
      return field ? field.sink.putBoolean(row, found === token.true) : null;
    case token.openObject:
    case token.openArray: {
      const text = reader.nested();
      return field ? field.sink.putNested(row, text) : null;
    }
    default:
      throw reader.unexpected(found, 'a value');
  }
}

function equalBytes(expected: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (expected.length !== end - start) return false;
  for (let i = 0; i < expected.length; i++) if (expected[i] !== bytes[start + i]) return false;
  return true;
}

function unequalColumns(
  a: { name: string; rowCount: number },
  b: { name: string; rowCount: number },
): CandelaError {
  const message = `column '${a.name}' has ${a.rowCount} values, column '${b.name}' ${b.rowCount}`;
  return new CandelaError('INVALID_ARGUMENT', message, { help: 'Send columns of equal length.' });
}
