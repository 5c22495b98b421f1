/**
 * Parts of bars on their way into a rollup's past, one row per group and bucket.
 *
 * A back-fill goes from the newest time to the oldest, so the parts of one bucket of a group come one after the other:
 * a part either belongs to the group's last row or begins a new one, and nothing has to be looked up. Rows must come in
 * that order, within a call and from call to call; then no (group, bucket) is there twice.
 */
import type { Bucket } from '../../market/timeframe.ts';
import { doubled, Moves } from './moves.ts';
import { Partials } from './partials.ts';
import type { RollupPlan } from './plan.ts';

/** See the head of this file. */
export class BarsByBucket {
  readonly partials: Partials;
  readonly #plan: RollupPlan;
  /** Per group: its row of the oldest bucket, or -1. */
  #oldest: Int32Array = new Int32Array(16).fill(-1);
  /** Bucket start of each row. */
  #start: Float64Array = new Float64Array(64);
  readonly #opens = new Moves();
  readonly #merges = new Moves();
  #bucket: Bucket = { start: 0, end: 0 };

  constructor(plan: RollupPlan) {
    this.#plan = plan;
    this.partials = new Partials(plan.slots, 64);
  }

  /** Adds the rows named, newest first; `slotFrom` says where our slots are among those of `from`. */
  add(from: Partials, rows: Int32Array, slotFrom: Int32Array): void {
    const { partials } = this;
    const opens = this.#opens;
    const merges = this.#merges;
    opens.count = 0;
    merges.count = 0;
    const firstNew = partials.length;
    for (const row of rows) {
      const group = from.group[row];
      const { start } = this.#bucketAt(from.start[row]);
      const known = group < this.#oldest.length ? this.#oldest[group] : -1;
      if (known >= 0 && this.#start[known] === start) merges.add(row, known);
      else opens.add(row, this.#open(group, start));
    }
    partials.reserve(partials.length);
    partials.copyRows(from, opens, slotFrom);
    partials.start.set(this.#start.subarray(firstNew, partials.length), firstNew);
    partials.mergeRows(from, merges, slotFrom);
  }

  #open(group: number, start: number): number {
    const row = this.partials.length++;
    if (row >= this.#start.length) {
      const larger = new Float64Array(row * 2);
      larger.set(this.#start);
      this.#start = larger;
    }
    this.#start[row] = start;
    while (group >= this.#oldest.length) {
      const { length } = this.#oldest;
      this.#oldest = doubled(this.#oldest);
      this.#oldest.fill(-1, length);
    }
    this.#oldest[group] = row;
    return row;
  }

  /** Parts that come together are mostly of one bucket. */
  #bucketAt(t: number): Bucket {
    if (t < this.#bucket.start || t >= this.#bucket.end) this.#bucket = this.#plan.bucketing.bucketOf(t);
    return this.#bucket;
  }
}
