/** Which buckets of which groups are concerned, and the bars found for them. */
import type { Bucketing } from '../../market/bucketing.ts';

/** Bucket starts by group. */
export type Buckets = Map<number, Set<number>>;

/** By group and bucket start the row of a bar in some `Partials`; -1 for a bucket that has no bar (any more). */
export type BarRows = Map<number, Map<number, number>>;

/** Row of a bucket without a bar. */
export const noBar = -1;

/** Whole buckets that follow one another, as `t256`: from the start of the first to the end of the last. */
export interface TimeSpan {
  from: number;
  to: number;
  /** Start of the last bucket. */
  lastStart: number;
}

/** Adds a bucket. */
export function addBucket(buckets: Buckets, group: number, start: number): void {
  const starts = buckets.get(group);
  if (starts) starts.add(start);
  else buckets.set(group, new Set([start]));
}

/** Sets a bar's row. */
export function setBar(bars: BarRows, group: number, start: number, row: number): void {
  const byStart = bars.get(group);
  if (byStart) byStart.set(start, row);
  else bars.set(group, new Map([[start, row]]));
}

/** How many buckets there are. */
export function countBuckets(buckets: Buckets | BarRows): number {
  let count = 0;
  for (const starts of buckets.values()) count += starts.size;
  return count;
}

/** The buckets as spans of at most `bucketsMax` buckets that follow one another, ascending. */
export function spansOf(buckets: Buckets, bucketing: Bucketing, bucketsMax: number): TimeSpan[] {
  const starts = new Set<number>();
  for (const own of buckets.values()) for (const start of own) starts.add(start);
  const spans: TimeSpan[] = [];
  let count = 0;
  for (const start of [...starts].sort((a, b) => a - b)) {
    const { end } = bucketing.bucketOf(start);
    const last = spans.at(-1);
    if (last && last.to === start && count < bucketsMax) {
      last.to = end;
      last.lastStart = start;
      count++;
    } else {
      spans.push({ from: start, to: end, lastStart: start });
      count = 1;
    }
  }
  return spans;
}

/** Where calendars are searched for the bucket before. */
const searchNs = 366 * 86_400e9;

/** Times of all ticks of a span's buckets: sessions take in ticks a little before their open and after their close. */
export function tickTimes(span: TimeSpan, bucketing: Bucketing): { from: number; to: number } {
  if (!bucketing.hasGaps) return span;
  const from = bucketing.previous(span.from)?.end ?? span.from - searchNs;
  return { from, to: bucketing.next(span.lastStart).start };
}
