/**
 * A recorded format: how to know a file of it, and what its records mean. Each lives in a file of its own under
 * `formats/` and does nothing but translate.
 *
 * A reader gets one record at a time and emits rows for the format's targets, or says why there is none; every
 * record ends in one or the other, so that the report adds up. A record that throws a `CandelaError` (a time nobody
 * can read) counts as skipped.
 */
import type { CandlesDef, ColumnDef } from '../../market/schema.ts';
import type { FeedRow } from '../row-batch.ts';
import type { JsonRow } from './records.ts';

/** A table that a format fills. Its first two columns are the time and the symbol. */
export interface Target {
  /** The table's name unless the user gives one. */
  table: string;
  columns: readonly ColumnDef[];
  /** Which columns make bars; null for none. */
  candles: Pick<CandlesDef, 'price' | 'volume' | 'cumulativeVolume'> | null;
}

/** Where readers put what they find. */
export interface Emit {
  /** Values in the order of the target's columns. */
  row(target: Target, values: FeedRow): void;
  /** A record without a row, and why; the same few reasons over and over, for they are counted. */
  skip(reason: string): void;
}

/** What is known of a file besides its records. */
export interface FileFacts {
  /** Of the file, or of the entry of a zip. */
  name: string;
  /** What the user said: takes the place of any symbol in the file. */
  symbol: string | undefined;
  /** What the user said, as YYYY-MM-DD. */
  date: string | undefined;
}

/** A format of CSV records. */
export interface CsvFormat {
  shape: 'csv';
  name: string;
  targets: readonly Target[];
  /** False where the first line is already data. */
  hasHeader: boolean;
  /** Positions of the cells the reader wants, -1 for an empty one; null when a file that begins so is another's. */
  positions(first: readonly string[]): number[] | null;
  reader(file: FileFacts, emit: Emit): (cells: readonly string[]) => void;
}

/** A format of one record a line. */
export interface LineFormat {
  shape: 'lines';
  name: string;
  targets: readonly Target[];
  /** Do these first lines look like it? */
  recognises(lines: readonly string[]): boolean;
  reader(file: FileFacts, emit: Emit): (line: string) => void;
}

/** A format of JSON arrays within one document. */
export interface JsonFormat {
  shape: 'json';
  name: string;
  targets: readonly Target[];
  /** Does a document that begins so look like it? */
  recognises(start: string): boolean;
  reader(file: FileFacts, emit: Emit): (row: JsonRow) => void;
}

/** Any format. */
export type ReplayFormat = CsvFormat | LineFormat | JsonFormat;
