/**
 * How many of the store's calls may run at a time. Each holds one thread of Node's pool, which the log's writes and
 * syncs need as well: while queries hold them all, no write is acknowledged.
 */

/** Calls of the store that may run side by side, besides one commit and one sealing. */
export interface CallsMax {
  /** Point reads. */
  readersMax: number;
  /** SQL snapshots. */
  snapshotsMax: number;
}

/** Threads of the pool where `UV_THREADPOOL_SIZE` says nothing. */
const poolThreadsDefault = 4;

/** Threads left for the log, for copies of files and for what else the program does. */
const threadsKept = 4;

/** Shares out a pool of `UV_THREADPOOL_SIZE` threads; `candela` sets 12. With 4 there is no more than one of each. */
export function callsOf(poolSize: string | undefined): CallsMax {
  const threads = Number(poolSize) || poolThreadsDefault;
  const commitAndSealing = 2;
  const left = threads - commitAndSealing - threadsKept;
  return { readersMax: left >= 4 ? 2 : 1, snapshotsMax: Math.max(1, Math.min(4, left - 2)) };
}
