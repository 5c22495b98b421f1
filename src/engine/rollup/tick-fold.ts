/**
 * The first step of a rollup: a batch of ticks → partial bars, one per (group, bucket) that follows another in the
 * batch. A group that returns to an earlier bucket gets another partial bar, which is as good, since merging is exact.
 *
 * Two steps: each tick is given its row, then each slot runs over the batch in a loop of its own, those of the usual
 * bars all in one (`candle-fold.ts`). Ticks mostly come in the order of time; only where they do not is the first and
 * the last tick of a row looked for.
 */
import type { Bucketing } from '../../market/bucketing.ts';
import type { Bucket } from '../../market/timeframe.ts';
import { CandleFold } from './candle-fold.ts';
import { doubled } from './moves.ts';
import { arrivalLimit, Partials } from './partials.ts';
import type { AssignedTicks, SlotSpec } from './slots.ts';
import { insideOf, type TickBatch } from './tick-batch.ts';

/** See the head of this file. */
export class TickFold {
  readonly partials: Partials;
  readonly #bucketing: Bucketing;
  readonly #candles: CandleFold | undefined;
  /** Ticks left out so far: they belong to no bucket. */
  outsideCount = 0;
  /** Per group: its newest row in this batch, or -1. */
  #rowOf = new Int32Array(16).fill(-1);
  #target = new Int32Array(0);
  #firstTick: Int32Array = new Int32Array(256);
  #lastTick: Int32Array = new Int32Array(256);

  constructor(bucketing: Bucketing, specs: readonly SlotSpec[]) {
    this.#bucketing = bucketing;
    this.partials = new Partials(specs, 256);
    this.#candles = CandleFold.of(specs, this.partials.slots);
  }

  /**
   * Folds the batch; the result is in `partials`, rows 0 … length-1, until the next call. Ticks that belong to no
   * bucket, which a market's calendar has, are counted and left out.
   */
  fold(arrived: TickBatch): Partials {
    const { partials } = this;
    const batch = this.#bucketing.hasGaps ? insideOf(arrived, this.#bucketing) : arrived;
    this.outsideCount += arrived.count - batch.count;
    if (this.#target.length < batch.count) this.#target = new Int32Array(batch.count * 2);
    this.#assign(batch);
    if (!isOrdered(batch)) this.#findEnds(batch);
    const ticks: AssignedTicks = {
      count: batch.count,
      columns: batch.columns,
      target: this.#target,
      rowCount: partials.length,
      firstTick: this.#firstTick,
      lastTick: this.#lastTick,
    };
    const slots = this.#candles?.fold(ticks) ? this.#candles.others : partials.slots;
    for (const slot of slots) slot.fold(ticks);
    this.#setPositions(batch);
    this.#forgetRows();
    return partials;
  }

  /**
   * Gives each tick its row and each row its bucket, its count, and as first and last tick those that arrived first and
   * last.
   */
  #assign(batch: TickBatch): void {
    const { group, t256, count } = batch;
    this.partials.length = 0;
    let bucket: Bucket = { start: 0, end: 0 };
    for (let at = 0; at < count; at = this.#assignFrom(batch, at, bucket)) {
      if (t256[at] < bucket.start || t256[at] >= bucket.end) bucket = this.#bucketing.bucketOf(t256[at]);
      this.#makeRoom(group[at]);
    }
  }

  /**
   * The same from tick `at` on, which is of this bucket, up to one that may not be or for which there may be no room:
   * returns which. Ticks at the edges of a session belong to buckets that they do not lie in.
   */
  #assignFrom({ group, t256, count }: TickBatch, at: number, { start, end }: Bucket): number {
    const { partials } = this;
    const { capacity, start: starts, group: groups, rows } = partials;
    const [rowOf, target, firstTick, lastTick] = [this.#rowOf, this.#target, this.#firstTick, this.#lastTick];
    const groupsMax = rowOf.length;
    let rowCount = partials.length;
    let i = at;
    for (; i < count; i++) {
      const t = t256[i];
      const g = group[i];
      if ((i > at && (t < start || t >= end)) || g >= groupsMax) break;
      let row = rowOf[g];
      if (row < 0 || starts[row] !== start) {
        if (rowCount === capacity) break;
        row = rowCount++;
        rowOf[g] = row;
        groups[row] = g;
        starts[row] = start;
        rows[row] = 0;
        firstTick[row] = i;
      }
      rows[row]++;
      lastTick[row] = i;
      target[i] = row;
    }
    partials.length = rowCount;
    return i;
  }

  /** For one more row, and for that group. */
  #makeRoom(group: number): void {
    const { partials } = this;
    if (partials.length === partials.capacity) {
      partials.reserve(partials.length + 1);
      this.#firstTick = doubled(this.#firstTick);
      this.#lastTick = doubled(this.#lastTick);
    }
    if (group < this.#rowOf.length) return;
    const larger = new Int32Array((group + 1) * 2).fill(-1);
    larger.set(this.#rowOf);
    this.#rowOf = larger;
  }

  #forgetRows(): void {
    const { group, length } = this.partials;
    const rowOf = this.#rowOf;
    for (let row = 0; row < length; row++) rowOf[group[row]] = -1;
  }

  /** Each row's earliest and latest tick by time; of equal times the first and the last to arrive. */
  #findEnds({ t256, rest, count }: TickBatch): void {
    const [target, firstTick, lastTick] = [this.#target, this.#firstTick, this.#lastTick];
    for (let i = 0; i < count; i++) {
      const row = target[i];
      const t = t256[i];
      const first = firstTick[row];
      const last = lastTick[row];
      if (t < t256[first] || (t === t256[first] && rest[i] < rest[first])) firstTick[row] = i;
      if (t > t256[last] || (t === t256[last] && rest[i] >= rest[last])) lastTick[row] = i;
    }
  }

  #setPositions({ t256, rest, arrivals, firstArrival }: TickBatch): void {
    const { firstT, firstTie, lastT, lastTie, length } = this.partials;
    const [firstTick, lastTick] = [this.#firstTick, this.#lastTick];
    for (let row = 0; row < length; row++) {
      const first = firstTick[row];
      const last = lastTick[row];
      firstT[row] = t256[first];
      firstTie[row] = rest[first] * arrivalLimit + (arrivals ? arrivals[first] : firstArrival + first);
      lastT[row] = t256[last];
      lastTie[row] = rest[last] * arrivalLimit + (arrivals ? arrivals[last] : firstArrival + last);
    }
  }
}

/** Do the ticks stand in the order of time? */
function isOrdered({ t256, rest, count }: TickBatch): boolean {
  for (let i = 1; i < count; i++)
    if (t256[i] < t256[i - 1] || (t256[i] === t256[i - 1] && rest[i] < rest[i - 1])) return false;
  return true;
}
