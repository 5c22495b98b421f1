/** Where a back-fill reads from: a ticks table, or a rollup that others are built on. */
import type { Partials } from '../rollup/partials.ts';

/** Parts of bars as `absorb` takes them. */
export interface HistoryPart {
  partials: Partials;
  /** Rows of `partials`, newest first. */
  rows: Int32Array;
}

/** Half-open; multiples of 256 ns, or all the way. */
export interface Span {
  fromNs: bigint;
  toNs: bigint;
}
