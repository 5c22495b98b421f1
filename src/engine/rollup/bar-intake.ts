/**
 * How partial bars get into a rollup, and closed bars on to the levels above.
 *
 * Bars come in lists. Each is first *placed*: into the open bar of its group, into a new open bar (which closes the one
 * before), or among the closed rows as a late part. Then all that was placed is *moved* at once, column by column:
 *
 * ```
 *   from ──merges──► open ──closing──► closed rows ──► merge of every child
 *     │                                     ▲
 *     ├─────────────── late ────────────────┘
 *     └──opens─────► open                            ──► advance of every child
 * ```
 *
 * Between placing and moving a group's open bar is still the one before. So a group that has been given a new bar is
 * not placed again until that has moved: then a new round begins. Ticks in the order of time make one round a bucket,
 * whatever the number of groups.
 */
import type { Bucket } from '../../market/timeframe.ts';
import { doubled, Moves } from './moves.ts';
import type { Partials } from './partials.ts';
import type { RollupNode } from './rollup-node.ts';

/** See the head of this file. */
export class BarIntake {
  readonly #node: RollupNode;
  /** Our slots among those of what comes in. */
  readonly #slotFrom: Int32Array;
  readonly #merges = new Moves();
  readonly #opens = new Moves();
  readonly #leaving = new LeavingRows();
  readonly #whole = new Moves();
  readonly #late = new Moves();
  /** Per group the round in which it was last given a new bar; groups that `advance` must be told of. */
  #openedIn: Float64Array = new Float64Array(16);
  #touchedIn: Float64Array = new Float64Array(16);
  #touched: Int32Array = new Int32Array(16);
  #touchedCount = 0;
  #round = 1;
  #bucket: Bucket = { start: 0, end: 0 };

  constructor(node: RollupNode, slotFrom: Int32Array) {
    this.#node = node;
    this.#slotFrom = slotFrom;
  }

  /** Takes the rows named, in that order, and tells the levels above. */
  merge(from: Partials, rows: Int32Array, lsn: number): void {
    this.#reserve(this.#node.groupCount);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (this.#openedIn[from.group[row]] === this.#round) this.#move(from, lsn);
      this.#place(from, row);
    }
    this.#move(from, lsn);
  }

  #reserve(groupCount: number): void {
    if (groupCount <= this.#touched.length) return;
    const capacity = Math.max(groupCount, this.#touched.length * 2);
    // The round is above all stamps, so they may be forgotten.
    this.#openedIn = new Float64Array(capacity);
    this.#touchedIn = new Float64Array(capacity);
    this.#touched = new Int32Array(capacity);
  }

  #place(from: Partials, row: number): void {
    const { open, openEnd, lastStart } = this.#node;
    const group = from.group[row];
    const t = from.start[row];
    if (open.rows[group] > 0 && t >= open.start[group] && t < openEnd[group]) {
      this.#merges.add(row, group);
      return;
    }
    const { start } = this.#bucketAt(t);
    if (start > lastStart[group]) {
      if (open.rows[group] > 0) this.#leaving.add({ group, start: open.start[group], row: group, late: 0 });
      this.#opens.add(row, group);
      this.#openedIn[group] = this.#round;
    } else {
      this.#leaving.add({ group, start, row, late: 1 });
    }
    if (this.#touchedIn[group] === this.#round) return;
    this.#touchedIn[group] = this.#round;
    this.#touched[this.#touchedCount++] = group;
  }

  #move(from: Partials, lsn: number): void {
    const { open, openEnd, lastStart, children } = this.#node;
    const opens = this.#opens;
    if (this.#merges.count > 0) open.mergeRows(from, this.#merges, this.#slotFrom);
    this.#leave(from, lsn);
    if (opens.count > 0) open.copyRows(from, opens, this.#slotFrom);
    for (let i = 0; i < opens.count; i++) {
      const group = opens.to[i];
      const { start, end } = this.#bucketAt(open.start[group]);
      open.start[group] = start;
      openEnd[group] = end;
      lastStart[group] = start;
    }
    // A late part may have opened a bar above that had nothing yet: it ends with the bucket that we are in by now.
    for (const child of children) child.advance(this.#touched, this.#touchedCount, lastStart, lsn);
    this.#merges.count = 0;
    opens.count = 0;
    this.#touchedCount = 0;
    this.#round++;
  }

  /** Closes what of these groups ends at or before their time, here and above. */
  advance(groups: Int32Array, count: number, times: Float64Array, lsn: number): void {
    const { open, openEnd, children } = this.#node;
    for (let i = 0; i < count; i++) {
      const group = groups[i];
      if (open.rows[group] > 0 && openEnd[group] <= times[group])
        this.#leaving.add({ group, start: open.start[group], row: group, late: 0 });
    }
    this.#leave(open, lsn);
    for (const child of children) child.advance(groups, count, times, lsn);
  }

  /** Rows that leave go among the closed rows, and from there to the levels above. */
  #leave(from: Partials, lsn: number): void {
    const { open, closed, children, ownSlots } = this.#node;
    const leaving = this.#leaving;
    if (leaving.count === 0) return;
    for (const { block, at, from: first, count } of closed.append(
      leaving.group,
      leaving.start,
      null,
      leaving.count,
    )) {
      const { partials, lsn: lsns, late } = block.payload;
      this.#whole.count = 0;
      this.#late.count = 0;
      for (let i = 0; i < count; i++) {
        const isLate = leaving.late[first + i];
        (isLate === 1 ? this.#late : this.#whole).add(leaving.row[first + i], at + i);
        late[at + i] = isLate;
        lsns[at + i] = lsn;
      }
      partials.copyRows(open, this.#whole, ownSlots);
      for (let i = 0; i < this.#whole.count; i++) open.rows[this.#whole.from[i]] = 0;
      if (this.#late.count > 0) partials.copyRows(from, this.#late, this.#slotFrom);
      for (let i = 0; i < count; i++) partials.start[at + i] = leaving.start[first + i];
      for (const child of children)
        child.merge(partials, rowsSince(partials, at, at + count, child.filledFrom), lsn);
    }
    leaving.count = 0;
  }

  /** Bars that come together are mostly of one bucket. */
  #bucketAt(t: number): Bucket {
    if (t < this.#bucket.start || t >= this.#bucket.end) this.#bucket = this.#node.plan.bucketing.bucketOf(t);
    return this.#bucket;
  }
}

/** Rows `fromRow` … `toRow`-1 but those that start before the time: a back-fill will come to them. */
function rowsSince({ start }: Partials, fromRow: number, toRow: number, time: number): Int32Array {
  const rows = rowsBetween(fromRow, toRow);
  return time === Number.NEGATIVE_INFINITY ? rows : rows.filter((row) => start[row] >= time);
}

interface Leaving {
  group: number;
  /** Start of its bucket. */
  start: number;
  /** Row of the open bars, or for a late part of what came in. */
  row: number;
  late: 0 | 1;
}

/** Bars on their way to the closed rows, as columns. */
class LeavingRows {
  count = 0;
  group: Int32Array = new Int32Array(16);
  row: Int32Array = new Int32Array(16);
  start: Float64Array = new Float64Array(16);
  late: Uint8Array = new Uint8Array(16);

  add({ group, start, row, late }: Leaving): void {
    if (this.count === this.group.length) this.#grow();
    this.group[this.count] = group;
    this.row[this.count] = row;
    this.start[this.count] = start;
    this.late[this.count] = late;
    this.count++;
  }

  #grow(): void {
    this.group = doubled(this.group);
    this.row = doubled(this.row);
    const start = new Float64Array(this.count * 2);
    start.set(this.start);
    this.start = start;
    const late = new Uint8Array(this.count * 2);
    late.set(this.late);
    this.late = late;
  }
}

let rowNumbers = Int32Array.from({ length: 1024 }, (_, row) => row);

/** `fromRow`, `fromRow` + 1, … `toRow` - 1: a view that is not to be written. */
export function rowsBetween(fromRow: number, toRow: number): Int32Array {
  if (toRow > rowNumbers.length) rowNumbers = Int32Array.from({ length: toRow * 2 }, (_, row) => row);
  return rowNumbers.subarray(fromRow, toRow);
}
