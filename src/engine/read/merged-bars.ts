/** Bars of a timeframe that is not stored, merged from the stored bars of a shorter one. */
import { type Bucketing, bucketsWithin } from '../../market/bucketing.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { ceil256, type Range } from './range.ts';
import { type BarsRead, type BarsState, cutBars, mergeToTimeframe, readBars } from './read-bars.ts';

/** Reads whole buckets of `wanted` that start in the range; `shape` changes the stored bars before they are merged. */
export async function readMergedBars(
  state: BarsState,
  target: BarsTarget,
  groups: Int32Array | null,
  range: Range,
  wanted: Bucketing,
  withLive: boolean,
  shape?: (bars: BarsRead) => Promise<BarsRead>,
): Promise<BarsRead> {
  // A bucket takes at most so many stored bars per series. Beyond the limit: one bucket that may be cut, the cursor's,
  // and of each series one that is open and to be left out.
  const ratio = bucketsWithin(target.node.plan.bucketing, wanted);
  const groupCount = Math.max(1, groups?.length ?? target.seriesCount);
  const finer: Range = {
    order: range.order,
    limit: range.limit === null ? null : (range.limit + 2 + (withLive ? 0 : groupCount)) * ratio * groupCount,
    after: null,
    ...wholeBuckets(range, wanted),
  };
  const newest = withLive ? null : target.node.newestStarts();
  const bars = await readBars(state, target, groups, finer, withLive);
  const merged = mergeToTimeframe(shape ? await shape(bars) : bars, wanted, range.order);
  const { start, group } = merged.partials;
  const rows = newest
    ? merged.rows.filter((row) => wanted.bucketOf(start[row]).end <= newest[group[row]])
    : merged.rows;
  return cutBars({ ...merged, rows }, range);
}

/** Bounds that let in every stored bar of the buckets asked for, and no others: the cursor's own bucket among them. */
function wholeBuckets(range: Range, wanted: Bucketing): { fromNs: bigint | null; toNs: bigint | null } {
  let fromNs = range.fromNs === null ? null : boundary(wanted, range.fromNs);
  let toNs = range.toNs === null ? null : boundary(wanted, range.toNs);
  if (range.after && range.order === 'asc') fromNs = later(fromNs, range.after.timeNs);
  if (range.after && range.order === 'desc') {
    const end = BigInt(wanted.bucketOf(Number(range.after.timeNs)).end);
    toNs = toNs === null || end < toNs ? end : toNs;
  }
  return { fromNs, toNs };
}

/** The first bucket start at or after a time. */
function boundary(wanted: Bucketing, timeNs: bigint): bigint {
  const t = ceil256(timeNs);
  const { start } = wanted.bucketOf(t);
  return BigInt(start >= t ? start : wanted.next(start).start);
}

function later(a: bigint | null, b: bigint): bigint {
  return a === null || b > a ? b : a;
}
