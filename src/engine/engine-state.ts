/** What the parts of an open database share. Each part changes only what its comment says. */
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Serial } from '../core/serial.ts';
import type { Storage } from '../storage/storage.ts';
import type { Budget } from './budget.ts';
import type { Bus } from './bus/bus.ts';
import type { Catalog } from './catalog/catalog.ts';
import type { WalWriter } from './wal/writer.ts';
import type { BatchIds } from './write/batch-ids.ts';

/** See the head of this file. */
export interface EngineState {
  readonly storage: Storage;
  /** Null for a database in memory, and while the log is replayed. */
  wal: WalWriter | null;
  readonly catalog: Catalog;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Commits to the store happen one at a time, in this queue. */
  readonly commits: Serial;
  readonly batchIds: BatchIds;
  readonly limits: EngineLimits;
  readonly counters: EngineCounters;
  /** Position of the last batch applied to memory (the write path). */
  appliedLsn: number;
  /** Position the store has reached (the flusher). */
  flushedLsn: number;
  /** Bytes of rows that only memory and the log hold, about (the write path adds, the flusher takes stock). */
  pendingBytes: number;
  /** Why flushes fail at present, or null (the flusher). */
  writesStopped: string | null;
  isClosed: boolean;
}

/** Bounds of an open database. */
export interface EngineLimits extends Budget {
  /** A flush begins so long after the last, if anything is pending. */
  flushIntervalMs: number;
  /** Rows that a page of a back-fill has, about. */
  backfillRows: number;
}

/** Counters since the start. */
export interface EngineCounters {
  rowsWritten: number;
  rowsRejected: number;
  rowsDuplicate: number;
  rowsCorrected: number;
  rowsDeleted: number;
  batchesWritten: number;
  flushes: number;
  flushMsLast: number;
  rowsDropped: number;
  chunksDropped: number;
  rowsTiered: number;
}
