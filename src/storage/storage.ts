/**
 * What the engine asks of a store. Everything below the engine is behind this interface: DuckDB by default, a naive
 * in-memory backend as the tests' oracle, a cluster later. The store knows tables of columns, keys, ranges and
 * documents; it knows nothing of ticks, bars or rollups.
 *
 * Guarantees asked of a backend:
 * - `commit` is all or nothing, and durable when it resolves (as far as the backend is durable at all).
 * - Commits happen in the order of the calls. A `scan`, `lookup` or query that starts after a commit resolved
 *   sees it; one that runs
 *   beside a commit sees all of it or nothing of it.
 * - Equal times come back in the order of the `version` column, then in the order they were appended.
 */
import type { ColumnData, ColumnSet, Scalar } from '../market/columns.ts';
import type { ColumnType } from '../market/schema.ts';

/**
 * A physical column. `int32` holds series numbers, which travel as int64 columns; the other types are the user's.
 */
export interface StoredColumn {
  name: string;
  type: ColumnType | { kind: 'int32' };
  nullable: boolean;
}

/**
 * A physical table. For a table with series the first three columns are, by role: the series number (int32), the time
 * (timestamp) and the version (int64: a tick's arrival number, a bar's LSN). Roles are null for tables without series.
 */
export interface StoredTable {
  /** Never reused. */
  id: number;
  columns: StoredColumn[];
  roles: { series: string; time: string; version: string } | null;
}

/** Where a column of a view comes from. */
export type ViewSource =
  /** A column of the row. */
  | { from: 'row'; column: string }
  /** A column of the series dictionary's row with the same series number. */
  | { from: 'series'; column: string }
  /**
   * (a [+ a2]) / (b [+ b2]) of row columns, null when the denominator is null or 0. The second term is a sum's
   * compensation.
   */
  | { from: 'ratio'; numerator: string[]; denominator: string[] }
  /** The sum of row columns as doubles. */
  | { from: 'sum'; terms: string[] };

/**
 * What SQL sees under a user's table name: the union of one or more physical tables, joined with a series
 * dictionary.
 */
export interface StoredView {
  name: string;
  columns: { name: string; source: ViewSource }[];
  /** Tables whose rows are shown together; all hold the row columns named. */
  tables: number[];
  /** Dictionary table (first column: the series number), or null when no column comes from it. */
  seriesTable: number | null;
}

/** One step of a commit. Columns are in the order of the table's definition and of equal length. */
export type StorageOp =
  | { op: 'create-table'; table: StoredTable }
  | { op: 'drop-table'; table: number }
  /** The new column is nullable and null in existing rows. */
  | { op: 'add-column'; table: number; column: StoredColumn }
  /** Creates or replaces. */
  | { op: 'put-view'; view: StoredView }
  | { op: 'drop-view'; name: string }
  /** `given`: columns, by index, whose arrays are the store's from now on; those of the others stay the caller's. */
  | { op: 'append'; table: number; columns: ColumnData[]; rowCount: number; given?: readonly number[] }
  /**
   * Each row takes the place of all stored rows with the same values in the `key` columns. Keys within the op
   * are distinct.
   */
  | { op: 'replace'; table: number; key: string[]; columns: ColumnData[]; rowCount: number }
  /** Removes all rows that have these values in the `key` columns; a column of values for each, null equals null. */
  | { op: 'delete'; table: number; key: string[]; columns: ColumnData[]; rowCount: number }
  /** These rows become the table's whole content. */
  | { op: 'rewrite'; table: number; columns: ColumnData[]; rowCount: number }
  /** Deletes the rows of the range, of a table with series. */
  | ({ op: 'delete-range' } & TimeRange)
  | { op: 'put-doc'; key: string; value: string }
  | { op: 'delete-doc'; key: string };

/** A range of rows of one table with series. */
export interface ScanRequest {
  table: number;
  /** Column names wanted, in order. */
  columns: string[];
  /** Series numbers; null means all. */
  series: Int32Array | null;
  /** Inclusive; null means from the beginning. */
  fromNs: bigint | null;
  /** Exclusive; null means to the end. */
  toNs: bigint | null;
  /**
   * By (time, version), ascending or descending; the limit counts from that end. `any` spares the sorting where the
   * caller sorts; `after` is null then, and which rows a limit leaves is open.
   */
  order: 'asc' | 'desc' | 'any';
  limit: number | null;
  /** Only rows whose version is below this. */
  versionBelow: bigint | null;
  /** Only rows strictly after this (time, version) in the order asked for: where the page before ended. */
  after: { timeNs: bigint; version: bigint } | null;
}

/** The rows of a table with series whose (series, time) is among the pairs, which may repeat. */
export interface LookupRequest {
  table: number;
  columns: string[];
  series: Int32Array;
  timesNs: BigInt64Array;
}

/** Leaves only some rows to be the last of their series. */
export interface LastRowsOf {
  /** Series numbers; null means all. */
  series: Int32Array | null;
  /** Exclusive. */
  toNs: bigint;
}

/** A part of a table with series, by time. */
export interface TimeRange {
  table: number;
  /** Inclusive. */
  fromNs: bigint;
  /** Exclusive. */
  toNs: bigint;
}

/** Asks how many rows a table has in each slice of time. */
export interface CountRequest extends TimeRange {
  /** Slices are multiples of this since the epoch. */
  widthNs: bigint;
  /** Only rows with `versionFrom` ≤ version < `versionBelow`. */
  versionFrom: bigint;
  versionBelow: bigint;
  /** Leaves out rows that `tier` has moved. Default false. */
  hotOnly?: boolean;
}

/** Rows in the slice that begins at `startNs`. */
export interface TimeCount {
  startNs: bigint;
  rowCount: number;
}

/**
 * Result of a SQL query: columns in display order, with the backend's name of each type (upper case, e.g.
 * `DOUBLE`).
 */
export interface QueryResult extends ColumnSet {
  types: string[];
  /** True when `rowsMax` cut the result. */
  truncated: boolean;
}

/** Bounds on one query. */
export interface QueryLimits {
  rowsMax: number;
  timeoutMs: number;
  /** A result that takes more memory, about, fails with `LIMIT_EXCEEDED`; default: no bound. */
  bytesMax?: number;
}

/**
 * A frozen state of the store in which queries can be run; later commits do not show in it. Close it. Logs are cut
 * short beside it, but rows that are deleted keep their room on the disk until it is closed.
 */
export interface StorageSnapshot {
  /** Moves on to the state after the commits that have resolved. */
  renew(): Promise<void>;
  /**
   * One read-only statement. Throws `SYNTAX`, `INVALID_ARGUMENT`, `UNSUPPORTED` (not a query), `TIMEOUT`,
   * `LIMIT_EXCEEDED`.
   */
  query(text: string, parameters: readonly Scalar[], limits: QueryLimits): Promise<QueryResult>;
  close(): Promise<void>;
}

/**
 * The store's files as of one moment, to be copied: put in an empty directory they are the store as it was then.
 * Commits go on meanwhile. Close it.
 */
export interface StorageImage {
  files: { name: string; bytes: number }[];
  /** Bytes of a file from a position; fewer than `length` only at its end. */
  read(name: string, position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Sizes for status and metrics. */
export interface StorageStats {
  bytesOnDisk: number;
}

/** See the head of this file. */
export interface Storage {
  /** The documents kept by `put-doc`, read once at start. */
  documents(): Promise<Map<string, string>>;
  commit(ops: StorageOp[]): Promise<void>;
  scan(request: ScanRequest): Promise<ColumnSet>;
  lookup(request: LookupRequest): Promise<ColumnSet>;
  /** All rows of a table, in the order they were appended. */
  readAll(table: number, columns: string[]): Promise<ColumnSet>;
  /** Of each series the row with the greatest (time, version), of those that `of` leaves: the columns asked for. */
  lastRows(table: number, columns: string[], of?: LastRowsOf): Promise<ColumnSet>;
  /** Rows by slice of time, ascending; slices without rows are left out. */
  countByTime(request: CountRequest): Promise<TimeCount[]>;
  /**
   * Rewrites the rows of a range in (series, time, version) order, so that one series' rows lie together. No read
   * but `readAll` can tell. Commits go on beside it, except for a moment at its end. Returns how many rows were
   * rewritten: all of the range that were there when it began, or 0 and nothing is changed, because `signal` was
   * aborted, a commit changed some of the rows or the table, or the disk has no room.
   */
  seal(range: TimeRange, signal?: AbortSignal): Promise<number>;
  /**
   * Moves the rows of a range, of a table with series, to where they take less room and more time to read: to a file
   * that other programs can read, sorted by (series, time, version). No read but `countByTime` with `hotOnly` can
   * tell. Commits go on beside it, except for a moment at its end; rows that one changes come back. Returns how many
   * rows were moved, or 0 and nothing is changed, as `seal` does.
   */
  tier(range: TimeRange, signal?: AbortSignal): Promise<number>;
  /**
   * Names of the views and tables a query reads, lower case, so that the engine can bring them up to date
   * first. Throws `SYNTAX`.
   */
  tablesOf(text: string): Promise<string[]>;
  /** There is room for a few; waits while others are open. */
  snapshot(): Promise<StorageSnapshot>;
  /** Of the state after the commits asked for before. One at a time. Throws `UNSUPPORTED` for a store in memory. */
  image(): Promise<StorageImage>;
  stats(): Promise<StorageStats>;
  /** Waits for running work, then closes. */
  close(): Promise<void>;
}
