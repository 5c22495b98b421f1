/**
 * The gap report: runs of buckets in which a series has nothing, inside the sessions of its calendar.
 *
 * A series is looked at from its first bar ever to the newest bucket that has ended, series after series. Nights,
 * holidays and lunch breaks are no gaps, and a run goes on across them. Work is bounded: bars are read a page at a
 * time, and a request ends with a cursor once it has gone through `timesMax` of them, whether or not it found as many
 * runs as its limit allows.
 */
import { CandelaError } from '../../../core/errors.ts';
import type { Bucketing } from '../../../market/bucketing.ts';
import { toInt64 } from '../../../market/column-ops.ts';
import type { GapsRequest, GapsResult } from '../../database.ts';
import type { EngineState } from '../../engine-state.ts';
import { knownTime, knownTimeOfBars } from '../../tables/known-time.ts';
import type { Position, Range } from '../range.ts';
import { ceil256, checkRange, formatCursor } from '../range.ts';
import { bucketAtOrAfter, lastBucketBefore } from './buckets.ts';
import { marketTime } from './market-time.ts';
import type { TimesSource } from './times-source.ts';
import { timesSource } from './times-source.ts';

const timesPerPage = 20_000;
const timesMax = 5_000_000;
const limitDefault = 100_000;

/** One run of missing buckets. */
interface Gap {
  series: number;
  from: number;
  to: number;
  buckets: number;
  openNs: number;
}

/** See `Database.gaps`; `series` are the numbers wanted, ascending. */
export async function gapReport(
  state: EngineState,
  request: GapsRequest,
  seriesOf: (source: TimesSource) => Int32Array,
): Promise<GapsResult> {
  const source = timesSource(state, request);
  const range = checkRange({ ...request, limit: request.limit ?? limitDefault });
  const search = new Search(state, source, range, checkedMin(request.bucketsMin));
  const { after } = range;
  let cursor: Position | null = null;
  for (const series of seriesOf(source)) {
    if (after && BigInt(series) < after.tie) continue;
    const resume = after && BigInt(series) === after.tie ? Number(after.timeNs) : null;
    cursor = await search.lookAt(series, resume);
    if (cursor) break;
  }
  return result(source, search.gaps, cursor);
}

function checkedMin(bucketsMin = 1): number {
  if (Number.isSafeInteger(bucketsMin) && bucketsMin >= 1) return bucketsMin;
  throw new CandelaError('INVALID_ARGUMENT', `bucketsMin ${bucketsMin} is not a whole number from 1`);
}

function result(
  { entry, bucketing }: TimesSource,
  gaps: readonly Gap[],
  cursor: Position | null,
): GapsResult {
  const index = entry.kind === 'rollup' ? entry.groups.index : entry.table.series;
  const doubles = (of: (gap: Gap) => number): Float64Array => Float64Array.from(gaps, of);
  const times = (of: (gap: Gap) => number) => ({ kind: 'timestamp' as const, values: toInt64(doubles(of)) });
  return {
    rowCount: gaps.length,
    names: [...index.key.map(({ name }) => name), 'gap_from', 'gap_to', 'buckets', 'missing_seconds'],
    columns: [
      ...index.keyColumnsOf(Int32Array.from(gaps, ({ series }) => series)),
      times(({ from }) => from),
      times(({ to }) => to),
      { kind: 'int64', values: toInt64(doubles(({ buckets }) => buckets)) },
      { kind: 'double', values: doubles(({ openNs }) => openNs / 1e9) },
    ],
    cursor: cursor && formatCursor(cursor),
    timeframe: bucketing.timeframe.text,
    source: entry.def.name,
    timeZone: bucketing.sessions?.zone.name ?? 'UTC',
  };
}

/** Goes through series after series, and keeps what it found. */
class Search {
  readonly gaps: Gap[] = [];
  readonly #source: TimesSource;
  readonly #bucketing: Bucketing;
  readonly #range: Range;
  readonly #bucketsMin: number;
  /** The end of what is looked at: no bucket counts as missing that ends or starts after it. */
  readonly #lastMissing: number;
  #timesSeen = 0;

  constructor(state: EngineState, source: TimesSource, range: Range, bucketsMin: number) {
    const { entry, bucketing } = source;
    const nowMs = state.clock.nowMs();
    const knownT = entry.kind === 'rollup' ? knownTimeOfBars(entry, nowMs) : knownTime(entry.table, nowMs);
    this.#source = source;
    this.#bucketing = bucketing;
    this.#range = range;
    this.#bucketsMin = bucketsMin;
    this.#lastMissing = lastEnded(bucketing, knownT, range.toNs);
  }

  /** Looks at a series, from `resume` on if that is given. Returns where to go on when it is time to stop. */
  async lookAt(series: number, resume: number | null): Promise<Position | null> {
    let expected = resume === null ? await this.#firstExpected(series) : this.#bucketFrom(resume);
    const { fromNs, toNs } = this.#range;
    const start = resume === null ? fromNs : BigInt(resume);
    for (let after: Position | null = null, isMore = true; isMore; ) {
      const page: Range = { fromNs: start, toNs, order: 'asc', limit: timesPerPage, after };
      const { times, next } = await this.#source.times(series, page);
      for (const t of times) {
        if (!this.#bucketing.holds(t)) continue;
        const bucket = this.#bucketing.bucketOf(t).start;
        if (expected !== null && bucket > expected && !this.#add(series, expected, bucket))
          return { timeNs: BigInt(expected), tie: BigInt(series) };
        if (expected === null || bucket >= expected) expected = this.#bucketing.next(bucket).start;
      }
      this.#timesSeen += times.length;
      after = next;
      isMore = next !== null;
      if (isMore && expected !== null && this.#timesSeen >= timesMax)
        return { timeNs: BigInt(expected), tie: BigInt(series) };
    }
    if (expected === null || expected > this.#lastMissing) return null;
    const end = this.#bucketing.next(this.#lastMissing).start;
    return this.#add(series, expected, end) ? null : { timeNs: BigInt(expected), tie: BigInt(series) };
  }

  /** The bucket in which a series that began before the range should have something; null for one that did not. */
  async #firstExpected(series: number): Promise<number | null> {
    const { fromNs } = this.#range;
    if (fromNs === null) return null;
    const range: Range = { fromNs: null, toNs: fromNs, order: 'desc', limit: 1, after: null };
    const { times } = await this.#source.times(series, range);
    if (times.length === 0) return null;
    const first = this.#bucketFrom(ceil256(fromNs));
    // A row before the range may lie in the very bucket in which it begins.
    const { end } = this.#bucketing.bucketOf(times[0]);
    return Math.max(first, this.#bucketFrom(end));
  }

  #bucketFrom(t: number): number {
    return bucketAtOrAfter(this.#bucketing, t);
  }

  /** Adds the missing buckets from `from` to the one before `next`; false where the limit is reached. */
  #add(series: number, from: number, next: number): boolean {
    const last = lastBucketBefore(this.#bucketing, next) ?? from;
    const to = this.#bucketing.bucketOf(last).end;
    const { buckets, openNs } = marketTime(this.#bucketing, from, to);
    if (buckets < this.#bucketsMin) return true;
    if (this.gaps.length >= (this.#range.limit ?? limitDefault)) return false;
    this.gaps.push({ series, from, to, buckets, openNs });
    return true;
  }
}

/** The newest bucket that has ended by `knownT` and starts in the range. */
function lastEnded(bucketing: Bucketing, knownT: number, toNs: bigint | null): number {
  if (knownT === Number.NEGATIVE_INFINITY) return knownT;
  const end = Math.min(knownT + 256, toNs === null ? Number.POSITIVE_INFINITY : ceil256(toNs));
  const start = lastBucketBefore(bucketing, end);
  if (start === undefined) return Number.NEGATIVE_INFINITY;
  if (bucketing.bucketOf(start).end <= knownT) return start;
  return bucketing.previous(start)?.start ?? Number.NEGATIVE_INFINITY;
}
