/**
 * JSON shapes of the HTTP API and of `/ws`: shared by the server and the page (types only).
 *
 * Values in JSON: doubles and booleans as such, int64 as a number when it is safe and else as a string, decimals as
 * strings, null as null, times as asked for with `time=`: `iso` (default, UTC, `2024-05-17T09:30:00.123Z`), `s`, `ms`,
 * `us` (numbers) or `ns` (a string).
 */
import type { AgingResult, DatabaseStatus, TableInfo } from '../../engine/database.ts';
import type { ColumnKind } from '../../market/columns.ts';
import type { FeedStatus } from '../../market/feed-status.ts';

/** A JSON value of a row. */
export type WireValue = number | string | boolean | null;

/** How times are written; see the head of this file. */
export type WireTime = 'iso' | 's' | 'ms' | 'us' | 'ns';

/** Columnar rows: every array has the same length. */
export interface WireColumns {
  [column: string]: WireValue[];
}

/** The body of every error answer. `rows` names refused rows. */
export interface WireError {
  code: string;
  message: string;
  help: string;
  position?: number;
  rows?: { row: number; column: string | null; reason: string }[];
}

/** `POST /api/v1/sign-in` with `{user, password}`. */
export interface WireSignIn {
  token: string;
  name: string;
  role: string;
}

/** `GET /api/v1/status` */
export interface WireStatus {
  version: string;
  uptimeMs: number;
  /** True while any running feed delivers made-up data. */
  simulated: boolean;
  database: DatabaseStatus;
  feeds: FeedStatus[];
}

/** `GET /api/v1/tables` */
export interface WireTables {
  tables: WireTable[];
}

/** A table and, for ticks tables, the timeframes that can be read from its rollups without merging. */
export interface WireTable extends Omit<TableInfo, 'backfill'> {
  timeframes: string[];
  /** Nanoseconds as a string, since they do not fit a number. */
  backfill: { doneDownToNs: string } | null;
}

/** `GET /api/v1/symbols?table=…&q=…` (`q` matches anywhere, without case): the values of the series key. */
export interface WireSymbols {
  symbols: { symbol: string; key: Record<string, string>; name: string | null }[];
}

/** `POST /api/v1/retention` */
export interface WireRetention {
  tables: (Omit<AgingResult, 'droppedBeforeNs'> & { droppedBeforeNs: string | null })[];
}

/** `format=json` of ticks, bars, latest. `cursor` is null on the last page. */
export interface WireRows {
  rows: Record<string, WireValue>[];
  cursor: string | null;
}

/** `format=columns` of ticks, bars, latest. With `adjust` the kinds of the columns come along, also in `json`. */
export interface WireColumnsResult {
  columns: WireColumns;
  rowCount: number;
  cursor: string | null;
  kinds?: WireKinds;
}

/** What each column holds: in adjusted rows prices and sizes are doubles, whatever the table declares. */
export type WireKinds = Record<string, ColumnKind>;

/** Answer to a write. */
export interface WireWriteResult {
  lsn: number;
  rowCount: number;
  duplicates: number;
  corrected: number;
  repeated: boolean;
  rejected: { row: number; column: string | null; reason: string }[];
}

/** Client → server on `/ws`. `id` is the client's own name for the subscription. */
export type WireRequest =
  | {
      op: 'subscribe';
      id: string;
      table: string;
      /** Absent: ticks. */
      timeframe?: string;
      /** Values of the (first) series key column, `*` allowed; absent: all. */
      symbols?: string[];
      live?: boolean;
      closed?: boolean;
      /** Rows per series to send first. */
      snapshot?: number;
      throttleMs?: number;
      time?: WireTime;
    }
  | { op: 'unsubscribe'; id: string }
  | { op: 'ping' };

/** Server → client on `/ws`. */
export type WireEvent =
  | { type: 'subscribed' | 'unsubscribed'; id: string }
  | {
      type: 'snapshot' | 'ticks' | 'live' | 'closed' | 'correction' | 'deleted';
      id: string;
      columns: WireColumns;
      rowCount: number;
    }
  | { type: 'lagged'; id: string; dropped: number }
  | { type: 'pong' }
  | { type: 'error'; id: string | null; error: WireError };
