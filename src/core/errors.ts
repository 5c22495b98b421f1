/**
 * Every error a user can meet.
 *
 * One table, one class. A protocol turns a {@link CandelaError} into its own error shape by `kind`
 * (a closed union, so the compiler checks that each protocol's map is total); a person reads
 * `message` (what was wrong, and where) and `help` (what to do about it).
 */

/** The family of an error; decides the status code in every protocol. */
export type ErrorKind =
  | 'syntax'
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'unsupported'
  | 'unauthenticated'
  | 'denied'
  | 'limit'
  | 'timeout'
  | 'unavailable'
  | 'corruption'
  | 'internal';

/** Code → family and the standing advice. Codes are stable: clients may match on them. */
export const errorTable = {
  SYNTAX: { kind: 'syntax', help: 'Check the text at the position named.' },
  INVALID_ARGUMENT: { kind: 'invalid', help: 'Correct the argument named in the message.' },
  INVALID_ROWS: {
    kind: 'invalid',
    help: 'Correct the rows named, or write with onInvalid: "skip" to keep the rest.',
  },
  INVALID_SCHEMA: { kind: 'invalid', help: 'Correct the table definition named in the message.' },
  INVALID_CONFIG: {
    kind: 'invalid',
    help: 'Correct the setting named in the message; docs/config.md lists them all.',
  },
  TABLE_NOT_FOUND: {
    kind: 'not-found',
    help: 'List the tables with GET /api/v1/tables or database.tables().',
  },
  COLUMN_NOT_FOUND: { kind: 'not-found', help: 'The table definition lists its columns.' },
  SERIES_NOT_FOUND: {
    kind: 'not-found',
    help: 'List the series with GET /api/v1/symbols or database.series(table).',
  },
  TIMEFRAME_NOT_FOUND: { kind: 'not-found', help: 'Ask for a stored timeframe or a whole multiple of one.' },
  FEED_NOT_FOUND: { kind: 'not-found', help: 'List the feeds with GET /api/v1/feeds.' },
  ROUTE_NOT_FOUND: { kind: 'not-found', help: 'The routes are described at /api/v1/openapi.json.' },
  FILE_NOT_FOUND: { kind: 'not-found', help: 'Check the path.' },
  TABLE_EXISTS: { kind: 'conflict', help: 'Choose another name or drop the table first.' },
  TABLE_IN_USE: { kind: 'conflict', help: 'Drop the rollups that read from it first.' },
  DATA_DIRECTORY_IN_USE: {
    kind: 'conflict',
    help: 'Stop the other process, or connect to it instead of opening its directory.',
  },
  UNSUPPORTED: { kind: 'unsupported', help: 'The documentation of this call lists what is supported.' },
  UNAUTHENTICATED: { kind: 'unauthenticated', help: 'Send a bearer token or a user name and password.' },
  DENIED: { kind: 'denied', help: 'Ask an administrator for a user with the role named.' },
  LIMIT_EXCEEDED: {
    kind: 'limit',
    help: 'Send less at a time, or raise the limit named in the configuration.',
  },
  TIMEOUT: { kind: 'timeout', help: 'Narrow the query, or raise the timeout.' },
  STOPPING: { kind: 'unavailable', help: 'The server is shutting down; connect again later.' },
  WRITES_STOPPED: {
    kind: 'unavailable',
    help: 'See the cause in the message (often a full disk); writes resume once it is mended.',
  },
  SERVER_UNREACHABLE: {
    kind: 'unavailable',
    help: 'Check the address, and that the server runs: candela start.',
  },
  FEED_FAILED: { kind: 'unavailable', help: 'The feed reconnects by itself; its status tells when.' },
  CORRUPT_WAL: {
    kind: 'corruption',
    help: 'Restore from a backup, or move the named file aside to lose only what it holds.',
  },
  CORRUPT_STORE: { kind: 'corruption', help: 'Restore from a backup.' },
  INTERNAL: { kind: 'internal', help: 'This is a defect in Candela: please report it with the log.' },
} as const satisfies Record<string, { kind: ErrorKind; help: string }>;

/** A stable error code. */
export type ErrorCode = keyof typeof errorTable;

/** What may be said of an error beyond its code and message. */
export interface ErrorDetails {
  /** Overrides the code's standing advice. */
  help?: string;
  /** The underlying error, kept for the log. */
  cause?: unknown;
  /** Character offset (0-based) in the text that was parsed. */
  position?: number;
  /** Rows refused, for `INVALID_ROWS`. */
  rows?: readonly RowRejection[];
}

/**
 * Why one row of a batch was refused. `row` counts from 0 in the batch as it was sent; `column` is null when no
 * single column is at fault.
 */
export interface RowRejection {
  row: number;
  column: string | null;
  reason: string;
}

/**
 * The only error class that crosses a module border on purpose. Anything else is a defect and reported as
 * `INTERNAL`.
 */
export class CandelaError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly help: string;
  readonly position: number | undefined;
  readonly rows: readonly RowRejection[] | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CandelaError';
    this.code = code;
    this.kind = errorTable[code].kind;
    this.help = details.help ?? errorTable[code].help;
    this.position = details.position;
    this.rows = details.rows;
  }
}

/** Wraps anything thrown: a {@link CandelaError} passes unchanged, the rest becomes `INTERNAL` with its cause kept. */
export function toCandelaError(thrown: unknown): CandelaError {
  if (thrown instanceof CandelaError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CandelaError('INTERNAL', message, { cause: thrown });
}
