/**
 * The first step of a rollup: a batch of ticks → partial bars, one per (group, bucket) that follows another in the
 * batch. A group that returns to an earlier bucket gets another partial bar, which is as good, since merging is exact.
 *
 * Two steps: each tick is given its row, then each slot runs over the batch in a loop of its own, those of the usual
 * bars all in one (`candle-fold.ts`). Ticks mostly come in the order of time; only where they do not is the first and
 * the last tick of a row looked for.
 */
import type { Bucketing } from '../../market/bucketing.ts';
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
    if (!this.#assign(batch)) this.#findEnds(batch);
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
    for (let row = 0; row < partials.length; row++) this.#rowOf[partials.group[row]] = -1;
    return partials;
  }

  /**
   * Gives each tick its row and each row its bucket, its count, and as first and last tick those that arrived first and
   * last. Returns whether that is right: whether the ticks stand in the order of time.
   */
  #assign({ group, t256, rest, count }: TickBatch): boolean {
    const { partials } = this;
    partials.length = 0;
    const target = this.#target;
    let { start, rows } = partials;
    let rowOf = this.#rowOf;
    let lastTick = this.#lastTick;
    let isOrdered = true;
    let previous = Number.NEGATIVE_INFINITY;
    // The bucket of the tick before, mostly that of the next.
    let from = 0;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const g = group[i];
      const t = t256[i];
      if (t <= previous && (t < previous || rest[i] < rest[i - 1])) isOrdered = false;
      previous = t;
      if (t < from || t >= to) ({ start: from, end: to } = this.#bucketing.bucketOf(t));
      let row = g < rowOf.length ? rowOf[g] : -1;
      if (row < 0 || start[row] !== from) {
        row = this.#open(g, from, i);
        // Opening may have moved them to larger arrays.
        start = partials.start;
        rows = partials.rows;
        rowOf = this.#rowOf;
        lastTick = this.#lastTick;
      }
      rows[row]++;
      lastTick[row] = i;
      target[i] = row;
    }
    return isOrdered;
  }

  /** A new, empty row. */
  #open(group: number, start: number, tick: number): number {
    const { partials } = this;
    const row = partials.length++;
    if (row >= partials.capacity) {
      partials.reserve(row + 1);
      this.#firstTick = doubled(this.#firstTick);
      this.#lastTick = doubled(this.#lastTick);
    }
    if (group >= this.#rowOf.length) {
      const larger = new Int32Array((group + 1) * 2).fill(-1);
      larger.set(this.#rowOf);
      this.#rowOf = larger;
    }
    partials.group[row] = group;
    partials.rows[row] = 0;
    this.#firstTick[row] = tick;
    this.#rowOf[group] = row;
    partials.start[row] = start;
    return row;
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

  #setPositions(batch: TickBatch): void {
    const { partials } = this;
    for (let row = 0; row < partials.length; row++) {
      const first = this.#firstTick[row];
      const last = this.#lastTick[row];
      partials.firstT[row] = batch.t256[first];
      partials.firstTie[row] = tieOf(batch, first);
      partials.lastT[row] = batch.t256[last];
      partials.lastTie[row] = tieOf(batch, last);
    }
  }
}

function tieOf({ rest, arrivals, firstArrival }: TickBatch, tick: number): number {
  return rest[tick] * arrivalLimit + (arrivals ? arrivals[tick] : firstArrival + tick);
}
