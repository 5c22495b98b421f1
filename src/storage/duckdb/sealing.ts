/**
 * Sealing: the rows of a range of time rewritten in (series, time, version) order, as one transaction of its own
 * connection.
 *
 * ```
 *   beside commits     BEGIN · find the rows · INSERT them again, sorted
 *   between commits    DELETE the old ones · COMMIT
 * ```
 *
 * Until the COMMIT readers see the old rows, after it the new ones, and a transaction that began before it the old
 * ones to its end. Rows that are appended meanwhile are not seen by this transaction and stay as they are. If a commit
 * deleted or replaced one of the rows, or changed the table, DuckDB refuses this transaction's DELETE or COMMIT, and
 * nothing has happened. Because DELETE runs between commits, no commit is ever refused on account of sealing.
 */
import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { assert } from '../../core/assert.ts';
import { freeBytes } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';
import type { TimeRange } from '../storage.ts';
import type { TableLayout } from './catalog.ts';
import { storeError } from './errors.ts';
import { rangeCondition, sealedOrder } from './scan-sql.ts';
import { tableName } from './sql-text.ts';
import { bind, ParameterList } from './statements.ts';

/** What sealing works on. */
export interface SealContext {
  connection: DuckDBConnection;
  /** Null for a store in memory. */
  directory: string | null;
  log: Logger;
  /** Runs a task while no commit runs. */
  betweenCommits: <T>(task: () => Promise<T>) => Promise<T>;
}

/** Room on the disk that must be there for each row, and besides. */
const bytesPerRowMax = 64;
const roomBytes = 64 * 2 ** 20;

/** An interrupt before DuckDB has begun is lost, so it is repeated. */
const interruptEveryMs = 10;

/** See `Storage.seal`. One at a time. */
export async function sealRange(
  context: SealContext,
  table: TableLayout,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { connection, log } = context;
  return inTransaction(connection, log, { what: `seal table ${table.id}`, signal }, () =>
    rewrite(context, table, range, signal),
  );
}

/**
 * Runs a task in a transaction that it commits itself. 0, and nothing is changed, where the signal is aborted or DuckDB
 * refuses it.
 */
export async function inTransaction(
  connection: DuckDBConnection,
  log: Logger,
  { what, signal }: { what: string; signal: AbortSignal | undefined },
  task: () => Promise<number>,
): Promise<number> {
  if (signal?.aborted) return 0;
  const interrupts = startInterrupts(connection, signal);
  try {
    await connection.run('BEGIN');
    return await task();
  } catch (error) {
    const cause = storeError(error, what);
    if (signal?.aborted || /conflict/i.test(cause.message))
      log.debug({ err: cause }, 'sealing or tiering gave way');
    else log.error({ err: cause }, 'sealing or tiering failed; the rows stay where they are');
    return 0;
  } finally {
    interrupts.stop();
    // After a COMMIT, done or refused, there is no transaction to end.
    await connection.run('ROLLBACK').catch((failure: unknown) => {
      log.debug({ err: failure }, 'rollback after sealing');
    });
  }
}

async function rewrite(
  context: SealContext,
  table: TableLayout,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { connection, log, betweenCommits } = context;
  const name = tableName(table.id);
  const run = (write: (where: string, parameters: ParameterList) => string): Promise<DuckDBResultReader> => {
    const parameters = new ParameterList();
    return runStatement(connection, write(rangeCondition(table, range, parameters), parameters), parameters);
  };
  const found = await run((where) => `SELECT count(*), max(t.rowid) FROM ${name} t WHERE ${where}`);
  const [rowCount, lastRow] = found.getRows()[0] as [bigint, bigint | null];
  if (lastRow === null || !(await hasRoom(context, Number(rowCount)))) return 0;
  const inserted = await run(
    (where) => `INSERT INTO ${name} SELECT t.* FROM ${name} t WHERE ${where} ORDER BY ${sealedOrder(table)}`,
  );
  return betweenCommits(async () => {
    if (signal?.aborted) return 0;
    // The rows just inserted have numbers above all that were there.
    const deleted = await run(
      (where, parameters) =>
        `DELETE FROM ${name} t WHERE ${where} AND t.rowid <= ${parameters.add({ type: 'int64', value: lastRow })}`,
    );
    assert(
      inserted.rowsChanged === deleted.rowsChanged && deleted.rowsChanged === Number(rowCount),
      `sealing table ${table.id} wrote ${inserted.rowsChanged} rows for ${deleted.rowsChanged}`,
    );
    log.debug({ step: 'seal-commit', rowCount: deleted.rowsChanged }, 'committing sealed rows');
    await connection.run('COMMIT');
    return Number(rowCount);
  });
}

/** Is there room on the disk for so many rows again? */
export async function hasRoom({ directory, log }: SealContext, rowCount: number): Promise<boolean> {
  if (directory === null) return true;
  const free = await freeBytes(directory);
  if (free >= rowCount * bytesPerRowMax + roomBytes) return true;
  log.warn({ rowCount, freeBytes: free }, 'no room on the disk to seal rows');
  return false;
}

/** Runs a statement with parameters. */
export async function runStatement(
  connection: DuckDBConnection,
  sql: string,
  { parameters }: ParameterList,
): Promise<DuckDBResultReader> {
  const statement = await connection.prepare(sql);
  try {
    bind(statement, parameters);
    return await statement.runAndReadAll();
  } finally {
    statement.destroySync();
  }
}

function startInterrupts(connection: DuckDBConnection, signal: AbortSignal | undefined): { stop(): void } {
  let repeat: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    connection.interrupt();
    repeat = setInterval(() => connection.interrupt(), interruptEveryMs);
  };
  signal?.addEventListener('abort', onAbort);
  return {
    stop() {
      signal?.removeEventListener('abort', onAbort);
      clearInterval(repeat);
    },
  };
}
