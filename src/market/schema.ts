/** Table definitions: plain data, checked by the engine's catalog, stored as JSON. */
import type { BucketingOptions } from './bucketing.ts';

/** The type of a column as a user declares it. */
export type ColumnType =
  | { kind: 'double' }
  | { kind: 'int64' }
  /**
   * `precision` ≤ 38. Without both numbers: any value with ≤ 18 whole and ≤ 20 decimal digits, each row keeping
   * its own scale.
   */
  | { kind: 'decimal'; precision?: number; scale?: number }
  | { kind: 'text' }
  | { kind: 'json' }
  | { kind: 'boolean' }
  /**
   * `unit` is what is kept (finer digits are cut at the write); `zone` false is SQL's `timestamp` without time
   * zone.
   */
  | { kind: 'timestamp'; unit: 'us' | 'ns'; zone: boolean };

/** One column of a table. */
export interface ColumnDef {
  name: string;
  type: ColumnType;
  /** May a row leave it out? Default true; the time column and the series key never may. */
  nullable?: boolean;
  /** For adjusted reads: what splits and dividends do to the values. Numbers only; default neither. */
  role?: ColumnRole;
}

/** A `price` is divided by a split's ratio and lowered by dividends, a `size` is multiplied by the ratio. */
export type ColumnRole = 'price' | 'size';

/**
 * - `ticks`: an append stream; rows with equal times keep their order of arrival.
 * - `bars`: one row per series and time; a later write overwrites.
 * - `state`: the last row per series.
 * - `plain`: an ordinary relational table.
 */
export type TableKind = 'ticks' | 'bars' | 'state' | 'plain';

/**
 * Which ticks of a ticks table are the same: those of one series and one time whose values in the columns of `by`
 * are equal, where null equals null and 1.10 equals 1.1 (`'row'`: in all columns). The time is always part of it.
 *
 * - `keep: 'first'`: a tick that is the same as one before is dropped and counted as a duplicate.
 * - `keep: 'last'`: so is one whose other values are equal, too; one that differs is a *correction*: it takes the
 *   place of the tick it corrects, also in the order among equal times.
 */
export interface DedupDef {
  /** Names of columns besides the time and the series key, such as a trade id; may be empty. */
  by: string[] | 'row';
  keep: 'first' | 'last';
}

/** A table as a user creates it. */
export interface TableDef {
  name: string;
  kind: TableKind;
  /**
   * Ticks and bars: how long rows are kept, such as `30d` (`market/duration.ts`). Whole days of UTC that ended so long
   * ago are dropped; bars made of ticks stay. Absent: for ever.
   */
  retention?: string;
  /**
   * Ticks: when rows go from the database to Parquet files beside it, such as `90d`: whole days of UTC that ended so
   * long ago. They are read as before, in less room and more time. Absent: never.
   */
  coldAfter?: string;
  columns: ColumnDef[];
  /** The time column; required for ticks and bars, optional for state, absent for plain. */
  timeColumn?: string;
  /**
   * Columns whose values name a series, e.g. `['symbol']`; text or int64. May be empty (one series). For plain
   * tables: the primary key.
   */
  seriesKey: string[];
  /** Ticks tables only. Without it every tick is kept, however often it comes. */
  dedup?: DedupDef;
}

/**
 * The aggregates that merge: a bar built from parts, in any order, equals the bar built at once.
 *
 * - `first`, `last`: the value of the earliest and latest tick (equal times by arrival); null counts as a value.
 * - `min`, `max`, `sum`, `avg`: over the values that are not null; null if there is none. Sums of decimals are exact.
 * - `count`: values of `of` that are not null, or rows without `of`.
 * - `vwap`: Σ(of × weight) / Σ(weight) over rows where neither is null; null if the weights sum to 0.
 * - `first-time`, `last-time`: time of the earliest and the latest tick.
 * - `increase`: growth of a cumulative counter since the bar before (a fall starts it anew; the first bar of
 *   all counts from its
 *   own first tick), e.g. volume out of a running day volume; derived when read from the stored `last`.
 */
export type Aggregate =
  | { name: string; fn: 'first' | 'last' | 'min' | 'max' | 'sum' | 'avg' | 'increase'; of: string }
  | { name: string; fn: 'count'; of?: string }
  | { name: string; fn: 'vwap'; of: string; weight: string }
  | { name: string; fn: 'first-time' | 'last-time' };

/**
 * What reads show for buckets that no tick fell into: nothing; a flat bar at the previous close with volume 0; or a bar
 * of nulls. Only buckets of the rollup's sessions count, from a series' first bar to the newest bucket that has begun.
 */
export type GapMode = 'none' | 'flat' | 'null';

/**
 * A table derived from another by bucket and group, kept current by the engine. Time zone, calendar and week start say
 * where its buckets lie: see `market/bucketing.ts`.
 */
export interface RollupDef extends BucketingOptions {
  name: string;
  /** A ticks table, or another rollup whose aggregates these continue (`min` of a `min` and so on). */
  source: string;
  /** Such as `1s`, `5m`, `1h`, `1d`: see `market/timeframe.ts`. */
  timeframe: string;
  /** Source columns to group by; default the source's series key. */
  groupBy?: string[];
  aggregates: Aggregate[];
  /** Name of the bucket-start column; default the source's time column's name. */
  timeColumn?: string;
  /**
   * How long bars are kept, as {@link TableDef.retention}; of their own, whatever the source keeps. Absent: for ever.
   */
  retention?: string;
  /** Roles of the ticks table's columns, by name, where they declare none; `createCandles` gives those of its own. */
  roles?: Record<string, ColumnRole>;
  /** Bars that reads make up for empty buckets unless they say otherwise; none is stored. Default `none`. */
  gaps?: GapMode;
}

/**
 * Bars of several timeframes over one ticks table, as one request: see `Database.createCandles`. Time zone, calendar
 * and week start hold for each.
 */
export interface CandlesDef extends BucketingOptions {
  source: string;
  price: string;
  /** Traded size per tick … */
  volume?: string;
  /** … or a running total (a day's volume) whose growth is the volume. */
  cumulativeVolume?: string;
  /** Ascending; each becomes a rollup `<prefix>_<timeframe>` of the largest shorter one that divides it. */
  timeframes: string[];
  /** What names begin with: another one for each calendar or zone over one table. Default the source's name. */
  prefix?: string;
  /** See {@link RollupDef.gaps}. */
  gaps?: GapMode;
}
