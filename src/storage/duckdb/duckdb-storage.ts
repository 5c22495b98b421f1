/**
 * The default store: one DuckDB database file, `market.duckdb`.
 *
 * Tables live in schema `candela` as `t<number>`, hidden columns and all; what SQL sees are the views in schema `main`.
 * One connection writes, a transaction per commit, in the order of the calls. A few others answer point reads, and
 * each SQL snapshot has one of its own, so that a long query holds up neither.
 */
import { resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import { type File, nodeFileSystem } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';
import { type ColumnData, type ColumnSet, lengthOf, valueAt } from '../../market/columns.ts';
import type {
  CountRequest,
  LastRowsOf,
  LookupRequest,
  ScanRequest,
  Storage,
  StorageImage,
  StorageOp,
  StorageSnapshot,
  StorageStats,
  TimeCount,
  TimeRange,
} from '../storage.ts';
import { mustLayout, readLayouts, type TableLayout } from './catalog.ts';
import { type CheckpointContext, checkpointIfDue, databaseSize } from './checkpoints.ts';
import { coldFolder } from './cold/cold-files.ts';
import { ColdTrash } from './cold/cold-trash.ts';
import { openColdFiles } from './cold/open-cold-files.ts';
import { type TierContext, tierRange } from './cold/tiering.ts';
import { type CommitContext, runOps } from './committing.ts';
import { claimFile, databaseFileName } from './database-file.ts';
import { storeError } from './errors.ts';
import { checkpointForImage, imageOf, openForImages } from './imaging.ts';
import { holdDatabase, openInstance } from './instance.ts';
import { SnapshotPool } from './query/snapshot.ts';
import { type QueryTree, queryTreeReader } from './query/tree.ts';
import {
  countStatement,
  lastRowsStatement,
  lookupStatement,
  type ReadStatement,
  readAllStatement,
  scanStatement,
} from './scan-sql.ts';
import { sealRange } from './sealing.ts';
import { spillFolderIn } from './spilling.ts';
import { ReaderPool } from './statements.ts';
import { cutTornLogs } from './torn-log.ts';
import { readColumnsInTurns } from './vector-reader.ts';

/** Where the store lives and what it may use. */
export interface DuckDbStorageOptions {
  /** Made if it is not there; this process's alone while the store is open. Null keeps all in memory. */
  directory: string | null;
  /** Memory for queries and caches; default 1 GiB. */
  memoryBytesMax?: number;
  /** Threads for queries; default 2. */
  threads?: number;
  /** Point reads at a time; default 2. See `thread-pool.ts`. */
  readersMax?: number;
  /** SQL snapshots at a time; default 2. See `thread-pool.ts`. */
  snapshotsMax?: number;
  log: Logger;
}

/** Opens or creates the store. Throws `DATA_DIRECTORY_IN_USE`, `CORRUPT_STORE`, `INVALID_CONFIG`. */
export async function openDuckDbStorage(options: DuckDbStorageOptions): Promise<Storage> {
  const { directory } = options;
  if (directory === null) return openStorage(options, ':memory:', () => {});
  const file = resolve(directory, databaseFileName);
  const onClose = claimFile(file);
  try {
    await nodeFileSystem.makeDirectory(directory);
    return await openStorage(options, file, onClose);
  } catch (error) {
    onClose();
    throw error;
  }
}

async function openStorage(
  options: DuckDbStorageOptions,
  file: string,
  onClose: () => void,
): Promise<Storage> {
  const { directory, log } = options;
  const spill = directory === null ? null : await spillFolderIn(resolve(directory), log);
  const settings = {
    file,
    temporaryDirectory: spill?.path ?? null,
    memoryBytesMax: options.memoryBytesMax ?? 2 ** 30,
    threads: options.threads ?? 2,
    coldDirectory: directory === null ? null : resolve(directory, coldFolder),
  };
  if (directory !== null) await cutTornLogs(file, () => holdDatabase(settings), log);
  const instance = await openInstance(settings);
  try {
    await spill?.removeOthers();
    const writer = await instance.connect();
    const sealer = await instance.connect();
    if (directory !== null) await openColdFiles(writer, resolve(directory));
    const layouts = await readLayouts(writer);
    const readers = await ReaderPool.open(instance, options.readersMax ?? 2);
    const readTree = queryTreeReader(readers);
    const snapshots = new SnapshotPool(instance, readTree, options.snapshotsMax ?? 2);
    const checkpoints = directory === null ? null : { directory, writer, readers, log };
    const parts = {
      instance,
      writer,
      sealer,
      readers,
      snapshots,
      readTree,
      log,
      directory,
      checkpoints,
      onClose,
    };
    return new DuckDbStorage(parts, layouts);
  } catch (error) {
    instance.closeSync();
    throw storeError(error, `open ${file}`);
  }
}

interface Parts {
  instance: DuckDBInstance;
  writer: DuckDBConnection;
  sealer: DuckDBConnection;
  readers: ReaderPool;
  snapshots: SnapshotPool;
  readTree: (text: string) => Promise<QueryTree>;
  log: Logger;
  /** Null for a store in memory, as are its checkpoints. */
  directory: string | null;
  checkpoints: CheckpointContext | null;
  onClose: () => void;
}

class DuckDbStorage implements Storage {
  readonly #parts: Parts;
  /** The tables as of the last commit; replaced whole, never changed. */
  #layouts: Map<number, TableLayout>;
  #closing: Promise<void> | undefined;
  /** Settles when the last commit asked for has: commits wait in line here. */
  #lastCommit: Promise<void> = Promise.resolve();
  readonly #running = new Set<Promise<unknown>>();
  /** Settles when the last sealing asked for has. */
  #lastSeal: Promise<unknown> = Promise.resolve();
  #isSealing = false;
  /** Ends the sealing that runs and those in line. */
  #sealAbort = new AbortController();
  /** Counts commits that move rows between tables and cold files: a read that one overtook begins again. */
  #moves = 0;
  /** Settles when such a commit that is on its way has. */
  #lastMove: Promise<unknown> = Promise.resolve();
  readonly #trash: ColdTrash;
  /** Reads that run. */
  #readCount = 0;
  /** Is an image being made or read? Then there are no checkpoints and no sealing. */
  #isImaged = false;
  #imageFile: File | undefined;

  constructor(parts: Parts, layouts: Map<number, TableLayout>) {
    this.#parts = parts;
    this.#layouts = layouts;
    const isRead = (): boolean => this.#isImaged || this.#readCount > 0 || parts.snapshots.openCount > 0;
    this.#trash = new ColdTrash(isRead, parts.log);
  }

  async documents(): Promise<Map<string, string>> {
    const [keys, values] = await this.#read(() => documentsStatement);
    return new Map(
      Array.from({ length: lengthOf(keys) }, (_, row) => [
        String(valueAt(keys, row)),
        String(valueAt(values, row)),
      ]),
    );
  }

  commit(ops: StorageOp[]): Promise<void> {
    return this.#track(() => this.#betweenCommits(() => this.#commitNow(ops)));
  }

  /** Runs a task when the commits asked for before it are done, and before those asked for later. */
  #betweenCommits<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#lastCommit.then(task);
    this.#lastCommit = result.then(
      () => this.#checkpoint(),
      () => {},
    );
    return result;
  }

  seal(range: TimeRange, signal?: AbortSignal): Promise<number> {
    const ended = this.#sealAbort.signal;
    const either = signal ? AbortSignal.any([signal, ended]) : ended;
    const seal = this.#track(() => this.#lastSeal.then(() => this.#sealNow(range, either)));
    this.#lastSeal = seal.catch(() => {});
    return seal;
  }

  async #sealNow(range: TimeRange, signal: AbortSignal): Promise<number> {
    const context = {
      ...this.#sealContext(),
      betweenCommits: <T>(task: () => Promise<T>) =>
        this.#betweenCommits(() =>
          task().finally(() => {
            this.#isSealing = false;
          }),
        ),
    };
    this.#isSealing = true;
    try {
      return await sealRange(context, mustLayout(this.#layouts, range.table), range, signal);
    } finally {
      this.#isSealing = false;
    }
  }

  #sealContext() {
    const { sealer: connection, directory, log } = this.#parts;
    return { connection, directory, log };
  }

  tier(range: TimeRange, signal?: AbortSignal): Promise<number> {
    const ended = this.#sealAbort.signal;
    const either = signal ? AbortSignal.any([signal, ended]) : ended;
    const tier = this.#track(() => this.#lastSeal.then(() => this.#tierNow(range, either)));
    this.#lastSeal = tier.catch(() => {});
    return tier;
  }

  async #tierNow(range: TimeRange, signal: AbortSignal): Promise<number> {
    const { directory } = this.#parts;
    if (directory === null) return 0;
    let moved: Map<number, TableLayout> | undefined;
    const context = {
      ...this.#sealContext(),
      directory: resolve(directory),
      layouts: () => this.#layouts,
      onCommit: (layouts: Map<number, TableLayout>) => {
        moved = layouts;
        this.#moves++;
      },
      betweenCommits: (task: () => Promise<number>) =>
        this.#betweenCommits(() => {
          const move = task().then((rowCount) => {
            if (rowCount > 0 && moved) this.#layouts = moved;
            return rowCount;
          });
          this.#lastMove = move.catch(() => {});
          return move.finally(() => {
            this.#isSealing = false;
          });
        }),
    };
    this.#isSealing = true;
    try {
      mustLayout(this.#layouts, range.table);
      return await tierRange(context as TierContext, range, signal);
    } finally {
      this.#isSealing = false;
    }
  }

  image(): Promise<StorageImage> {
    return this.#track(async () => {
      if (this.#isImaged) {
        throw new CandelaError('LIMIT_EXCEEDED', 'a copy of the store is being made already', {
          help: 'Wait until it is done.',
        });
      }
      this.#isImaged = true;
      const seals = this.#lastSeal;
      let release = (): void => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      this.#lastSeal = seals.then(() => released);
      this.#sealAbort.abort();
      this.#sealAbort = new AbortController();
      const close = (): void => {
        this.#isImaged = false;
        release();
      };
      try {
        await seals;
        return await this.#betweenCommits(() => this.#imageNow(close));
      } catch (error) {
        close();
        throw error;
      }
    });
  }

  async #imageNow(close: () => void): Promise<StorageImage> {
    const { checkpoints } = this.#parts;
    if (!checkpoints) throw new CandelaError('UNSUPPORTED', 'a store in memory has no files');
    await checkpointForImage(checkpoints);
    this.#imageFile ??= await openForImages(resolve(checkpoints.directory, databaseFileName));
    const cold = [...this.#layouts.values()].flatMap((table) => table.cold);
    return imageOf(this.#imageFile, await this.#imageFile.size(), cold, close);
  }

  async countByTime(request: CountRequest): Promise<TimeCount[]> {
    const columns = await this.#read(() => countStatement(mustLayout(this.#layouts, request.table), request));
    const [starts, counts] = columns as { values: BigInt64Array }[];
    return Array.from(starts.values, (startNs, row) => ({ startNs, rowCount: Number(counts.values[row]) }));
  }

  async scan(request: ScanRequest): Promise<ColumnSet> {
    const newest = await this.#scanNewest(request);
    if (newest) return newest;
    return this.#readSet(request.table, request.columns, (table) => scanStatement(table, request));
  }

  /** The newest rows, where the table has so many that are newer than all in cold files: then no file is opened. */
  async #scanNewest(request: ScanRequest): Promise<ColumnSet | undefined> {
    const { order, limit, columns } = request;
    const layout = this.#layouts.get(request.table);
    const timeAt = columns.indexOf(layout?.roles?.time ?? '');
    if (!layout || layout.cold.length === 0 || order !== 'desc' || !limit || timeAt < 0) return undefined;
    let newestCold = 0n;
    const set = await this.#readSet(request.table, columns, (table) => {
      newestCold = table.cold.reduce((latest, { toNs }) => (toNs > latest ? toNs : latest), -(2n ** 63n));
      return scanStatement({ ...table, cold: [] }, request);
    });
    const { values } = set.columns[timeAt] as { values: BigInt64Array };
    return set.rowCount === limit && values[limit - 1] >= newestCold ? set : undefined;
  }

  lookup(request: LookupRequest): Promise<ColumnSet> {
    return this.#readSet(request.table, request.columns, (table) => lookupStatement(table, request));
  }

  readAll(table: number, columns: string[]): Promise<ColumnSet> {
    return this.#readSet(table, columns, (layout) => readAllStatement(layout, columns));
  }

  lastRows(table: number, columns: string[], of?: LastRowsOf): Promise<ColumnSet> {
    return this.#readSet(table, columns, (layout) => lastRowsStatement(layout, columns, of));
  }

  async tablesOf(text: string): Promise<string[]> {
    const { tables } = await this.#track(() => this.#parts.readTree(text));
    return [...tables];
  }

  snapshot(): Promise<StorageSnapshot> {
    return this.#track(() => this.#parts.snapshots.take());
  }

  async stats(): Promise<StorageStats> {
    const { fileBytes, logBytes } = await this.#track(() => databaseSize(this.#parts.readers));
    const cold = [...this.#layouts.values()].flatMap((table) => table.cold);
    return { bytesOnDisk: cold.reduce((bytes, file) => bytes + file.bytes, fileBytes + logBytes) };
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeNow();
    return this.#closing;
  }

  async #closeNow(): Promise<void> {
    const { instance, writer, sealer, readers, snapshots, onClose } = this.#parts;
    this.#sealAbort.abort();
    await Promise.allSettled([...this.#running, snapshots.close()]);
    // An image that is being read keeps this line.
    await this.#lastSeal;
    await this.#lastCommit;
    // An empty log makes the next start quick.
    await this.#checkpoint(0);
    readers.close();
    writer.closeSync();
    sealer.closeSync();
    instance.closeSync();
    await this.#imageFile?.close();
    onClose();
  }

  async #checkpoint(logBytesLeft?: number): Promise<void> {
    const { checkpoints } = this.#parts;
    // A checkpoint may number rows anew, and sealing goes by their numbers. It ends with a commit of its own.
    if (checkpoints && !this.#isSealing && !this.#isImaged) await checkpointIfDue(checkpoints, logBytesLeft);
  }

  async #commitNow(ops: StorageOp[]): Promise<void> {
    const { writer, log } = this.#parts;
    const context: CommitContext = {
      connection: writer,
      layouts: new Map(this.#layouts),
      forgotten: [],
    };
    try {
      await writer.run('BEGIN');
      await runOps(context, ops);
      await (context.forgotten.length > 0 ? this.#commitMove(context) : writer.run('COMMIT'));
    } catch (error) {
      // A COMMIT that fails has rolled back itself, and then this finds no transaction.
      await writer.run('ROLLBACK').catch((failure: unknown) => {
        log.debug({ err: failure }, 'rollback after a failed commit');
      });
      throw storeError(error, 'commit');
    }
    this.#layouts = context.layouts;
    await this.#trash.empty(context.forgotten);
  }

  /** Ends a commit that took rows out of cold files. */
  #commitMove({ connection, layouts }: CommitContext): Promise<void> {
    this.#moves++;
    const move = connection.run('COMMIT').then(() => {
      this.#layouts = layouts;
    });
    this.#lastMove = move.catch(() => {});
    return move;
  }

  async #readSet(
    id: number,
    names: string[],
    write: (table: TableLayout) => ReadStatement,
  ): Promise<ColumnSet> {
    let rowCount = 0;
    const columns = await this.#read(
      () => write(mustLayout(this.#layouts, id)),
      (count) => {
        rowCount = count;
      },
    );
    return { rowCount, names: [...names], columns };
  }

  #read(write: () => ReadStatement, onCount: (rowCount: number) => void = () => {}): Promise<ColumnData[]> {
    return this.#track(async () => {
      for (;;) {
        await this.#lastMove;
        const moves = this.#moves;
        const columns = await this.#readOnce(write(), onCount);
        if (this.#moves === moves) return columns;
      }
    });
  }

  async #readOnce(statement: ReadStatement, onCount: (rowCount: number) => void): Promise<ColumnData[]> {
    this.#readCount++;
    try {
      return await this.#parts.readers.run(statement, (result) => {
        onCount(result.rowCount);
        return readColumnsInTurns(result, statement.forms);
      });
    } catch (error) {
      throw storeError(error, 'read');
    } finally {
      this.#readCount--;
    }
  }

  /** Runs a task that `close` waits for. */
  #track<T>(task: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(new CandelaError('STOPPING', 'the store is closed'));
    const promise = task();
    this.#running.add(promise);
    const done = (): void => {
      this.#running.delete(promise);
    };
    promise.then(done, done);
    return promise;
  }
}

const documentsStatement: ReadStatement = {
  sql: 'SELECT key, value FROM candela.documents',
  parameters: [],
  forms: [{ kind: 'text' }, { kind: 'text' }],
};
