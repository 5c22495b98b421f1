/** Walks along the buckets of a timeframe. Times are ns as exact doubles, multiples of 256. */
import type { Bucketing } from '../../../market/bucketing.ts';

/** The first bucket that starts at or after a time. */
export function bucketAtOrAfter(bucketing: Bucketing, t: number): number {
  const { start } = bucketing.bucketOf(t);
  return start >= t ? start : bucketing.next(start).start;
}

/** The last bucket that starts before a time; undefined where a calendar has none. */
export function lastBucketBefore(bucketing: Bucketing, t: number): number | undefined {
  const { start } = bucketing.bucketOf(t - 256);
  return start < t ? start : bucketing.previous(start)?.start;
}

/** Starts of so many buckets from the one at `start` on, none above `last`. */
export function bucketsFrom(bucketing: Bucketing, start: number, count: number, last: number): Float64Array {
  const starts: number[] = [];
  for (let at = start; at <= last && starts.length < count; at = bucketing.next(at).start) starts.push(at);
  return Float64Array.from(starts);
}

/** Starts of so many buckets up to the one at `top`, ascending, none but the first below `lowest`. */
export function bucketsBackFrom(
  bucketing: Bucketing,
  top: number,
  count: number,
  lowest: number,
): Float64Array {
  const starts = [top];
  while (starts.length < count) {
    const before = bucketing.previous(starts[starts.length - 1]);
    if (!before || before.start < lowest) break;
    starts.push(before.start);
  }
  return Float64Array.from(starts.reverse());
}
