/** Where bars come from, whatever is then done with them: stored bars, or merged ones. */
import type { Bucketing } from '../../market/bucketing.ts';
import type { RollupPlan } from '../rollup/plan.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { readMergedBars } from './merged-bars.ts';
import type { BarRow } from './newest-bars.ts';
import { newestBarsBefore } from './newest-bars.ts';
import type { Range } from './range.ts';
import type { BarsRead, BarsState } from './read-bars.ts';
import { readBars } from './read-bars.ts';

/** Bars of one timeframe as partial bars that are whole. */
export interface BarSource {
  /** Slots of the partial bars, and the columns they show. */
  plan: RollupPlan;
  /** The buckets of the bars. */
  bucketing: Bucketing;
  /** Series that exist: what "all" means. */
  seriesCount: number;
  /** Bars that start before it may lack ticks that a back-fill still brings; -Infinity for none. */
  completeFrom: number;
  read(groups: Int32Array | null, range: Range): Promise<BarsRead>;
  /**
   * Of each group that has one its newest bar before a bucket start. Of merged bars it may be the last part only, so
   * that it is and its last values are what counts.
   */
  before(groups: readonly number[], start: number): Promise<Map<number, BarRow>>;
}

/** What a source reads. */
export interface SourceOptions {
  target: BarsTarget;
  wanted: Bucketing;
  /** Are the bars wanted those that are stored? */
  isStored: boolean;
  withLive: boolean;
}

/** Bars as they are stored, or merged from shorter ones. */
export function barSource(
  state: BarsState,
  { target, wanted, isStored, withLive }: SourceOptions,
): BarSource {
  return {
    plan: target.node.plan,
    bucketing: wanted,
    seriesCount: target.seriesCount,
    completeFrom: target.node.completeFrom,
    read: (groups, range) =>
      isStored
        ? readBars(state, target, groups, range, withLive)
        : readMergedBars(state, target, groups, range, wanted, withLive),
    before: (groups, start) => newestBarsBefore(state, target, groups, start),
  };
}
