import type { Partials } from '../../rollup/partials.ts';
import type { BarsRead } from '../read-bars.ts';

/** Bars of a read in their order, those filled in among them. */
export interface BarPage {
  partials: Partials;
  /** Of each bar its row of `partials`; of a filled one the row of the bar before. */
  rows: Int32Array;
  groups: Int32Array;
  /** Bucket starts. */
  starts: Float64Array;
  /** 1 where no tick made the bar. */
  filled: Uint8Array;
  /** Did the limit cut the result? */
  isCut: boolean;
}

/** One bar of a page. */
export interface PageBar {
  row: number;
  group: number;
  start: number;
  isFilled: boolean;
}

/** A page of bars that are all there. */
export function pageOf({ partials, rows, isCut }: BarsRead): BarPage {
  return {
    partials,
    rows,
    groups: rows.map((row) => partials.group[row]),
    starts: Float64Array.from(rows, (row) => partials.start[row]),
    filled: new Uint8Array(rows.length),
    isCut,
  };
}

/** A page of these bars. */
export function pageWith(partials: Partials, bars: readonly PageBar[], isCut: boolean): BarPage {
  return {
    partials,
    rows: Int32Array.from(bars, ({ row }) => row),
    groups: Int32Array.from(bars, ({ group }) => group),
    starts: Float64Array.from(bars, ({ start }) => start),
    filled: Uint8Array.from(bars, ({ isFilled }) => (isFilled ? 1 : 0)),
    isCut,
  };
}
