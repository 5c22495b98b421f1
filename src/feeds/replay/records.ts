/** Text → records, piece by piece: lines, CSV cells, or the rows of a JSON document. One record bounds the memory. */
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { CandelaError } from '../../core/errors.ts';

/** A record longer than this is not one: the file is of another kind. */
const recordCharsMax = 64 << 20;
const recordsPerPiece = 1024;

/** The lines that are not empty, in pieces. */
export async function* readLines(text: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = '';
  for await (const piece of text) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    refuseTooLong(rest);
    yield lines.map(withoutReturn).filter(isFilled);
  }
  if (rest.trim() !== '') yield [withoutReturn(rest)];
}

/** The cells of each CSV record, the header's included, in pieces. */
export async function* readCsv(text: AsyncIterable<string>): AsyncGenerator<string[][]> {
  const pieces = text[Symbol.asyncIterator]();
  let rest = '';
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    rest += next.value;
    // Until the first quote a line is a record and a comma a comma, five times as fast as any parser makes it.
    if (rest.includes('"')) {
      yield* parseCsv(joined(rest, pieces));
      return;
    }
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    refuseTooLong(rest);
    yield lines.map(withoutReturn).filter(isFilled).map(cellsOf);
  }
  if (isFilled(withoutReturn(rest))) yield [cellsOf(withoutReturn(rest))];
}

function isFilled(line: string): boolean {
  return line !== '';
}

function cellsOf(line: string): string[] {
  return (line.charCodeAt(0) === 0xfeff ? line.slice(1) : line).split(',');
}

async function* joined(first: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* parseCsv(text: AsyncIterable<string>): AsyncGenerator<string[][]> {
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: recordCharsMax,
  });
  const source = Readable.from(text);
  source.on('error', (error) => parser.destroy(error));
  try {
    let records: string[][] = [];
    for await (const record of source.pipe(parser)) {
      if (records.push(record) < recordsPerPiece) continue;
      yield records;
      records = [];
    }
    yield records;
  } catch (cause) {
    if (cause instanceof CsvError) throw new CandelaError('SYNTAX', `CSV: ${cause.message}`, { cause });
    throw cause;
  } finally {
    source.destroy();
  }
}

/** One row of a JSON document, and the name under which its rows stand, if any. */
export interface JsonRow {
  key: string | null;
  row: unknown[];
}

/**
 * The innermost arrays of a JSON document (those that hold plain values only and are not empty), wherever they
 * stand: `{"result":{"XBTUSDT":[[…],[…]]}}` gives rows with the key `XBTUSDT`, `[[…],[…]]` rows without. Values beside
 * such arrays, a trailing `"last":"17…"`, are passed over.
 */
export async function* readJsonRows(text: AsyncIterable<string>): AsyncGenerator<JsonRow[]> {
  const scanner = new JsonRowScanner();
  for await (const piece of text) yield scanner.scan(piece);
}

/** A scanner that knows strings, brackets and keys, and leaves the rest to JSON.parse. */
class JsonRowScanner {
  #text = '';
  #at = 0;
  #inString = false;
  #stringStart = 0;
  #rowStart = -1;
  #lastString = '';
  /** For each open container the key it stands under. */
  #keys: (string | null)[] = [];
  #pendingKey: string | null = null;

  scan(piece: string): JsonRow[] {
    const rows: JsonRow[] = [];
    this.#text += piece;
    while (this.#at < this.#text.length) this.#step(rows);
    const keep = this.#rowStart >= 0 ? this.#rowStart : this.#inString ? this.#stringStart : this.#at;
    this.#text = this.#text.slice(keep);
    refuseTooLong(this.#text);
    this.#at -= keep;
    this.#stringStart -= keep;
    if (this.#rowStart >= 0) this.#rowStart = 0;
    return rows;
  }

  #step(rows: JsonRow[]): void {
    const char = this.#text[this.#at++];
    if (this.#inString) {
      if (char === '\\') this.#at++;
      else if (char === '"') this.#endString();
      return;
    }
    switch (char) {
      case '"':
        this.#inString = true;
        this.#stringStart = this.#at - 1;
        break;
      case ':':
        this.#pendingKey = this.#lastString;
        break;
      case '[':
      case '{':
        this.#rowStart = char === '[' ? this.#at - 1 : -1;
        this.#keys.push(this.#pendingKey);
        this.#pendingKey = null;
        break;
      case ']':
        if (this.#rowStart >= 0) this.#endRow(rows);
        this.#keys.pop();
        break;
      case '}':
        this.#rowStart = -1;
        this.#keys.pop();
        break;
      case ',':
        this.#pendingKey = null;
    }
  }

  #endString(): void {
    this.#inString = false;
    // Only outside rows can a string be a key; inside it would be cut out for nothing.
    if (this.#rowStart < 0) this.#lastString = this.#text.slice(this.#stringStart + 1, this.#at - 1);
  }

  #endRow(rows: JsonRow[]): void {
    const text = this.#text.slice(this.#rowStart, this.#at);
    this.#rowStart = -1;
    const row = parseRow(text);
    if (row.length > 0) rows.push({ key: this.#keys.at(-2) ?? this.#keys.at(-1) ?? null, row });
  }
}

function parseRow(text: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch (cause) {
    throw new CandelaError('SYNTAX', `not JSON: ${text.slice(0, 100)}`, { cause });
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function refuseTooLong(text: string): void {
  if (text.length <= recordCharsMax) return;
  throw new CandelaError(
    'INVALID_ARGUMENT',
    `a record of more than ${recordCharsMax} characters: wrong format?`,
  );
}
