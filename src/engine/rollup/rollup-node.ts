/**
 * One rollup at run time: an open bar per group, the closed bars still in memory, and the rollups built on it.
 *
 * ```
 *   ticks ──fold──► partial bars ──merge──► open 1s ──close──► closed 1s (pending, then stored)
 *                                              │ on close
 *                                              ▼
 *                                           open 1m ──close──► closed 1m …
 *                                              ▼
 *                                           open 1h …
 * ```
 *
 * - The smallest level takes the ticks; a level hands each closed bar to the next. A reader of a higher level adds the
 *   open bars of the levels below (`live`).
 * - A new bucket closes the bars of its group, at this and every level above, that end at or before its start.
 * - What arrives for a bucket that has passed is *late*: it goes, as a partial bar of its own, among the closed rows of
 *   this level and is merged with the bar by whoever reads or stores it, and it is handed on to the next level,
 * where its
 *   bucket may still be open.
 */
import type { HotBlock } from '../hot/hot-rows.ts';
import { HotRows } from '../hot/hot-rows.ts';
import { BarIntake } from './bar-intake.ts';
import { BarsByBucket } from './bars-by-bucket.ts';
import { Partials, precedes, slotMapping } from './partials.ts';
import type { RollupPlan } from './plan.ts';
import { asDoubles } from './slots.ts';

/** Closed bars of one block: whole or partial, with the log position at which each came about. */
export class ClosedPayload {
  readonly partials: Partials;
  lsn: Float64Array;
  /** 1 where the row is a late part of a bar closed before. */
  late: Uint8Array;

  constructor(plan: RollupPlan, capacity: number) {
    this.partials = new Partials(plan.slots, capacity);
    this.lsn = new Float64Array(capacity);
    this.late = new Uint8Array(capacity);
  }

  grow(capacity: number): void {
    this.partials.reserve(capacity);
    const lsn = new Float64Array(capacity);
    lsn.set(this.lsn);
    this.lsn = lsn;
    const late = new Uint8Array(capacity);
    late.set(this.late);
    this.late = late;
  }
}

/** A block of closed bars. */
export type ClosedBlock = HotBlock<ClosedPayload>;

/** See the head of this file. */
export class RollupNode {
  readonly id: number;
  readonly name: string;
  readonly plan: RollupPlan;
  /** The rollup it reads from, or null when it reads ticks. */
  readonly source: RollupNode | null;
  children: RollupNode[] = [];
  /** Row = group; `rows` 0 where no bar is open. */
  readonly open: Partials;
  openEnd: Float64Array = new Float64Array(16);
  /** Start of the newest bucket ever opened per group: what starts later is new, the rest is open or late. */
  lastStart: Float64Array = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  /** Start of the newest bucket in the store per group. */
  flushedMax: Float64Array = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  readonly closed: HotRows<ClosedPayload>;
  /** Per group its newest closed bar, once that has left the blocks; `rows` 0 where there is none. */
  readonly pinned: Partials;
  groupCount = 0;
  /** Closed rows below this have been told to subscribers. */
  publishedRow = 0;
  /**
   * Per group the bar told to subscribers as closed because time had passed, though it still stands open: start
   * and ticks then.
   */
  announcedStart: Float64Array = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  announcedTicks: Float64Array = new Float64Array(16);
  /**
   * A back-fill has come down to this time (a multiple of 256 ns): what the source gave for this time and after is in
   * our bars, and what it gives goes in as it comes; what is before is left out, for the back-fill will read it.
   * -Infinity: everything is in.
   */
  filledFrom = Number.NEGATIVE_INFINITY;
  /**
   * The horizon of the rollup's own retention, ns, as `RowTable.droppedBeforeNs`: bars that start before it are gone.
   */
  droppedBeforeNs: bigint | null = null;
  /** `filledFrom` as the store has it. */
  storedFilledFrom = Number.NEGATIVE_INFINITY;
  /** Closed bars, or parts of them, that a back-fill brought and the next flush stores: no reader looks at them. */
  history: BarsByBucket;
  /** Our slots among those of the source; of ticks, which are folded for us, our own. */
  readonly sourceSlots: Int32Array;
  /** Our slots among those of every level below: nearest first, ourselves at 0. */
  readonly levels: { node: RollupNode; slotFrom: Int32Array }[];
  readonly #intake: BarIntake;
  readonly ownSlots: Int32Array;

  constructor(id: number, name: string, plan: RollupPlan, source: RollupNode | null) {
    this.id = id;
    this.name = name;
    this.plan = plan;
    this.source = source;
    this.open = new Partials(plan.slots, 16);
    this.pinned = new Partials(plan.slots, 16);
    this.ownSlots = Int32Array.from(plan.slots, (_, index) => index);
    this.sourceSlots = source ? slotMapping(source.plan.slots, plan.slots) : this.ownSlots;
    this.history = new BarsByBucket(plan);
    this.#intake = new BarIntake(this, this.sourceSlots);
    this.levels = [];
    for (let node: RollupNode | null = this; node; node = node.source) {
      this.levels.push({ node, slotFrom: slotMapping(node.plan.slots, plan.slots) });
    }
    this.closed = new HotRows(
      0,
      (capacity) => new ClosedPayload(plan, capacity),
      (block) => this.#pin(block),
    );
  }

  /** Makes room for groups below `count`, here and above. */
  reserveGroups(count: number): void {
    if (count > this.groupCount) this.groupCount = count;
    this.open.reserve(count);
    this.pinned.reserve(count);
    this.closed.reserveSeries(count);
    if (count > this.openEnd.length) {
      const capacity = Math.max(count, this.openEnd.length * 2);
      this.openEnd = grown(this.openEnd, capacity, 0);
      this.lastStart = grown(this.lastStart, capacity, Number.NEGATIVE_INFINITY);
      this.flushedMax = grown(this.flushedMax, capacity, Number.NEGATIVE_INFINITY);
      this.announcedStart = grown(this.announcedStart, capacity, Number.NEGATIVE_INFINITY);
      this.announcedTicks = grown(this.announcedTicks, capacity, 0);
    }
    for (const child of this.children) child.reserveGroups(count);
  }

  /** Takes partial bars in the order of `rows`: of the source rollup, or of folded ticks (with our own slots). */
  merge(from: Partials, rows: Int32Array, lsn: number): void {
    this.#intake.merge(from, rows, lsn);
  }

  /** Closes what of the first `count` groups ends at or before their time (`times` by group), here and above. */
  advance(groups: Int32Array, count: number, times: Float64Array, lsn: number): void {
    this.#intake.advance(groups, count, times, lsn);
  }

  /**
   * The present bar of a group, complete with what the levels below hold open, into row `toRow` of `into` (which has
   * our slots). False if the group has no open bar.
   */
  live(group: number, into: Partials, toRow: number): boolean {
    if (group >= this.groupCount) return false;
    const holder = this.levels.find(({ node }) => node.open.rows[group] > 0);
    if (!holder) return false;
    const bucket = this.plan.bucketing.bucketOf(holder.node.open.start[group]);
    let isEmpty = true;
    for (const { node, slotFrom } of this.levels) {
      const start = node.open.start[group];
      if (node.open.rows[group] === 0 || start < bucket.start || start >= bucket.end) continue;
      if (isEmpty) into.copyRow(node.open, group, toRow, slotFrom);
      else into.mergeRow(node.open, group, toRow, slotFrom);
      isEmpty = false;
    }
    into.start[toRow] = bucket.start;
    into.group[toRow] = group;
    return !isEmpty;
  }

  /** Down to which time a back-fill of this level, or of one below, has come; -Infinity: there is none. */
  get completeFrom(): number {
    return this.levels.reduce(
      (latest, { node }) => Math.max(latest, node.filledFrom),
      Number.NEGATIVE_INFINITY,
    );
  }

  /** Per group the start of the newest bucket of the level that takes the ticks: what ends by then has closed. */
  newestStarts(): Float64Array {
    return this.levels[this.levels.length - 1].node.lastStart.slice();
  }

  /**
   * The newest closed bar of a group into row `toRow` of `into`; false if there is none. Parts that came late
   * are included.
   */
  lastClosed(group: number, into: Partials, toRow: number): boolean {
    if (group >= this.groupCount) return false;
    const newest = this.closed.latestT[group];
    let isEmpty = true;
    if (this.pinned.rows[group] > 0 && this.pinned.start[group] === newest) {
      into.copyRow(this.pinned, group, toRow, this.ownSlots);
      isEmpty = false;
    }
    this.closed.walk(group, 0, (block, at) => {
      if (block.t[at] !== newest) return true;
      if (isEmpty) into.copyRow(block.payload.partials, at, toRow, this.ownSlots);
      else into.mergeRow(block.payload.partials, at, toRow, this.ownSlots);
      isEmpty = false;
      // Rows before the whole bar are of other buckets.
      return block.payload.late[at] === 1;
    });
    return !isEmpty;
  }

  /**
   * The value of a `last` slot in the group's newest closed bar that starts before `start`: NaN if memory knows
   * none.
   */
  lastValueBefore(group: number, start: number, slot: number): number {
    if (group >= this.groupCount) return Number.NaN;
    const best = new NewestPart(start);
    if (this.pinned.rows[group] > 0) best.consider(this.pinned, group);
    this.closed.walk(group, 0, (block, at) => {
      best.consider(block.payload.partials, at);
      // Whole bars lie in ascending order: behind the first that qualifies there are only older ones.
      return block.payload.late[at] === 1 || block.t[at] >= start;
    });
    return best.partials
      ? asDoubles(best.partials.slots[slot].store(Int32Array.of(best.row))[0])[0]
      : Number.NaN;
  }

  /** Per group the newest bucket that has just been stored; -Infinity where there was none. */
  noteFlushed(newest: Float64Array): void {
    for (let group = 0; group < newest.length; group++)
      if (newest[group] > this.flushedMax[group]) this.flushedMax[group] = newest[group];
  }

  /** At recovery: the newest stored bar of a group. */
  restoreClosed(from: Partials, row: number): void {
    const group = from.group[row];
    this.reserveGroups(group + 1);
    this.pinned.copyRow(from, row, group, this.ownSlots);
    const start = from.start[row];
    this.closed.latestT[group] = start;
    this.closed.evictedMaxT[group] = start;
    this.flushedMax[group] = start;
    this.lastStart[group] = Math.max(this.lastStart[group], start);
  }

  /** At recovery: an open bar as it was flushed. */
  restoreOpen(from: Partials, row: number): void {
    const group = from.group[row];
    this.reserveGroups(group + 1);
    this.open.copyRow(from, row, group, this.ownSlots);
    this.openEnd[group] = this.plan.bucketing.bucketOf(from.start[row]).end;
    this.lastStart[group] = Math.max(this.lastStart[group], from.start[row]);
  }

  /** Keeps each group's newest closed bar when its rows leave memory. */
  #pin(block: ClosedBlock): void {
    const { partials } = block.payload;
    for (let at = 0; at < block.length; at++) {
      const group = block.series[at];
      if (block.t[at] !== this.closed.latestT[group]) continue;
      const isSame = this.pinned.rows[group] > 0 && this.pinned.start[group] === block.t[at];
      if (isSame) this.pinned.mergeRow(partials, at, group, this.ownSlots);
      else this.pinned.copyRow(partials, at, group, this.ownSlots);
    }
  }
}

/** Of several parts of bars: the one with the newest bucket before `start`, and in it the latest last tick. */
class NewestPart {
  readonly #start: number;
  partials: Partials | undefined;
  row = -1;

  constructor(start: number) {
    this.#start = start;
  }

  consider(partials: Partials, row: number): void {
    if (partials.start[row] >= this.#start) return;
    if (!this.partials || this.#isNewer(this.partials, partials, row)) {
      this.partials = partials;
      this.row = row;
    }
  }

  #isNewer(best: Partials, partials: Partials, row: number): boolean {
    const difference = partials.start[row] - best.start[this.row];
    if (difference !== 0) return difference > 0;
    return precedes(best.lastT[this.row], best.lastTie[this.row], partials.lastT[row], partials.lastTie[row]);
  }
}

function grown(values: Float64Array, capacity: number, fill: number): Float64Array {
  const larger = new Float64Array(capacity).fill(fill, values.length);
  larger.set(values);
  return larger;
}
