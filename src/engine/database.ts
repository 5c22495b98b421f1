/**
 * The engine's public surface: everything a protocol, a feed or an embedding program can do goes through
 * {@link Database}. Writes end in a columnar batch, reads in a range request or in SQL text.
 */
import type { RowRejection } from '../core/errors.ts';
import type { BucketingOptions } from '../market/bucketing.ts';
import type { Batch, ColumnSet, Scalar } from '../market/columns.ts';
import type {
  CandlesDef,
  ColumnDef,
  ColumnRole,
  DedupDef,
  GapMode,
  RollupDef,
  TableDef,
} from '../market/schema.ts';

/** When a write is acknowledged: after fdatasync; within a second of it; or as soon as it is in memory. */
export type Durability = 'always' | 'interval' | 'none';

/** What a table is and where it stands. */
export interface TableInfo extends TableDef {
  /** Counts changes of the definition, from 1. */
  version: number;
  seriesCount: number;
  /** Rows ever written (ticks), or -1 where it is not counted. */
  rowCount: number;
  /** Set for tables made by `createRollup`. */
  rollup: RollupDef | null;
  /** Set while a rollup is filled from history, newest first: bars of before `doneDownToNs` are not whole yet. */
  backfill: { doneDownToNs: bigint } | null;
}

/** How a write treats rows that do not fit the table. */
export interface WriteOptions {
  /**
   * `fail` (default): nothing is written and `INVALID_ROWS` names the rows. `skip`: the others are written and
   * the result names them.
   */
  onInvalid?: 'fail' | 'skip';
  /**
   * The client's name for this batch, at most 256 characters. A batch whose id is among the newest 10,000 that were
   * acknowledged for the table (after a restart too) is not written again: it gets the first one's answer. While the
   * first is still being written, the second waits for it.
   */
  batchId?: string;
}

/** An acknowledged write. */
export interface WriteResult {
  /** Position in the log; reads after the acknowledgement see it. 0 for plain tables, which have their own log. */
  lsn: number;
  /** Rows written: neither refused, nor duplicates, nor corrections of other rows. */
  rowCount: number;
  /** Tables with `dedup`: rows dropped because they were there already. */
  duplicates: number;
  /** Tables with `dedup` that keep the last: rows that took the place of another. */
  corrected: number;
  /** The batch's id was known: nothing was written, the counts are those of the first time. */
  repeated: boolean;
  /** Rows refused, with `onInvalid: 'skip'`. */
  rejected: RowRejection[];
}

/**
 * Picks series: values of the series key by column (`{ symbol: 'AAPL' }`), where text may hold `*` for any
 * characters. Absent columns match all.
 */
export type SeriesFilter = Record<string, string | number | bigint | readonly (string | number | bigint)[]>;

/** A range of rows of one ticks, bars or rollup table. */
export interface ReadRequest {
  table: string;
  series?: SeriesFilter;
  /** Inclusive. */
  fromNs?: bigint;
  /** Exclusive. */
  toNs?: bigint;
  /** Column names, in order; default all. */
  columns?: string[];
  /** By time, then by arrival; the limit counts from that end. Default `asc`. */
  order?: 'asc' | 'desc';
  limit?: number;
  /** Where the page before ended: its `cursor`. */
  cursor?: string;
  /** Rollups only: include bars that may still change. Default true. */
  live?: boolean;
  /**
   * Rollups only: whether the time column shows where a bar's bucket opens or where it closes. Ranges, cursors and SQL
   * go by the open. Default `open`.
   */
  stamp?: 'open' | 'close';
  /** Rollups only: bars made up for buckets without ticks; default what the rollup says, which is `none` by default. */
  gaps?: GapMode;
  /**
   * Rollups only: adds a text column `bar_state`: `complete`, `live` (its bucket has not ended), `partial` (a back-fill
   * has not reached it), `first` (the data of its series begin inside it) or `filled`. Default false.
   */
  flags?: boolean;
  /**
   * Prices and sizes in the terms of today, as doubles: `split` for splits, `all` for splits and dividends out of the
   * table `corporate_actions`. What is stored stays as it was paid. Default: as it was paid.
   */
  adjust?: 'split' | 'all';
}

/** Rows, and where to go on if the limit cut them. */
export interface ReadResult extends ColumnSet {
  cursor: string | null;
}

/**
 * Bars of any timeframe that is stored or can be merged from a stored one. With a time zone, a calendar or a week start
 * the buckets are those (`market/bucketing.ts`); without, those of the stored bars that serve, bars in UTC preferred.
 */
export interface BarsRequest extends Omit<ReadRequest, 'table'>, BucketingOptions {
  /** The ticks table (its rollups are searched) or a rollup. */
  table: string;
  timeframe: string;
}

/** Bars that start within the range: the time and series columns, then the aggregates. */
export interface BarsResult extends ReadResult {
  timeframe: string;
  /** The rollup that was read. */
  rollup: string;
  /** Its timeframe differs from the one asked for when bars were merged. */
  rollupTimeframe: string;
}

/** Where to look for gaps: the options of the buckets as in {@link BarsRequest}. */
export interface GapsRequest extends BucketingOptions {
  /** A ticks table (its bars are looked at), a rollup, or a bars table (with a `timeframe`). */
  table: string;
  /** Default: that of the rollup, or of the table's shortest bars. */
  timeframe?: string;
  series?: SeriesFilter;
  /** Inclusive. */
  fromNs?: bigint;
  /** Exclusive. */
  toNs?: bigint;
  /** Only runs of so many buckets or more; default 1. */
  bucketsMin?: number;
  /** Default 100,000. */
  limit?: number;
  /** Where the page before ended: its `cursor`. */
  cursor?: string;
}

/**
 * Runs of missing buckets, by series and time: the series key, `gap_from` (start of the first bucket), `gap_to` (end of
 * the last), `buckets`, and `missing_seconds` of market time. Go on while there is a cursor: a page may end early.
 */
export interface GapsResult extends ReadResult {
  timeframe: string;
  /** The rollup or table that was looked at. */
  source: string;
  /** The zone of its calendar or days. */
  timeZone: string;
}

/** What to be told of. */
export interface SubscribeRequest {
  /** Ticks table or rollup; with `timeframe` a ticks table stands for its rollup of that timeframe. */
  table: string;
  timeframe?: string;
  series?: SeriesFilter;
  /** Bars: which states to send. Default both. */
  live?: boolean;
  closed?: boolean;
  /** Send first the last so many rows per series (bars: with the live one); 0 for none. Default 0. */
  snapshot?: number;
  /** Least time between two live states of one bar; default 0: each change is sent unless the consumer is slow. */
  throttleMs?: number;
  /** Rows kept for a consumer that does not keep up; default 65,536. See `engine/bus/bus.ts` for the policy. */
  queueRowsMax?: number;
}

/**
 * What a subscription delivers. Rows are columns named as in the table.
 *
 * - `snapshot`: the state at the start; what follows continues it with no hole and no repeat.
 * - `ticks`: rows as they were written.
 * - `live`: present states of open bars; a later one of the same bar replaces it.
 * - `closed`: bars that are complete: their bucket has passed.
 * - `correction`: bars already sent as closed, changed by late, corrected or deleted ticks: the full new bar. Of a
 *   ticks table: rows that took the place of rows sent before, with the same series and time.
 * - `deleted`: bars that have no ticks any more, live ones too: only the columns that name them, time and series key.
 *   Of a ticks table: the rows that are gone, as they were.
 * - `lagged`: the consumer was too slow and `dropped` ticks or closed bars were left out before the next event;
 *   read the range again.
 */
export type BusEvent =
  | {
      type: 'snapshot' | 'ticks' | 'live' | 'closed' | 'correction' | 'deleted';
      table: string;
      lsn: number;
      rows: ColumnSet;
    }
  | { type: 'lagged'; table: string; dropped: number };

/** A running subscription: iterate it, or poll with `take` after `onReady`. */
export interface Subscription extends AsyncIterable<BusEvent> {
  /** Events waiting, oldest first; empty when there are none. */
  take(): BusEvent[];
  /** Called whenever events wait after none did. One callback; a later call replaces it. */
  onReady(callback: () => void): void;
  close(): void;
}

/** Bounds and parameters of a SQL query. */
export interface SqlOptions {
  parameters?: readonly Scalar[];
  /** Default 1,000,000. */
  rowsMax?: number;
  /** Default 60,000. */
  timeoutMs?: number;
}

/** SQL result; `types` are SQL type names such as `DOUBLE`. */
export interface SqlResult extends ColumnSet {
  types: string[];
  truncated: boolean;
}

/** One series of a table. */
export interface SeriesInfo {
  /** Values of the series key, by column. */
  key: Record<string, string | bigint>;
}

/** A rollup that is being filled from history. */
export interface BackfillStatus {
  table: string;
  /** Bars of this time and after are whole. */
  doneDownToMs: number;
  /** Rows of its source read since the start of the process, and about how many are left. */
  rowsRead: number;
  rowsLeft: number;
}

/** Counters since the start and present sizes: what `/metrics` and the page show. */
export interface DatabaseStatus {
  /** Last acknowledged and last flushed position in the log. */
  lsn: number;
  flushedLsn: number;
  rowsWritten: number;
  rowsRejected: number;
  /** Tables with `dedup`: rows dropped because they were there, and rows that took the place of another. */
  rowsDuplicate: number;
  rowsCorrected: number;
  /** Rows taken away by `deleteRows`. */
  rowsDeleted: number;
  /** Ticks that fold into no bar, being outside the sessions of a rollup's calendar; counted per rollup. */
  ticksOutsideSessions: number;
  batchesWritten: number;
  pendingBytes: number;
  hotBytes: number;
  walBytes: number;
  storeBytes: number;
  flushes: number;
  flushMsLast: number;
  subscriptions: number;
  /** Null, or why writes are refused at present. */
  writesStopped: string | null;
  /** Rows, and days of rows, that retention dropped. */
  rowsDropped: number;
  chunksDropped: number;
  /** Rows that went to cold files. */
  rowsTiered: number;
  tables: number;
  seriesCount: number;
  /** Rollups that are being filled from history at present. */
  backfills: BackfillStatus[];
}

/** What became of a table's old rows. */
export interface AgingResult {
  table: string;
  /** Retention dropped rows of before; null if none. */
  droppedBeforeNs: bigint | null;
  rowsDropped: number;
  /** Days that had rows. */
  chunksDropped: number;
  /** Rows, and days of rows, that went to cold files. */
  rowsMoved: number;
  chunksMoved: number;
}

/** How a backup or a restore is followed. */
export interface BackupOptions {
  /** Called after each piece: bytes done, and in all. */
  onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** A finished backup: it holds every write up to this position of the log, and none after. */
export interface BackupInfo {
  lsn: number;
  bytes: number;
}

/** Which rows are to be deleted: all conditions hold at once. */
export interface DeleteRequest {
  series?: SeriesFilter;
  /** Inclusive. */
  fromNs?: bigint;
  /** Exclusive. */
  toNs?: bigint;
  /** Columns of the row that have these values; null for missing. Decimals are equal by value. */
  where?: Record<string, Scalar>;
}

/** What `deleteRows` did. */
export interface DeleteResult {
  /** Position in the log; reads see it. */
  lsn: number;
  rowCount: number;
}

/** A range of time whose bars are to be made again from the ticks; absent bounds are open. */
export interface RefreshRequest {
  /** A ticks table stands for all its rollups; a rollup for itself, the levels below it and the levels built on it. */
  table: string;
  fromNs?: bigint;
  toNs?: bigint;
}

/** What `refresh` found. */
export interface RefreshResult {
  /** Bars looked at, in all levels. */
  bars: number;
  /** Bars that were other than their ticks make them, and are right now. */
  changed: number;
  /** Bars left as they are, since retention has dropped some of their ticks. */
  skipped: number;
}

/** A change of a live table. */
export type TableChange =
  | { addColumn: ColumnDef }
  /** From now on; rows that are there stay. Null: no rows are the same any more. */
  | { dedup: DedupDef | null }
  /** Tables and rollups: how long rows are kept, see `TableDef.retention`; null: for ever. What is gone stays gone. */
  | { retention: string | null }
  /** Ticks tables: when rows go to cold files, see `TableDef.coldAfter`; null: never. What is there stays there. */
  | { coldAfter: string | null }
  /** Tables: what splits and dividends do to columns, by name, see `ColumnDef.role`; null: nothing. */
  | { roles: Record<string, ColumnRole | null> }
  /** Rollups: see `RollupDef.gaps`. */
  | { gaps: GapMode };

/**
 * An open database. All methods throw `CandelaError`; names are matched exactly.
 * After `close` every method throws `STOPPING`.
 */
export interface Database {
  createTable(def: TableDef): Promise<TableInfo>;
  /** A new column must be nullable. */
  alterTable(name: string, change: TableChange): Promise<TableInfo>;
  /** Also drops a rollup. `TABLE_IN_USE` while rollups read from it. */
  dropTable(name: string): Promise<void>;
  /**
   * Makes a rollup, which is there and kept current at once, and fills it with history, newest first, while writes go
   * on. Resolves when it is filled; after a restart the fill goes on by itself.
   */
  createRollup(def: RollupDef): Promise<TableInfo>;
  /**
   * Rollups open, high, low, close, volume (if any), trades, vwap (with `volume`), each `<prefix>_<timeframe>`: all of
   * them or none. Filled in one pass, as `createRollup` does.
   */
  createCandles(def: CandlesDef): Promise<TableInfo[]>;
  tables(): TableInfo[];
  /** Undefined if there is none of that name. */
  table(name: string): TableInfo | undefined;
  /** The series of a table, in order of first appearance. */
  series(table: string, filter?: SeriesFilter): SeriesInfo[];

  /** Resolves when the rows are as durable as the database was opened to make them. Waits while too much is pending. */
  write(table: string, batch: Batch, options?: WriteOptions): Promise<WriteResult>;
  /**
   * Takes rows away, and out of every bar. Without any condition all of them. `UNSUPPORTED` for a rollup: its bars go
   * with their ticks. Throws `COLUMN_NOT_FOUND`, `INVALID_ARGUMENT`.
   */
  deleteRows(table: string, request: DeleteRequest): Promise<DeleteResult>;
  /**
   * Makes the bars that overlap the range again from the ticks, a part at a time, and stores those that differ. Only
   * needed where something outside the database changed its files.
   */
  refresh(request: RefreshRequest): Promise<RefreshResult>;
  read(request: ReadRequest): Promise<ReadResult>;
  bars(request: BarsRequest): Promise<BarsResult>;
  /** Buckets in which series have nothing, inside the sessions of their calendar: see `GapsResult`. */
  gaps(request: GapsRequest): Promise<GapsResult>;
  /** The latest row of each series, from memory. For a rollup: the latest bar, live. */
  latest(table: string, series?: SeriesFilter): ColumnSet;
  subscribe(request: SubscribeRequest): Promise<Subscription>;
  /** One read-only SQL statement over every table and rollup; sees all acknowledged writes. */
  sql(text: string, options?: SqlOptions): Promise<SqlResult>;

  /**
   * Drops what tables and rollups do not keep any longer (`retention`), and moves to cold files what they do not keep
   * in the database (`coldAfter`). Done every minute by itself. Tables of which nothing went are left out.
   */
  applyRetention(): Promise<AgingResult[]>;
  /** Moves everything pending to the store. */
  flush(): Promise<void>;
  /**
   * Copies the database as of now to an empty or new directory, while writes go on; `restore` makes a data directory of
   * it. Throws `INVALID_ARGUMENT` if the directory is not empty, `UNSUPPORTED` for a database in memory.
   */
  backup(directory: string, options?: BackupOptions): Promise<BackupInfo>;
  status(): DatabaseStatus;
  /** Flushes and closes. */
  close(): Promise<void>;
}
