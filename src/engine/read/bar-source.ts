/** Where bars come from, whatever is then done with them: stored bars, or merged ones. */
import type { Bucketing } from '../../market/bucketing.ts';
import { Partials } from '../rollup/partials.ts';
import type { RollupPlan } from '../rollup/plan.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { readMergedBars } from './merged-bars.ts';
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
  read(groups: Int32Array | null, range: Range): Promise<BarsRead>;
  /**
   * The newest bar of a group before a bucket start: a row of partial bars, or null. Of merged bars it may be the last
   * part only, so first and last tick of it are what counts.
   */
  before(group: number, start: number): Promise<{ partials: Partials; row: number } | null>;
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
    read: (groups, range) =>
      isStored
        ? readBars(state, target, groups, range, withLive)
        : readMergedBars(state, target, groups, range, wanted, withLive),
    before: (group, start) => barBefore(state, target, group, start),
  };
}

/** The newest stored bar of a group that starts before `start`, its latest one from memory without a read. */
export async function barBefore(
  state: BarsState,
  target: BarsTarget,
  group: number,
  start: number,
): Promise<{ partials: Partials; row: number } | null> {
  const { node } = target;
  const newest = new Partials(node.plan.slots, 1);
  if (node.live(group, newest, 0) && newest.start[0] < start) return { partials: newest, row: 0 };
  if (node.lastClosed(group, newest, 0) && newest.start[0] < start) return { partials: newest, row: 0 };
  const range: Range = { fromNs: null, toNs: BigInt(start), order: 'desc', limit: 1, after: null };
  const { partials, rows } = await readBars(state, target, Int32Array.of(group), range, true);
  return rows.length === 0 ? null : { partials, row: rows[0] };
}

/** {@link BarSource.before} for several groups, so many reads at a time. */
export async function barsBefore(
  source: BarSource,
  groups: readonly number[],
  startOf: (group: number) => number,
): Promise<Map<number, { partials: Partials; row: number }>> {
  const found = new Map<number, { partials: Partials; row: number }>();
  for (let from = 0; from < groups.length; from += readsAtOnce) {
    const some = groups.slice(from, from + readsAtOnce);
    const bars = await Promise.all(some.map((group) => source.before(group, startOf(group))));
    for (const [i, bar] of bars.entries()) if (bar) found.set(some[i], bar);
  }
  return found;
}

const readsAtOnce = 16;
