/**
 * Frozen states of the store for SQL. Each is a read-only transaction on a connection of its own; DuckDB fixes what a
 * transaction sees at its first touch of the database, so the touch is made before the snapshot is handed out.
 */
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CandelaError } from '../../../core/errors.ts';
import type { Scalar } from '../../../market/columns.ts';
import type { QueryLimits, QueryResult, StorageSnapshot } from '../../storage.ts';
import { storeError } from '../errors.ts';
import { endsTransaction, queryError } from './errors.ts';
import { runQuery } from './run-query.ts';
import type { QueryTree } from './tree.ts';

/** What a transaction sees is fixed by its first look at the database. */
const beginSql = 'BEGIN TRANSACTION READ ONLY; SELECT key FROM candela.documents LIMIT 0';

/** How many may wait for a snapshot while all are taken. */
const waitingMax = 1000;

/** Hands out snapshots, a bounded number at a time; the others wait in line. */
export class SnapshotPool {
  readonly #instance: DuckDBInstance;
  readonly #readTree: (text: string) => Promise<QueryTree>;
  readonly #idle: DuckDBConnection[] = [];
  readonly #open = new Set<Snapshot>();
  readonly #waiting: { resolve: () => void; reject: (error: CandelaError) => void }[] = [];
  #free: number;
  readonly #snapshotsMax: number;
  #closed = false;

  constructor(
    instance: DuckDBInstance,
    readTree: (text: string) => Promise<QueryTree>,
    snapshotsMax: number,
  ) {
    this.#instance = instance;
    this.#readTree = readTree;
    this.#free = snapshotsMax;
    this.#snapshotsMax = snapshotsMax;
  }

  /** Takes a snapshot of the present state. Throws `LIMIT_EXCEEDED` when the line is full. */
  async take(): Promise<StorageSnapshot> {
    await this.#acquire();
    let connection: DuckDBConnection | undefined;
    try {
      connection = this.#idle.pop() ?? (await this.#instance.connect());
      await connection.run(beginSql);
      if (this.#closed) throw stopping();
    } catch (error) {
      this.#giveBack(connection, false);
      throw storeError(error, 'snapshot');
    }
    const snapshot = new Snapshot(connection, this.#readTree, (usable) => {
      this.#open.delete(snapshot);
      this.#giveBack(connection, usable);
    });
    this.#open.add(snapshot);
    return snapshot;
  }

  /** Snapshots that are not closed yet, and those being taken. */
  get openCount(): number {
    return this.#snapshotsMax - this.#free;
  }

  /** Refuses those in line, waits for running queries and ends every snapshot. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(stopping());
    await Promise.all([...this.#open].map((snapshot) => snapshot.close()));
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }

  #acquire(): Promise<void> {
    if (this.#closed) return Promise.reject(stopping());
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(
        new CandelaError('LIMIT_EXCEEDED', `${waitingMax} queries are waiting already`, {
          help: 'Try again later.',
        }),
      );
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #giveBack(connection: DuckDBConnection | undefined, usable: boolean): void {
    if (connection && usable) this.#idle.push(connection);
    else connection?.closeSync();
    const next = this.#waiting.shift();
    if (next) next.resolve();
    else this.#free++;
  }
}

function stopping(): CandelaError {
  return new CandelaError('STOPPING', 'the store is closed');
}

function closed(): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', 'the snapshot is closed');
}

/** After the time is up the connection is interrupted again and again: an interrupt before DuckDB has begun is lost. */
const interruptEveryMs = 20;

class Snapshot implements StorageSnapshot {
  readonly #connection: DuckDBConnection;
  readonly #readTree: (text: string) => Promise<QueryTree>;
  readonly #onClose: (usable: boolean) => void;
  /** Queries of one snapshot run one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor(
    connection: DuckDBConnection,
    readTree: (text: string) => Promise<QueryTree>,
    onClose: (usable: boolean) => void,
  ) {
    this.#connection = connection;
    this.#readTree = readTree;
    this.#onClose = onClose;
  }

  query(text: string, parameters: readonly Scalar[], limits: QueryLimits): Promise<QueryResult> {
    const query = this.#last.then(() => this.#queryNow(text, parameters, limits));
    this.#last = query.catch(() => {});
    return query;
  }

  renew(): Promise<void> {
    const renewed = this.#last.then(async () => {
      if (this.#closing) throw closed();
      try {
        await this.#connection.run(`ROLLBACK; ${beginSql}`);
      } catch (error) {
        throw storeError(error, 'snapshot');
      }
      this.#ended = false;
    });
    this.#last = renewed.catch(() => {});
    return renewed;
  }

  close(): Promise<void> {
    this.#closing ??= this.#last
      .then(() => this.#connection.run('ROLLBACK'))
      .then(
        () => this.#onClose(true),
        () => this.#onClose(false),
      );
    return this.#closing;
  }

  async #queryNow(text: string, parameters: readonly Scalar[], limits: QueryLimits): Promise<QueryResult> {
    if (this.#closing) throw closed();
    if (this.#ended) {
      throw new CandelaError('INVALID_ARGUMENT', 'the snapshot ended when a query in it failed', {
        help: 'Take a new snapshot.',
      });
    }
    const tree = await this.#readTree(text);
    const progress = { bytesBefore: 0 };
    const deadline = startDeadline(this.#connection, limits.timeoutMs);
    try {
      return await runQuery(this.#connection, { text, tree, parameters, limits }, progress);
    } catch (error) {
      if (!(error instanceof CandelaError)) this.#ended = endsTransaction(error);
      if (deadline.passed()) {
        throw new CandelaError('TIMEOUT', `the query did not end within ${limits.timeoutMs} ms`, {
          cause: error,
        });
      }
      throw queryError(error, { bytesBefore: progress.bytesBefore, text });
    } finally {
      deadline.stop();
    }
  }
}

/** Longest delay Node's timers take; a longer one would fire at once. */
const timerMsMax = 2 ** 31 - 1;

function startDeadline(connection: DuckDBConnection, timeoutMs: number): { passed(): boolean; stop(): void } {
  let passed = false;
  let repeat: NodeJS.Timeout | undefined;
  const timer = setTimeout(
    () => {
      passed = true;
      connection.interrupt();
      repeat = setInterval(() => connection.interrupt(), interruptEveryMs);
    },
    Math.min(timeoutMs, timerMsMax),
  );
  return {
    passed: () => passed,
    stop() {
      clearTimeout(timer);
      clearInterval(repeat);
    },
  };
}
