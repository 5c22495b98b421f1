/**
 * What the memory budget is divided into.
 *
 * ```
 *   budget B   ├─ rows in memory, 5/16 ───────┤├─ the store, 3/8 ────────┤├─ on the way, 5/16 ┤
 *              ├ pending: 1/8 at most ┤         caches, sorts, joins; the  copies for a flush,
 *                a flush begins at 1/16         rest goes to the disk      arrays to be collected
 * ```
 *
 * The store has 64 MiB at least. Besides the budget stand the program itself and what hangs on its users: results on
 * their way to a client, symbols, open bars. Measured resident: the budget and 250 MB after 20 M ticks (`npm run bench
 * -- --only memory`).
 */
export interface Budget {
  /** Newest rows kept in memory, flushed or not. */
  rowBytesMax: number;
  /** Of these, rows that only memory and the log hold: beyond this writers wait. */
  pendingBytesMax: number;
  /** A flush begins when so much is pending. */
  flushBytes: number;
  /** Memory of the store. */
  storeBytesMax: number;
}

/** The budget where none is set. */
export const budgetBytesDefault = 256 * 2 ** 20;

/** With less the store cannot work at all. */
const storeBytesMin = 64 * 2 ** 20;

/** See the head of this file. */
export function divideBudget(bytes: number): Budget {
  return {
    rowBytesMax: (bytes * 5) / 16,
    pendingBytesMax: bytes / 8,
    flushBytes: bytes / 16,
    storeBytesMax: Math.max((bytes * 3) / 8, storeBytesMin),
  };
}
