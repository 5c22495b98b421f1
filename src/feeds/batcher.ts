/**
 * Batcher: rows one by one in, columnar writes out. What stands between every feed and the engine.
 *
 * Guarantees:
 * - Rows are written in the order they were pushed, each once; one write is under way at a time. While it runs, rows
 *   gather and the next write takes them all, so batches grow by themselves when the source is faster than a write.
 * - A write starts when `rowsMax` rows wait, or `ageMsMax` after the first of them came, whichever is sooner.
 * - Nothing goes missing in silence: after `flush`, rowsReceived = rowsWritten + rowsRejected, and every rejection was
 *   logged with its reason.
 * - Bounded: `push` answers false from `rowsPendingMax` rows on; the feed then stops reading its socket or file until
 *   `ready` resolves. (A row pushed all the same is kept: the bound is overrun by what was already in hand, no more.)
 * - While the engine refuses writes for a reason that passes (a full disk), rows are kept and tried again; only a
 *   `close` that waited `closeWaitMs` gives them up, counted and logged.
 *
 * ```
 *  push ─▶ pending ──(rowsMax or ageMsMax)──▶ buildBatch ──▶ database.write ──▶ counts
 *            │ ≥ rowsPendingMax: push → false, ready() waits        └ refused for now: wait, same batch again
 * ```
 */
import type { Clock } from '../core/clock.ts';
import { CandelaError, type RowRejection, toCandelaError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Database } from '../engine/database.ts';
import type { Batch } from '../market/columns.ts';
import type { ColumnDef } from '../market/schema.ts';
import { pause } from './pause.ts';
import { buildBatch, type FeedRow } from './row-batch.ts';

/** What a batcher needs of its surroundings. */
export interface BatcherContext {
  database: Pick<Database, 'table' | 'write'>;
  log: Logger;
  clock: Clock;
}

/** Where rows go and how they are gathered. */
export interface BatcherOptions {
  /** An existing table. */
  table: string;
  /** The columns each pushed row gives, in order. */
  columns: readonly string[];
  /** Default 100. */
  rowsMax?: number;
  /** Default 250. */
  ageMsMax?: number;
  /** Default 65,536. */
  rowsPendingMax?: number;
  /** How long `close` goes on trying while writes are refused; default 5,000. */
  closeWaitMs?: number;
}

/** Rows so far. After `flush` received = written + rejected. */
export interface BatcherCounts {
  rowsReceived: number;
  rowsWritten: number;
  rowsRejected: number;
  /** Why the last write was refused, or null once one has succeeded since. */
  lastError: string | null;
}

/** Reasons kept for one log line; the rest is counted. */
const reasonsMax = 5;
const retryMsMin = 100;
const retryMsMax = 2000;

/** See the head of this file. The constructor throws `TABLE_NOT_FOUND` or `COLUMN_NOT_FOUND`. */
export class Batcher {
  readonly #context: BatcherContext;
  readonly #options: Required<BatcherOptions>;
  readonly #columns: ColumnDef[];
  readonly #counts: BatcherCounts = { rowsReceived: 0, rowsWritten: 0, rowsRejected: 0, lastError: null };
  readonly #rejections: RejectionLog;
  #pending: FeedRow[] = [];
  #rowsInWrite = 0;
  #due = false;
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #writing: Promise<void> | undefined;
  #waiters: (() => void)[] = [];
  #closed = false;
  #giveUpAtMs = Number.POSITIVE_INFINITY;

  constructor(context: BatcherContext, options: BatcherOptions) {
    this.#context = context;
    this.#options = { rowsMax: 100, ageMsMax: 250, rowsPendingMax: 65_536, closeWaitMs: 5000, ...options };
    this.#columns = tableColumns(context.database, options.table, options.columns);
    this.#rejections = rejectionLog(context.log, options.table);
  }

  /** Takes a row. False: stop reading the source until `ready` resolves. */
  push(row: FeedRow): boolean {
    if (this.#closed) {
      // Not an error to throw: in a feed's socket callback it would end the whole process.
      this.reject('a row came after the feed was stopped');
      return true;
    }
    this.#counts.rowsReceived++;
    this.#pending.push(row);
    if (this.#pending.length >= this.#options.rowsMax) this.#wake();
    else this.#startTimer();
    return this.#hasRoom();
  }

  /** Counts (and logs) a received record that could not become a row. */
  reject(reason: string): void {
    this.#counts.rowsReceived++;
    this.#counts.rowsRejected++;
    this.#rejections.add(reason);
    this.#startTimer();
  }

  /** Resolves when there is room again; at once when there is. */
  ready(): Promise<void> {
    return this.#hasRoom() ? Promise.resolve() : new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Resolves when all rows pushed so far are written or counted as rejected. */
  async flush(): Promise<void> {
    while (this.#busy || this.#pending.length > 0) {
      this.#wake();
      await this.#writing;
    }
    this.#rejections.report();
  }

  /** Flushes and ends; rows pushed later are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#giveUpAtMs = this.#context.clock.monotonicMs() + this.#options.closeWaitMs;
    await this.flush();
    clearTimeout(this.#timer);
  }

  /** Rows so far. */
  counts(): BatcherCounts {
    return { ...this.#counts };
  }

  #hasRoom(): boolean {
    return this.#pending.length + this.#rowsInWrite < this.#options.rowsPendingMax;
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => this.#wake(), this.#options.ageMsMax);
  }

  #wake(): void {
    this.#due = true;
    if (!this.#busy) this.#writing = this.#writeAll();
  }

  async #writeAll(): Promise<void> {
    this.#busy = true;
    while (this.#due || this.#pending.length >= this.#options.rowsMax) {
      this.#due = false;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const rows = this.#pending;
      this.#pending = [];
      this.#rowsInWrite = rows.length;
      if (rows.length > 0) await this.#writeRows(rows);
      this.#rowsInWrite = 0;
      this.#rejections.report();
      for (const resolve of this.#waiters.splice(0)) resolve();
    }
    // In the same turn as the loop's last test: a push in between would otherwise wait for the one after it.
    this.#busy = false;
  }

  async #writeRows(rows: FeedRow[]): Promise<void> {
    try {
      const { batch, rejected } = buildBatch(this.#columns, rows);
      this.#refuse(rejected);
      if (batch.rowCount > 0) await this.#writeBatch(batch);
    } catch (thrown) {
      this.#lose(rows.length, toCandelaError(thrown));
    }
  }

  async #writeBatch(batch: Batch): Promise<void> {
    const { database, log, clock } = this.#context;
    const { table } = this.#options;
    for (let retryMs = retryMsMin; ; retryMs = Math.min(retryMs * 2, retryMsMax)) {
      try {
        const result = await database.write(table, batch, { onInvalid: 'skip' });
        this.#counts.rowsWritten += batch.rowCount - result.rejected.length;
        this.#counts.lastError = null;
        return this.#refuse(result.rejected);
      } catch (thrown) {
        const error = toCandelaError(thrown);
        if (!passes(error) || clock.monotonicMs() >= this.#giveUpAtMs) {
          return this.#lose(batch.rowCount, error);
        }
        this.#counts.lastError = error.message;
        log.warn({ table, rows: batch.rowCount, retryMs }, `write refused, trying again: ${error.message}`);
        await pause(Math.max(1, Math.min(retryMs, this.#giveUpAtMs - clock.monotonicMs())));
      }
    }
  }

  #refuse(rows: readonly RowRejection[]): void {
    this.#counts.rowsRejected += rows.length;
    for (const { column, reason } of rows) {
      this.#rejections.add(column === null ? reason : `${column}: ${reason}`);
    }
  }

  #lose(rowCount: number, error: CandelaError): void {
    const { table } = this.#options;
    this.#counts.rowsRejected += rowCount;
    this.#counts.lastError = error.message;
    this.#context.log.error({ table, rows: rowCount, err: error }, `rows not written: ${error.message}`);
  }
}

function tableColumns(
  database: BatcherContext['database'],
  table: string,
  names: readonly string[],
): ColumnDef[] {
  const info = database.table(table);
  if (!info) throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${table}' to write to`);
  return names.map((name) => {
    const column = info.columns.find((candidate) => candidate.name === name);
    if (column) return column;
    throw new CandelaError('COLUMN_NOT_FOUND', `table '${table}' has no column '${name}'`);
  });
}

/** Will the same write succeed later? */
function passes(error: CandelaError): boolean {
  if (error.code === 'STOPPING') return false;
  return error.kind === 'unavailable' || error.kind === 'limit' || error.kind === 'timeout';
}

interface RejectionLog {
  add(reason: string): void;
  report(): void;
}

/** Gathers reasons between two writes, so that a thousand bad rows are one line that says a thousand. */
function rejectionLog(log: Logger, table: string): RejectionLog {
  let count = 0;
  let reasons = new Set<string>();
  return {
    add(reason) {
      count++;
      if (reasons.size < reasonsMax) reasons.add(reason);
    },
    report() {
      if (count === 0) return;
      const examples = [...reasons];
      log.warn({ table, rows: count, reasons: examples }, `${count} rows rejected: ${examples.join('; ')}`);
      count = 0;
      reasons = new Set();
    },
  };
}
