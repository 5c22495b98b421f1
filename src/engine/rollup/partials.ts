/**
 * Partial bars: rows of accumulators, each over some of the ticks of one (group, bucket).
 *
 * Guarantee: merging is exact, associative and commutative. However the ticks of a bucket are split into
 * partial bars and in
 * whatever order those are merged, the result is the bar of all the ticks at once (sums of doubles: up to the last
 * bit of a compensated sum). That is what lets late ticks mend closed bars, levels build on levels, and memory and
 * store be added together when read.
 *
 * For that each row carries the position of its first and last tick: the tick's time, and for equal times its arrival
 * number. In memory a position is two exact doubles, compared in order:
 *
 *     t256  the time cut to a multiple of 256 ns          tie   (time mod 256 ns) × 2^44 + arrival number
 */
import type { Bucketing } from '../../market/bucketing.ts';
import type { Slot, SlotSpec } from './slots.ts';
import { createSlot, picksFirst } from './slots.ts';
import type { TickBatch } from './tick-batch.ts';
import { insideOf } from './tick-batch.ts';

/** Arrival numbers stay below this, so that a tie is an exact double. */
export const arrivalLimit = 2 ** 44;

/** See the head of this file. Row arrays are replaced when it grows: do not hold on to them. */
export class Partials {
  readonly specs: readonly SlotSpec[];
  readonly slots: Slot[];
  /** Rows in use by owners that append; owners that address rows by group leave it 0. */
  length = 0;
  capacity: number;
  group: Int32Array;
  /** Bucket start, ns as an exact double. */
  start: Float64Array;
  firstT: Float64Array;
  firstTie: Float64Array;
  lastT: Float64Array;
  lastTie: Float64Array;
  /** Ticks in the row; 0 marks an empty row. */
  rows: Float64Array;

  constructor(specs: readonly SlotSpec[], capacity: number) {
    this.specs = specs;
    this.capacity = Math.max(1, capacity);
    this.slots = specs.map((spec) => createSlot(spec, this.capacity));
    this.group = new Int32Array(this.capacity);
    this.start = new Float64Array(this.capacity);
    this.firstT = new Float64Array(this.capacity);
    this.firstTie = new Float64Array(this.capacity);
    this.lastT = new Float64Array(this.capacity);
    this.lastTie = new Float64Array(this.capacity);
    this.rows = new Float64Array(this.capacity);
  }

  /** Bytes a row takes, about. */
  get bytesPerRow(): number {
    return this.slots.reduce((bytes, slot) => bytes + slot.bytesPerRow, 52);
  }

  /** Makes room for `rows` rows at least. */
  reserve(rows: number): void {
    if (rows <= this.capacity) return;
    const capacity = Math.max(rows, this.capacity * 2);
    const group = new Int32Array(capacity);
    group.set(this.group);
    this.group = group;
    for (const name of ['start', 'firstT', 'firstTie', 'lastT', 'lastTie', 'rows'] as const) {
      const larger = new Float64Array(capacity);
      larger.set(this[name]);
      this[name] = larger;
    }
    for (const slot of this.slots) slot.grow(capacity);
    this.capacity = capacity;
  }

  /** Row `toRow` becomes a copy of another table's row; `slotFrom[i]` is the other's slot for our slot i. */
  copyRow(from: Partials, fromRow: number, toRow: number, slotFrom: Int32Array): void {
    this.group[toRow] = from.group[fromRow];
    this.start[toRow] = from.start[fromRow];
    this.firstT[toRow] = from.firstT[fromRow];
    this.firstTie[toRow] = from.firstTie[fromRow];
    this.lastT[toRow] = from.lastT[fromRow];
    this.lastTie[toRow] = from.lastTie[fromRow];
    this.rows[toRow] = from.rows[fromRow];
    for (let i = 0; i < this.slots.length; i++)
      this.slots[i].copyRow(from.slots[slotFrom[i]], fromRow, toRow);
  }

  /** Merges another table's row of the same group and bucket into row `toRow`, which is not empty. */
  mergeRow(from: Partials, fromRow: number, toRow: number, slotFrom: Int32Array): void {
    const earlier = precedes(
      from.firstT[fromRow],
      from.firstTie[fromRow],
      this.firstT[toRow],
      this.firstTie[toRow],
    );
    const later = precedes(
      this.lastT[toRow],
      this.lastTie[toRow],
      from.lastT[fromRow],
      from.lastTie[fromRow],
    );
    for (let i = 0; i < this.slots.length; i++) {
      this.slots[i].mergeRow(from.slots[slotFrom[i]], fromRow, toRow, earlier, later);
    }
    if (earlier) {
      this.firstT[toRow] = from.firstT[fromRow];
      this.firstTie[toRow] = from.firstTie[fromRow];
    }
    if (later) {
      this.lastT[toRow] = from.lastT[fromRow];
      this.lastTie[toRow] = from.lastTie[fromRow];
    }
    this.rows[toRow] += from.rows[fromRow];
  }

  /** Appends a copy of another table's row and returns its row number. */
  push(from: Partials, fromRow: number, slotFrom: Int32Array): number {
    this.reserve(this.length + 1);
    this.copyRow(from, fromRow, this.length, slotFrom);
    return this.length++;
  }
}

/** Is the position (t, tie) before the other? */
export function precedes(t: number, tie: number, otherT: number, otherTie: number): boolean {
  return t < otherT || (t === otherT && tie < otherTie);
}

/** The slots of `to` among those of `from`, by function and columns; throws where one is missing (a broken plan). */
export function slotMapping(from: readonly SlotSpec[], to: readonly SlotSpec[]): Int32Array {
  return Int32Array.from(to, (spec) => {
    const index = from.findIndex((other) => sameSlot(other, spec));
    if (index < 0) throw new Error(`BUG: slot ${spec.fn}(${spec.column}) is missing in the source rollup`);
    return index;
  });
}

/** Do two slots hold the same accumulation? */
export function sameSlot(a: SlotSpec, b: SlotSpec): boolean {
  return a.fn === b.fn && a.column === b.column && a.weight === b.weight;
}

/**
 * Folds batches of ticks into partial bars, one per (group, bucket) that follows another in the batch; a group that
 * returns to an earlier bucket gets another partial bar, which is as good, since merging is exact.
 */
export class TickFold {
  readonly partials: Partials;
  readonly #bucketing: Bucketing;
  /** Ticks left out so far: they belong to no bucket. */
  outsideCount = 0;
  /** Per group: the partial row in hand, valid when its group and batch stamp agree. */
  #rowOf = new Int32Array(16).fill(-1);
  #target = new Int32Array(0);
  #firstRow: Int32Array = new Int32Array(256);
  #lastRow: Int32Array = new Int32Array(256);
  #end: Float64Array = new Float64Array(256);

  constructor(bucketing: Bucketing, specs: readonly SlotSpec[]) {
    this.#bucketing = bucketing;
    this.partials = new Partials(specs, 256);
  }

  /**
   * Folds the batch; the result is in `partials`, rows 0 … length-1, until the next call. Ticks that belong to no
   * bucket, which a market's calendar has, are counted and left out.
   */
  fold(ticks: TickBatch): Partials {
    const { partials } = this;
    const batch = this.#bucketing.hasGaps ? insideOf(ticks, this.#bucketing) : ticks;
    this.outsideCount += ticks.count - batch.count;
    if (this.#target.length < batch.count) this.#target = new Int32Array(batch.count * 2);
    this.#assign(batch);
    const count = partials.length;
    for (const slot of partials.slots) {
      slot.clear(count);
      const first = picksFirst(slot);
      if (first === undefined) slot.fold(batch.columns, batch.count, this.#target);
      else slot.pick(batch.columns, first ? this.#firstRow : this.#lastRow, count);
    }
    this.#position(batch);
    for (let r = 0; r < count; r++) this.#rowOf[partials.group[r]] = -1;
    return partials;
  }

  /** Gives each tick its partial row and each partial row its bucket, count, first and last tick. */
  #assign(batch: TickBatch): void {
    const { group, t256, count } = batch;
    const { partials } = this;
    partials.length = 0;
    for (let i = 0; i < count; i++) {
      const g = group[i];
      const t = t256[i];
      let row = g < this.#rowOf.length ? this.#rowOf[g] : -1;
      if (row < 0 || t < partials.start[row] || t >= this.#end[row]) row = this.#open(g, t, i);
      else {
        partials.rows[row]++;
        // Arrival grows with i: an equal time is later for "last" and not earlier for "first". Times that differ
        // only below 256 ns are told apart by the full time.
        if (t > t256[this.#lastRow[row]]) this.#lastRow[row] = i;
        else if (t === t256[this.#lastRow[row]])
          this.#lastRow[row] = laterOf(batch.timesNs, this.#lastRow[row], i);
        if (t < t256[this.#firstRow[row]]) this.#firstRow[row] = i;
        else if (t === t256[this.#firstRow[row]])
          this.#firstRow[row] = earlierOf(batch.timesNs, this.#firstRow[row], i);
      }
      this.#target[i] = row;
    }
  }

  #open(group: number, t: number, tick: number): number {
    const { partials } = this;
    const row = partials.length++;
    if (row >= partials.capacity) {
      partials.reserve(row + 1);
      this.#firstRow = grownInt(this.#firstRow, partials.capacity);
      this.#lastRow = grownInt(this.#lastRow, partials.capacity);
      const ends = new Float64Array(partials.capacity);
      ends.set(this.#end);
      this.#end = ends;
    }
    if (group >= this.#rowOf.length) {
      const larger = new Int32Array((group + 1) * 2).fill(-1);
      larger.set(this.#rowOf);
      this.#rowOf = larger;
    }
    const bucket = this.#bucketOf(row, t);
    partials.group[row] = group;
    partials.start[row] = bucket.start;
    this.#end[row] = bucket.end;
    partials.rows[row] = 1;
    this.#firstRow[row] = tick;
    this.#lastRow[row] = tick;
    this.#rowOf[group] = row;
    return row;
  }

  /** Ticks of many series share their buckets: the one opened last is tried before computing. */
  #bucketOf(row: number, t: number): { start: number; end: number } {
    if (row > 0) {
      const start = this.partials.start[row - 1];
      const end = this.#end[row - 1];
      if (t >= start && t < end) return { start, end };
    }
    return this.#bucketing.bucketOf(t);
  }

  #position(batch: TickBatch): void {
    const { partials } = this;
    for (let r = 0; r < partials.length; r++) {
      const first = this.#firstRow[r];
      const last = this.#lastRow[r];
      partials.firstT[r] = batch.t256[first];
      partials.firstTie[r] = tieOf(batch, first);
      partials.lastT[r] = batch.t256[last];
      partials.lastTie[r] = tieOf(batch, last);
    }
  }
}

function tieOf(batch: TickBatch, row: number): number {
  const arrival = batch.arrivals ? batch.arrivals[row] : batch.firstArrival + row;
  return Number(batch.timesNs[row] & 255n) * arrivalLimit + arrival;
}

function laterOf(timesNs: BigInt64Array, present: number, candidate: number): number {
  return timesNs[candidate] >= timesNs[present] ? candidate : present;
}

function earlierOf(timesNs: BigInt64Array, present: number, candidate: number): number {
  return timesNs[candidate] < timesNs[present] ? candidate : present;
}

function grownInt(values: Int32Array, capacity: number): Int32Array {
  const larger = new Int32Array(capacity);
  larger.set(values);
  return larger;
}
