/**
 * Bars for the buckets that no tick fell into, made while reading and stored nowhere.
 *
 * A series is filled from its first bar ever to the newest bucket that has begun (`lastStartOf`), inside the range, in
 * the buckets of its bars alone: nights, holidays and lunch breaks of a calendar have none. So in every bucket from the
 * first bar on there is at least one bar, and a limit bounds the work: buckets are gone through in windows of about as
 * many as are wanted, real bars are read a window at a time, and what a window needs of the time before it is one bar
 * of each series.
 *
 * ```
 *   buckets     09:30 09:31 09:32 09:33 09:34 09:35        order desc, limit 4
 *   600000        ●     ·     ·     ●     ·     ·          · filled from the bar before
 *   600519        ●     ●     ·     ·     ●
 *                                  └── window ─────┘       bars before 09:33: 09:30 and 09:31
 * ```
 *
 * A cursor is the position of the last bar delivered, filled or not, so a page goes on without hole or repeat.
 */
import { CandelaError } from '../../../core/errors.ts';
import type { Bucketing } from '../../../market/bucketing.ts';
import { Partials } from '../../rollup/partials.ts';
import type { BarSource } from '../bar-source.ts';
import { ceil256, type Range } from '../range.ts';
import type { BarsRead } from '../read-bars.ts';
import { type BarPage, type PageBar, pageOf, pageWith } from './bar-page.ts';
import { bucketAtOrAfter, bucketsBackFrom, bucketsFrom, lastBucketBefore } from './buckets.ts';
import { mergeWindow } from './merge-window.ts';

/** What is to be filled. */
export interface FillRequest {
  source: BarSource;
  /** Series wanted, ascending; null for all. */
  filter: Int32Array | null;
  range: Range;
  /** The newest bucket of a group that may be filled, by its start; -Infinity for none. */
  lastStartOf(group: number): number;
}

/** Bars made up for one read: beyond that it has to be asked for in pages. */
const filledBarsMax = 1_000_000;
/** Buckets × series of one window. */
const windowCellsMax = 200_000;

/** Bars of the range with those filled in that no tick made. Throws `LIMIT_EXCEEDED`. */
export async function fillBars(request: FillRequest): Promise<BarPage> {
  const { source, filter, range } = request;
  const fill = new Fill(request);
  const newest = fill.groups.reduce((start, group) => Math.max(start, request.lastStartOf(group)), nothing);
  const hasBuckets = range.limit !== 0 && newest !== nothing;
  if (hasBuckets && (await (range.order === 'asc' ? ascending : descending)(fill, newest)))
    return fill.page();
  return pageOf(await source.read(filter, range));
}

const nothing = Number.NEGATIVE_INFINITY;

/** Windows from the start of the range on. False where nothing of the range can be filled. */
async function ascending(fill: Fill, newest: number): Promise<boolean> {
  const { bucketing } = fill.request.source;
  const { fromNs, toNs, after } = fill.request.range;
  const lowest = Math.max(
    fromNs === null ? nothing : ceil256(fromNs),
    after ? Number(after.timeNs) : nothing,
  );
  const end = toNs === null ? Number.POSITIVE_INFINITY : ceil256(toNs);
  let start = lowest === nothing ? nothing : bucketAtOrAfter(bucketing, lowest);
  if (start !== nothing) await fill.lookBefore(start);
  if (!fill.hasBegun) start = await fill.firstStart(start);
  if (start > newest || start >= end || start === nothing) return false;
  for (let isMore = true; isMore; ) {
    const starts = bucketsFrom(bucketing, start, fill.nextCount(), Math.min(newest, end - 256));
    const next = starts.length === 0 ? start : bucketing.next(starts[starts.length - 1]).start;
    const isLast = next > newest || next >= end;
    await fill.window(starts, { from: start, to: isLast ? null : next });
    isMore = !isLast && !fill.isFull;
    start = next;
  }
  return true;
}

/** Windows from the end of the range back. False where nothing of the range can be filled. */
async function descending(fill: Fill, newest: number): Promise<boolean> {
  const { bucketing } = fill.request.source;
  const { fromNs, toNs, after } = fill.request.range;
  const lowest = fromNs === null ? nothing : ceil256(fromNs);
  const cursorStart = after ? Number(after.timeNs) : Number.POSITIVE_INFINITY;
  const end = toNs === null ? Number.POSITIVE_INFINITY : ceil256(toNs);
  let top = lastBucketBefore(bucketing, Math.min(newest + 256, cursorStart + 256, end));
  let upper = after ? bucketing.bucketOf(cursorStart).end : null;
  if (top === undefined || top < lowest) return false;
  for (let isMore = true; isMore; ) {
    const starts = bucketsBackFrom(bucketing, top, fill.nextCount(), lowest);
    const [from] = starts;
    await fill.lookBefore(from);
    await fill.window(starts, { from, to: upper });
    top = bucketing.previous(from)?.start;
    isMore = fill.hasBegun && !fill.isFull && top !== undefined && top >= lowest;
    upper = from;
    if (top === undefined) break;
  }
  return true;
}

/** What one fill has so far. */
class Fill {
  readonly request: FillRequest;
  readonly groups: Int32Array;
  readonly #partials: Partials;
  readonly #same: Int32Array;
  readonly #bars: PageBar[] = [];
  /** Of each series that has begun the row of its newest bar so far. */
  #known = new Map<number, number>();
  /** Series that may have bars before the present window. */
  #candidates: number[];
  #windows = 0;
  #filledCount = 0;

  constructor(request: FillRequest) {
    const { source, filter } = request;
    this.request = request;
    this.groups = filter ?? Int32Array.from({ length: source.seriesCount }, (_, group) => group);
    this.#partials = new Partials(source.plan.slots, 64);
    this.#same = Int32Array.from(source.plan.slots, (_, slot) => slot);
    this.#candidates = [...this.groups];
  }

  get hasBegun(): boolean {
    return this.#known.size > 0;
  }

  get isFull(): boolean {
    const { limit } = this.request.range;
    return limit !== null && this.#bars.length > limit;
  }

  /** Buckets of the next window: as many as are still wanted if all series have begun, then twice as many. */
  nextCount(): number {
    const { range } = this.request;
    const { length: seriesCount } = this.groups;
    const windowMax = Math.max(1, Math.floor(windowCellsMax / seriesCount));
    if (range.limit === null) return windowMax;
    const wanted = (range.limit + 1 - this.#bars.length) / seriesCount + 1;
    // The cursor's own bucket may have been delivered in full.
    return Math.min(windowMax, Math.ceil(wanted * 2 ** this.#windows) + 1);
  }

  /** Finds the bar before a bucket of each series that may have one. */
  async lookBefore(start: number): Promise<void> {
    const bars = await this.request.source.before(this.#candidates, start);
    this.#known = new Map([...bars].map(([group, { partials, row }]) => [group, this.#keep(partials, row)]));
    if (this.request.range.order === 'desc') this.#candidates = [...bars.keys()];
  }

  /** The first bucket of the range, from `start` on, that has a bar; -Infinity where there is none. */
  async firstStart(start: number): Promise<number> {
    const { source, filter, range } = this.request;
    const fromNs = start === nothing ? range.fromNs : BigInt(start);
    const { partials, rows } = await source.read(filter, { ...range, fromNs, limit: 1, after: null });
    return rows.length === 0 ? nothing : partials.start[rows[0]];
  }

  /** Reads a window and adds its bars: real ones from `from` to before `to` (null: the end of the range). */
  async window(starts: Float64Array, { from, to }: { from: number; to: number | null }): Promise<void> {
    const { source, filter, range, lastStartOf } = this.request;
    this.#windows++;
    const toNs = to === null ? range.toNs : BigInt(to);
    const fromNs = BigInt(from);
    const real = await source.read(filter, { fromNs, toNs, order: 'asc', limit: null, after: null });
    const found = mergeWindow({ starts, real: this.#kept(real), known: this.#known, lastStartOf });
    if (range.order === 'desc') found.reverse();
    for (const bar of found) if (isPast(range, bar)) this.#add(bar);
  }

  #add(bar: PageBar): void {
    this.#bars.push(bar);
    if (bar.isFilled) this.#filledCount++;
    if (this.#filledCount <= filledBarsMax) return;
    throw new CandelaError('LIMIT_EXCEEDED', `more than ${filledBarsMax} bars would have to be filled in`, {
      help: 'Ask for a shorter range or a longer timeframe, or for pages with limit and cursor.',
    });
  }

  #kept({ partials, rows }: BarsRead): PageBar[] {
    return Array.from(rows, (row) => ({
      row: this.#keep(partials, row),
      group: partials.group[row],
      start: partials.start[row],
      isFilled: false,
    }));
  }

  #keep(partials: Partials, row: number): number {
    return this.#partials.push(partials, row, this.#same);
  }

  page(): BarPage {
    const { limit } = this.request.range;
    return pageWith(this.#partials, limit === null ? this.#bars : this.#bars.slice(0, limit), this.isFull);
  }
}

function isPast({ after, order }: Range, { start, group }: PageBar): boolean {
  if (!after) return true;
  const difference = start - Number(after.timeNs) || group - Number(after.tie);
  return order === 'asc' ? difference > 0 : difference < 0;
}

/** The newest bucket that has begun by a time; -Infinity if none has. */
export function lastBegun(bucketing: Bucketing, t: number): number {
  if (t === nothing) return nothing;
  return lastBucketBefore(bucketing, t + 256) ?? nothing;
}
