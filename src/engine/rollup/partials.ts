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
import { createSlot } from './create-slot.ts';
import { type MergeOrder, Moves } from './moves.ts';
import type { Slot, SlotSpec } from './slots.ts';

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

  /** Rows become copies of another table's rows; `slotFrom[i]` is the other's slot for our slot i. */
  copyRows(from: Partials, moves: Moves, slotFrom: Int32Array): void {
    for (let i = 0; i < moves.count; i++) this.group[moves.to[i]] = from.group[moves.from[i]];
    moves.carry(from.start, this.start);
    moves.carry(from.firstT, this.firstT);
    moves.carry(from.firstTie, this.firstTie);
    moves.carry(from.lastT, this.lastT);
    moves.carry(from.lastTie, this.lastTie);
    moves.carry(from.rows, this.rows);
    for (let i = 0; i < this.slots.length; i++) this.slots[i].copyRows(from.slots[slotFrom[i]], moves);
    moves.carryOut();
  }

  /** Merges another table's rows, each of the same group and bucket, into rows that are not empty. */
  mergeRows(from: Partials, moves: Moves, slotFrom: Int32Array): void {
    const order = this.#mergePositions(from, moves);
    for (let i = 0; i < this.slots.length; i++)
      this.slots[i].mergeRows(from.slots[slotFrom[i]], moves, order);
  }

  /** Merges the counts and the positions of first and last ticks; says whose they were. */
  #mergePositions(from: Partials, { count, from: fromRows, to }: Moves): MergeOrder {
    const order = orderFor(count);
    const { firstT, firstTie, lastT, lastTie, rows } = this;
    for (let i = 0; i < count; i++) {
      const row = fromRows[i];
      const own = to[i];
      const isEarlier = precedes(from.firstT[row], from.firstTie[row], firstT[own], firstTie[own]);
      const isLater = precedes(lastT[own], lastTie[own], from.lastT[row], from.lastTie[row]);
      order.earlier[i] = isEarlier ? 1 : 0;
      order.later[i] = isLater ? 1 : 0;
      if (isEarlier) {
        firstT[own] = from.firstT[row];
        firstTie[own] = from.firstTie[row];
      }
      if (isLater) {
        lastT[own] = from.lastT[row];
        lastTie[own] = from.lastTie[row];
      }
      rows[own] += from.rows[row];
    }
    return order;
  }

  /** Copies one row; see `copyRows`. */
  copyRow(from: Partials, fromRow: number, toRow: number, slotFrom: Int32Array): void {
    this.copyRows(from, oneMove.only(fromRow, toRow), slotFrom);
  }

  /** Merges one row; see `mergeRows`. */
  mergeRow(from: Partials, fromRow: number, toRow: number, slotFrom: Int32Array): void {
    this.mergeRows(from, oneMove.only(fromRow, toRow), slotFrom);
  }

  /** Appends a copy of another table's row and returns its row number. */
  push(from: Partials, fromRow: number, slotFrom: Int32Array): number {
    this.reserve(this.length + 1);
    this.copyRow(from, fromRow, this.length, slotFrom);
    return this.length++;
  }
}

/** For the calls that move a single row: they finish before anyone else can want it. */
const oneMove = new Moves();

/** Scratch for one merge, shared for the same reason. */
let sharedOrder: MergeOrder = { earlier: new Uint8Array(1024), later: new Uint8Array(1024) };

function orderFor(count: number): MergeOrder {
  if (sharedOrder.earlier.length < count)
    sharedOrder = { earlier: new Uint8Array(count * 2), later: new Uint8Array(count * 2) };
  return sharedOrder;
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
