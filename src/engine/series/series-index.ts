/**
 * The series of one table: each distinct value of the series key gets the next number, for good.
 *
 * Numbers are given out when a batch is admitted, before it is in the log; `loggedCount` tells up to which number the
 * log (or the store) knows the keys, so that the next frame carries the missing ones even after a failed write.
 */
import type { ColumnData, TextColumn } from '../../market/columns.ts';
import { columnOf, takeRows, valueAt } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import type { SeriesFilter } from '../database.ts';

/** One column of the key. */
export interface KeyColumn {
  name: string;
  type: ColumnType;
}

/** A value of a key column. Null only where rows are grouped by a nullable column: a table's own key has none. */
export type KeyValue = string | bigint | null;

/** See the head of this file. */
export class SeriesIndex {
  readonly key: readonly KeyColumn[];
  /** Per key column, the value of each series. */
  readonly values: KeyValue[][];
  /** Series the log knows. */
  loggedCount = 0;
  readonly #numberOf = new Map<string, number>();
  readonly #hasNull: boolean[];
  /** By code, the series that stood for it in the batch before: most writers keep their dictionary. */
  #seriesBefore: number[] = [];

  constructor(key: readonly KeyColumn[]) {
    this.key = key;
    this.#hasNull = key.map(() => false);
    this.values = key.map(() => []);
    // A table without a key has one series, number 0, that needs no dictionary.
    if (key.length === 0) this.#numberOf.set('', 0);
  }

  get count(): number {
    return this.#numberOf.size;
  }

  /** Number of each row; keys not seen before get the next numbers. */
  resolve(columns: readonly ColumnData[], rowCount: number): Int32Array {
    if (columns.length === 0) return new Int32Array(rowCount);
    if (columns.length === 1 && columns[0].kind === 'text' && !columns[0].codes.includes(-1))
      return this.#resolveText(columns[0], rowCount);
    const coded = columns.map((column) => localCodes(column, rowCount));
    let { codes, count } = coded[0];
    for (const next of coded.slice(1)) ({ codes, count } = paired(codes, next.codes, next.count));
    const numbers = new Int32Array(count).fill(-1);
    const series = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row];
      if (numbers[code] < 0)
        numbers[code] = this.#numberFor(columns.map((column) => valueAt(column, row) as KeyValue));
      series[row] = numbers[code];
    }
    return series;
  }

  /** The usual key, one text column: each entry of the dictionary that is used is looked up once. */
  #resolveText({ dictionary, codes }: TextColumn, rowCount: number): Int32Array {
    const numbers = new Int32Array(dictionary.length).fill(-1);
    const series = new Int32Array(rowCount);
    for (let row = 0; row < rowCount; row++) {
      const code = codes[row];
      if (numbers[code] < 0) numbers[code] = this.#numberOfText(dictionary[code], code);
      series[row] = numbers[code];
    }
    return series;
  }

  #numberOfText(text: string, code: number): number {
    const before = this.#seriesBefore[code];
    if (before !== undefined && this.values[0][before] === text) return before;
    const number = this.#numberFor([text]);
    // A dictionary with more entries than there are series is not one that is kept.
    if (code < this.count) this.#seriesBefore[code] = number;
    return number;
  }

  #numberFor(values: readonly KeyValue[]): number {
    const text = keyText(values);
    let number = this.#numberOf.get(text);
    if (number === undefined) {
      number = this.#numberOf.size;
      this.#numberOf.set(text, number);
      for (const [i, value] of values.entries()) {
        this.values[i].push(value);
        if (value === null) this.#hasNull[i] = true;
      }
    }
    return number;
  }

  /** The keys of series `from` … `to`-1 as columns. */
  columns(from: number, to: number): ColumnData[] {
    return this.key.map(({ type }, i) => keyColumn(type, this.values[i].slice(from, to)));
  }

  /** At replay and recovery: series `first`, `first` + 1, … have these keys. Keys already known are passed over. */
  restore(first: number, columns: readonly ColumnData[], count: number): void {
    for (let i = 0; i < count; i++) {
      if (first + i < this.count) continue;
      this.#numberFor(columns.map((column) => valueAt(column, i) as KeyValue));
    }
    if (this.key.length > 0) this.loggedCount = Math.max(this.loggedCount, first + count);
  }

  /** Numbers of the series that match, ascending; null when all do (no filter). */
  match(filter: SeriesFilter | undefined): Int32Array | null {
    const entries = Object.entries(filter ?? {});
    if (entries.length === 0) return null;
    const exact = this.#exact(filter as SeriesFilter);
    if (exact) return exact;
    const tests = entries.map(([name, wanted]) => {
      const values = this.values[this.key.findIndex((column) => column.name === name)];
      const test = matcher(wanted);
      return (series: number): boolean => test(values[series]);
    });
    const matches: number[] = [];
    for (let s = 0; s < this.count; s++) if (tests.every((test) => test(s))) matches.push(s);
    return Int32Array.from(matches);
  }

  /** The common case, one value for each key column, by one look-up; undefined when the filter is not of that form. */
  #exact(filter: SeriesFilter): Int32Array | undefined {
    const values: KeyValue[] = [];
    for (const { name, type } of this.key) {
      const wanted = filter[name];
      if (
        wanted === undefined ||
        Array.isArray(wanted) ||
        (typeof wanted === 'string' && wanted.includes('*'))
      )
        return undefined;
      if (type.kind === 'int64' && !/^-?\d+$/.test(String(wanted))) return new Int32Array(0);
      values.push(type.kind === 'int64' ? BigInt(String(wanted)) : String(wanted));
    }
    const number = this.#numberOf.get(keyText(values));
    return number === undefined ? new Int32Array(0) : Int32Array.of(number);
  }

  /** Does one series match? For subscriptions, which meet new series later. */
  matches(filter: SeriesFilter | undefined, series: number): boolean {
    return Object.entries(filter ?? {}).every(([name, wanted]) => {
      const index = this.key.findIndex((column) => column.name === name);
      return index >= 0 && matcher(wanted)(this.values[index][series]);
    });
  }

  /** The key columns of rows given by series number. The dictionary is shared: do not write to it. */
  keyColumnsOf(series: Int32Array): ColumnData[] {
    return this.key.map(({ type }, i) => {
      const hasNull = this.#hasNull[i];
      if (type.kind === 'text' && !hasNull)
        return { kind: 'text', dictionary: this.values[i] as string[], codes: series };
      return takeRows(keyColumn(type, this.values[i]), series);
    });
  }
}

function keyColumn(type: ColumnType, values: readonly KeyValue[]): ColumnData {
  return columnOf(type.kind === 'text' ? 'text' : 'int64', values);
}

// NUL separates: it cannot be in a key, admission refuses it. A key with nulls has one more part, which says where.
function keyText(values: readonly KeyValue[]): string {
  const text = values.map((value) => (value === null ? '' : String(value))).join('\u0000');
  if (!values.includes(null)) return text;
  return `${text}\u0000${values.map((value) => (value === null ? 'n' : 'v')).join('')}`;
}

/** A number per distinct value within the batch, so that each is looked up once, not once a row. */
function localCodes(column: ColumnData, rowCount: number): { codes: Int32Array; count: number } {
  if (column.kind === 'text' && !column.codes.includes(-1))
    return { codes: column.codes, count: column.dictionary.length };
  const codes = new Int32Array(rowCount);
  const codeOf = new Map<unknown, number>();
  for (let row = 0; row < rowCount; row++) {
    const value = valueAt(column, row);
    let code = codeOf.get(value);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(value, code);
    }
    codes[row] = code;
  }
  return { codes, count: codeOf.size };
}

function paired(
  left: Int32Array,
  right: Int32Array,
  rightCount: number,
): { codes: Int32Array; count: number } {
  const codes = new Int32Array(left.length);
  const codeOf = new Map<number, number>();
  for (let row = 0; row < left.length; row++) {
    const pair = left[row] * rightCount + right[row];
    let code = codeOf.get(pair);
    if (code === undefined) {
      code = codeOf.size;
      codeOf.set(pair, code);
    }
    codes[row] = code;
  }
  return { codes, count: codeOf.size };
}

function matcher(wanted: SeriesFilter[string]): (value: KeyValue) => boolean {
  if (Array.isArray(wanted)) {
    const tests = wanted.map((one) => matcher(one as string));
    return (value) => tests.some((test) => test(value));
  }
  const text = String(wanted);
  if (!text.includes('*')) return (value) => value !== null && String(value) === text;
  const pattern = new RegExp(`^${text.split('*').map(escapePattern).join('.*')}$`, 's');
  return (value) => value !== null && pattern.test(String(value));
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
}
