import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { systemClock } from '../core/clock.ts';
import { type FileSystem, nodeFileSystem } from '../core/file-system.ts';
import type { Logger } from '../core/log.ts';
import { silentLogger } from '../core/log.ts';
import { createSerial } from '../core/serial.ts';
import { openStorage } from '../storage/duckdb/worker/worker-storage.ts';
import { openMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { type Budget, budgetBytesDefault, divideBudget } from './budget.ts';
import { liveBars } from './bus/bar-events.ts';
import { Bus } from './bus/bus.ts';
import type { Database, Durability } from './database.ts';
import { Engine } from './engine.ts';
import type { EngineState } from './engine-state.ts';
import { Flusher } from './flush/flusher.ts';
import { replayAmendment } from './recompute/amend.ts';
import { recover } from './recovery.ts';
import type { SealLimits } from './seal/seal-state.ts';
import { replayWal } from './wal/reader.ts';
import { openWal } from './wal/writer.ts';
import { applyFrame, forgetLoggedSeries } from './write/write-path.ts';

/** How to open a database. */
export interface OpenOptions {
  /** Where the data live; made if it is not there. Null: in memory only, without SQL, gone at `close`. */
  directory: string | null;
  /** Default `always`. */
  durability?: Durability;
  /**
   * Memory that may grow with the data, default 256 MiB: half for the newest rows, so that recent reads never touch the
   * disk, half for the store and its queries (64 MiB at least). See `engine/budget.ts`.
   */
  memoryBytesMax?: number;
  /** Default: after 5 s. */
  flushIntervalMs?: number;
  /** When closed chunks are rewritten in series order: see `engine/seal`. */
  sealing?: Partial<SealLimits>;
  /** Rows of history that a new rollup takes in one step, about; default 65,536. */
  backfillRows?: number;
  /** Default: silent. */
  log?: Logger;
  clock?: Clock;
  /** Where the log is written; tests put a failing disk here. */
  fileSystem?: FileSystem;
}

const backfillRowsDefault = 65_536;
/** Sorting a row takes about so much of the store's memory; what does not fit is spilled to the disk. */
const sealBytesPerRow = 64;

/**
 * Opens a database, replaying what its log holds beyond the store. Throws `DATA_DIRECTORY_IN_USE` if another
 * process has
 * it open, `CORRUPT_WAL` or `CORRUPT_STORE` naming the file.
 *
 * ```ts
 * const database = await open({ directory: './data' });
 * await database.createTable({ name: 'trades', kind: 'ticks', timeColumn: 'time', seriesKey: ['symbol'],
 * columns: [ … ] });
 * ```
 */
export async function open(options: OpenOptions): Promise<Database> {
  const log = options.log ?? silentLogger;
  const budget = divideBudget(options.memoryBytesMax ?? budgetBytesDefault);
  const { directory } = options;
  const storage: Storage =
    directory === null
      ? openMemoryStorage()
      : await openStorage({ directory, memoryBytesMax: budget.storeBytesMax, log });
  try {
    return await openOn(storage, directory, { ...options, log, budget });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

type Complete = OpenOptions & { log: Logger; budget: Budget };

async function openOn(storage: Storage, directory: string | null, options: Complete): Promise<Database> {
  const { log, budget } = options;
  const { catalog, batchIds, lsn } = await recover(storage);
  const clock = options.clock ?? systemClock;
  const limits = {
    ...budget,
    flushIntervalMs: options.flushIntervalMs ?? 5_000,
    backfillRows: options.backfillRows ?? backfillRowsDefault,
  };
  const state: EngineState = {
    storage,
    wal: null,
    catalog,
    bus: new Bus({
      monotonicMs: () => clock.monotonicMs(),
      lsn: () => state.appliedLsn,
      liveRows: (node, groups) => liveBars(catalog.entryOf(node), groups).rows,
    }),
    clock,
    log,
    commits: createSerial(),
    batchIds,
    limits,
    counters: {
      rowsWritten: 0,
      rowsRejected: 0,
      rowsDuplicate: 0,
      rowsCorrected: 0,
      rowsDeleted: 0,
      batchesWritten: 0,
      flushes: 0,
      flushMsLast: 0,
      rowsDropped: 0,
      chunksDropped: 0,
      rowsTiered: 0,
    },
    appliedLsn: lsn,
    flushedLsn: lsn,
    pendingBytes: 0,
    writesStopped: null,
    isClosed: false,
  };
  if (directory === null) return new Engine(state, null);
  const place = { directory: join(directory, 'wal'), fileSystem: options.fileSystem ?? nodeFileSystem };
  await replay(state, place);
  state.wal = await openWal({
    ...place,
    durability: options.durability ?? 'always',
    clock,
    log,
    startLsn: state.appliedLsn + 1,
    onFailed: () => forgetLoggedSeries(state),
  });
  return new Engine(state, {
    intervalMs: 30_000,
    rowsMin: 245_760,
    rowsMax: Math.min(2_000_000, Math.max(500_000, budget.storeBytesMax / sealBytesPerRow)),
    idleMs: 600_000,
    ...options.sealing,
  });
}

/** Applies what the log holds beyond the store. Frames of tables dropped since are passed over. */
async function replay(
  state: EngineState,
  place: { directory: string; fileSystem: FileSystem },
): Promise<void> {
  const byId = new Map(state.catalog.rows().map((entry) => [entry.id, entry]));
  const flusher = new Flusher(state);
  flusher.stop();
  let frames = 0;
  for await (const frame of replayWal({ ...place, afterLsn: state.appliedLsn, log: state.log })) {
    const entry = byId.get(frame.table);
    if (entry && frame.kind === 'amendment') await replayAmendment(state, flusher, entry, frame);
    else if (entry) applyFrame(state, entry, frame);
    state.appliedLsn = frame.lsn;
    // Of a log written under a larger budget. Under the same one writers waited before there was so much.
    if (state.pendingBytes >= 2 * state.limits.pendingBytesMax) await flusher.flush();
    frames++;
  }
  for (const { node } of state.catalog.rollups()) node.publishedRow = node.closed.nextRow;
  if (frames > 0) state.log.info({ frames, lsn: state.appliedLsn }, 'replayed the log');
}
