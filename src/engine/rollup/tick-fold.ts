/**
 * The first step of a rollup: a batch of ticks → partial bars, one per (group, bucket) that follows another in the
 * batch. A group that returns to an earlier bucket gets another partial bar, which is as good, since merging is exact.
 *
 * Two steps: each tick is given its row, then each slot runs over the batch in a loop of its own. Ticks mostly come in
 * the order of time; only where they do not is the first and the last tick of a row looked for.
 */
import type { Bucketing } from '../../market/bucketing.ts';
import { doubled } from './moves.ts';
import { arrivalLimit, Partials } from './partials.ts';
import type { AssignedTicks, SlotSpec } from './slots.ts';
import { insideOf, type TickBatch } from './tick-batch.ts';

/** See the head of this file. */
export class TickFold {
  readonly partials: Partials;
  readonly #bucketing: Bucketing;
  /** Ticks left out so far: they belong to no bucket. */
  outsideCount = 0;
  /** Per group: its newest row in this batch, or -1. */
  #rowOf = new Int32Array(16).fill(-1);
  #target = new Int32Array(0);
  #firstTick: Int32Array = new Int32Array(256);
  #lastTick: Int32Array = new Int32Array(256);
  #end: Float64Array = new Float64Array(256);

  constructor(bucketing: Bucketing, specs: readonly SlotSpec[]) {
    this.#bucketing = bucketing;
    this.partials = new Partials(specs, 256);
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
    for (const slot of partials.slots) slot.fold(ticks);
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
    let end = this.#end;
    let lastTick = this.#lastTick;
    let isOrdered = true;
    let previous = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const g = group[i];
      const t = t256[i];
      if (t <= previous && (t < previous || rest[i] < rest[i - 1])) isOrdered = false;
      previous = t;
      let row = g < rowOf.length ? rowOf[g] : -1;
      if (row < 0 || t < start[row] || t >= end[row]) {
        row = this.#open(g, t, i);
        // Opening may have moved them to larger arrays.
        start = partials.start;
        rows = partials.rows;
        rowOf = this.#rowOf;
        end = this.#end;
        lastTick = this.#lastTick;
      }
      rows[row]++;
      lastTick[row] = i;
      target[i] = row;
    }
    return isOrdered;
  }

  /** A new, empty row. */
  #open(group: number, t: number, tick: number): number {
    const { partials } = this;
    const row = partials.length++;
    if (row >= partials.capacity) {
      partials.reserve(row + 1);
      this.#firstTick = doubled(this.#firstTick);
      this.#lastTick = doubled(this.#lastTick);
      const end = new Float64Array(partials.capacity);
      end.set(this.#end);
      this.#end = end;
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
    this.#setBucket(row, t);
    return row;
  }

  /** Ticks of many series share their buckets: the one of the row before is tried before computing. */
  #setBucket(row: number, t: number): void {
    const { start } = this.partials;
    if (row > 0 && t >= start[row - 1] && t < this.#end[row - 1]) {
      start[row] = start[row - 1];
      this.#end[row] = this.#end[row - 1];
      return;
    }
    const bucket = this.#bucketing.bucketOf(t);
    start[row] = bucket.start;
    this.#end[row] = bucket.end;
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
