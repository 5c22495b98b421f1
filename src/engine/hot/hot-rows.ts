/**
 * Hot rows: the newest rows of a table, in order of arrival, in blocks, with a chain through the rows of each series.
 *
 * ```
 *   row number   firstRow                 flushedRow              nextRow
 *                   │ in memory and store    │ in memory only        │
 *   blocks       [ 16384 rows ][ 16384 rows ][ 16384 rows ][ tail ……  ]
 *   chain of s        ●◄──────────────●◄────────●◄──────────────●  lastRow[s]
 * ```
 *
 * Row numbers count from the table's first row ever and never repeat; for ticks they are the arrival numbers. Rows are
 * never changed, so views into blocks stay valid: a series whose stored rows were amended is *forgotten*, its rows in
 * memory belong to nobody (series -1) from then on and reads go to the store. Whole flushed blocks are evicted when
 * memory is short; then `evictedMaxT[s]` says up to which time a series may have rows that are only in the store, and
 * `latestRow` of a series whose newest row goes with the block is pinned by the owner through `onEvict`.
 */
import { assert } from '../../core/assert.ts';

/** The columns of one block beyond series and time; owned by the table that uses {@link HotRows}. */
export interface BlockPayload {
  grow(capacity: number): void;
}

/** A run of consecutive rows. */
export interface HotBlock<P> {
  baseRow: number;
  length: number;
  capacity: number;
  series: Int32Array;
  /** Time cut to a multiple of 256 ns (`market/time.ts`), and the rest below that. */
  t: Float64Array;
  rest: Uint8Array;
  /** Least and greatest `t`. */
  minT: number;
  maxT: number;
  /** Rows back to the previous row of the same series; 0 where there is none in memory. */
  back: Int32Array;
  payload: P;
}

/** Rows written into one block by an append. */
export interface AppendSpan<P> {
  block: HotBlock<P>;
  /** First row of the span within the block. */
  at: number;
  /** First row of the span within what was appended. */
  from: number;
  count: number;
}

const blockRowsMax = 16_384;
const blockRowsMin = 256;

/** See the head of this file. */
export class HotRows<P extends BlockPayload> {
  blocks: HotBlock<P>[] = [];
  /** Rows below this are in the store. */
  flushedRow: number;
  nextRow: number;
  /** Per series: its newest row by arrival, or -1; may lie below `firstRow` once evicted. */
  lastRow: Float64Array = new Float64Array(16).fill(-1);
  /** Per series: its row with the greatest time (the newest of equals), or -1. */
  latestRow: Float64Array = new Float64Array(16).fill(-1);
  latestT: Float64Array = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  latestRest: Uint8Array = new Uint8Array(16);
  /**
   * Per series: the newest row that was older than another at its arrival, or -1. Later rows are in order and
   * above all before.
   */
  disorderRow: Float64Array = new Float64Array(16).fill(-1);
  /** Per series: the greatest time among its rows that are no longer in memory. */
  evictedMaxT: Float64Array = new Float64Array(16).fill(Number.NEGATIVE_INFINITY);
  readonly #makePayload: (capacity: number) => P;
  readonly #onEvict: (block: HotBlock<P>) => void;

  constructor(firstRow: number, makePayload: (capacity: number) => P, onEvict: (block: HotBlock<P>) => void) {
    this.nextRow = firstRow;
    this.flushedRow = firstRow;
    this.#makePayload = makePayload;
    this.#onEvict = onEvict;
  }

  /** Oldest row in memory. */
  get firstRow(): number {
    return this.blocks.length > 0 ? this.blocks[0].baseRow : this.nextRow;
  }

  /** Rows that only memory holds. */
  get pendingRows(): number {
    return this.nextRow - this.flushedRow;
  }

  /** Rows in memory, counting room set aside. */
  get capacityRows(): number {
    return this.blocks.reduce((rows, block) => rows + block.capacity, 0);
  }

  /** Makes room for series numbers below `count`. */
  reserveSeries(count: number): void {
    if (count <= this.lastRow.length) return;
    const capacity = Math.max(count, this.lastRow.length * 2);
    this.lastRow = grown(this.lastRow, capacity, -1);
    this.latestRow = grown(this.latestRow, capacity, -1);
    this.latestT = grown(this.latestT, capacity, Number.NEGATIVE_INFINITY);
    const latestRest = new Uint8Array(capacity);
    latestRest.set(this.latestRest);
    this.latestRest = latestRest;
    this.disorderRow = grown(this.disorderRow, capacity, -1);
    this.evictedMaxT = grown(this.evictedMaxT, capacity, Number.NEGATIVE_INFINITY);
  }

  /** Appends rows 0 … count-1 of the arrays (no `rest`: all zero); the caller then fills the payload of each span. */
  append(series: Int32Array, t: Float64Array, rest: Uint8Array | null, count: number): AppendSpan<P>[] {
    const spans: AppendSpan<P>[] = [];
    for (let from = 0; from < count; ) {
      const block = this.#tail(count - from);
      const taken = Math.min(count - from, block.capacity - block.length);
      if (rest) block.rest.set(rest.subarray(from, from + taken), block.length);
      this.#link(block, series, t, from, taken);
      spans.push({ block, at: block.length, from, count: taken });
      block.length += taken;
      this.nextRow += taken;
      from += taken;
    }
    return spans;
  }

  #link(block: HotBlock<P>, series: Int32Array, t: Float64Array, from: number, count: number): void {
    const { lastRow, latestRow, latestT, latestRest } = this;
    const at = block.length;
    let { minT, maxT } = block;
    for (let i = 0; i < count; i++) {
      const s = series[from + i];
      const row = block.baseRow + at + i;
      const time = t[from + i];
      block.series[at + i] = s;
      block.t[at + i] = time;
      if (time < minT) minT = time;
      if (time > maxT) maxT = time;
      block.back[at + i] = lastRow[s] < 0 ? 0 : Math.min(row - lastRow[s], 0x7fffffff);
      lastRow[s] = row;
      if (time > latestT[s] || (time === latestT[s] && block.rest[at + i] >= latestRest[s])) {
        latestT[s] = time;
        latestRest[s] = block.rest[at + i];
        latestRow[s] = row;
      } else this.disorderRow[s] = row;
    }
    block.minT = minT;
    block.maxT = maxT;
  }

  /** The last block, grown or followed by a new one so that it has room. */
  #tail(rowsWanted: number): HotBlock<P> {
    const last = this.blocks.at(-1);
    if (last && last.length < last.capacity) return last;
    if (last && last.capacity < blockRowsMax) {
      growBlock(last, Math.min(blockRowsMax, Math.max(last.capacity * 4, last.length + rowsWanted)));
      return last;
    }
    const capacity = last ? blockRowsMax : Math.min(blockRowsMax, Math.max(blockRowsMin, rowsWanted));
    const block: HotBlock<P> = {
      baseRow: this.nextRow,
      length: 0,
      capacity,
      series: new Int32Array(capacity),
      t: new Float64Array(capacity),
      rest: new Uint8Array(capacity),
      minT: Number.POSITIVE_INFINITY,
      maxT: Number.NEGATIVE_INFINITY,
      back: new Int32Array(capacity),
      payload: this.#makePayload(capacity),
    };
    this.blocks.push(block);
    return block;
  }

  /** The block that holds a row number, which is in memory. */
  blockOf(row: number): HotBlock<P> {
    let low = 0;
    let high = this.blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.blocks[middle].baseRow <= row) low = middle;
      else high = middle - 1;
    }
    const block = this.blocks[low];
    assert(row >= block.baseRow && row < block.baseRow + block.length, `row ${row} is not in memory`);
    return block;
  }

  /**
   * Row numbers of a series that are in memory and at least `fromRow`, newest arrival first; stops early when
   * `visit` returns false.
   */
  walk(
    series: number,
    fromRow: number,
    visit: (block: HotBlock<P>, at: number, row: number) => boolean,
  ): void {
    if (series >= this.lastRow.length) return;
    const oldest = Math.max(fromRow, this.firstRow);
    let row = this.lastRow[series];
    let index = this.blocks.length - 1;
    while (row >= oldest) {
      while (this.blocks[index].baseRow > row) index--;
      const block = this.blocks[index];
      const at = row - block.baseRow;
      if (!visit(block, at, row)) return;
      if (block.back[at] === 0) return;
      row -= block.back[at];
    }
  }

  /** The rows of these series, all of which are in the store, leave memory; `latestRow` and what belongs to it stay. */
  forget(wanted: Iterable<number>): void {
    const copied = new Set<HotBlock<P>>();
    for (const s of wanted) {
      if (s >= this.lastRow.length) continue;
      this.walk(s, 0, (block, at) => {
        if (!copied.has(block)) block.series = block.series.slice();
        copied.add(block);
        block.series[at] = -1;
        if (block.t[at] > this.evictedMaxT[s]) this.evictedMaxT[s] = block.t[at];
        return true;
      });
      this.lastRow[s] = -1;
    }
  }

  /** Drops the oldest block if all its rows are in the store; false if it may not go. */
  evictOldest(): boolean {
    const block = this.blocks[0];
    if (!block || block.baseRow + block.length > this.flushedRow) return false;
    this.#onEvict(block);
    for (let at = 0; at < block.length; at++) {
      const s = block.series[at];
      // Rows of forgotten series (-1) change nothing: there is no such entry.
      if (block.t[at] > this.evictedMaxT[s]) this.evictedMaxT[s] = block.t[at];
    }
    this.blocks.shift();
    return true;
  }
}

function growBlock<P extends BlockPayload>(block: HotBlock<P>, capacity: number): void {
  const series = new Int32Array(capacity);
  series.set(block.series);
  const t = new Float64Array(capacity);
  t.set(block.t);
  const rest = new Uint8Array(capacity);
  rest.set(block.rest);
  const back = new Int32Array(capacity);
  back.set(block.back);
  Object.assign(block, { series, t, rest, back, capacity });
  block.payload.grow(capacity);
}

function grown(values: Float64Array, capacity: number, fill: number): Float64Array {
  const larger = new Float64Array(capacity).fill(fill, values.length);
  larger.set(values);
  return larger;
}
