/**
 * What the memory budget is divided into.
 *
 * ```
 *   budget B      ├── rows in memory, B/2 ──────────────────┤├── the store, B/2 (64 MiB at least) ──┤
 *                 ├ not flushed yet: B/4 at most ┤              caches, sorts and joins; what is
 *                   a flush begins at B/8                       more goes to its temporary files
 * ```
 *
 * Besides the budget stand what does not grow with the data: the program itself, copies of the rows on their way to the
 * store (as much as is flushed), results on their way to a client, and arrays that wait to be collected.
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
    rowBytesMax: bytes / 2,
    pendingBytesMax: bytes / 4,
    flushBytes: bytes / 8,
    storeBytesMax: Math.max(bytes / 2, storeBytesMin),
  };
}
