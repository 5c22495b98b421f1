/** One candle as the page holds it. */
export interface Bar {
  /** Start of its bucket, Unix milliseconds. */
  timeMs: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Null where the table has no volume, or none is known for this bar. */
  volume: number | null;
}

/** A bar and the series it belongs to. */
export interface SeriesBar {
  /** See `seriesLabel`. */
  series: string;
  bar: Bar;
}
