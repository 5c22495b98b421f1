/**
 * What the memory budget is divided into.
 *
 * ```
 *   budget B   ├─ rows in memory, 3/8 ────────┤├─ the store, 3/8 ────────┤├─ on the way, 1/4 ─┤
 *              ├ pending: 3/16 at most ┤        caches, sorts, joins; the  copies for a flush,
 *                a flush begins at 1/16         rest goes to the disk      arrays to be collected
 * ```
 *
 * The store has 64 MiB at least. Besides the budget stand the program itself and what hangs on its users: results on
 * their way to a client, symbols, open bars. Measured resident: the budget and 240 MiB (`npm run bench`, `memory`).
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
    rowBytesMax: (bytes * 3) / 8,
    pendingBytesMax: (bytes * 3) / 16,
    flushBytes: bytes / 16,
    storeBytesMax: Math.max((bytes * 3) / 8, storeBytesMin),
  };
}
