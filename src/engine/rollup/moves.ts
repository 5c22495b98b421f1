/**
 * Moves: which rows of one table of accumulators go to which rows of another.
 *
 * Bars are copied and merged a column at a time over a list of moves, not a row at a time over all columns: each
 * column is then one tight loop over typed arrays, whatever the columns are.
 */

/** Pairs of row numbers in the order in which they are carried out. The arrays are longer than `count`. */
export class Moves {
  count = 0;
  from: Int32Array = new Int32Array(16);
  to: Int32Array = new Int32Array(16);

  /** Adds a pair. */
  add(from: number, to: number): void {
    if (this.count === this.from.length) {
      this.from = doubled(this.from);
      this.to = doubled(this.to);
    }
    this.from[this.count] = from;
    this.to[this.count] = to;
    this.count++;
  }

  /** Leaves this pair alone. */
  only(from: number, to: number): this {
    this.count = 0;
    this.add(from, to);
    return this;
  }
}

/** For moves that merge, an entry each: does the row that comes hold the earlier first, the later last tick? */
export interface MergeOrder {
  earlier: Uint8Array;
  later: Uint8Array;
}

/** Copies numbers by the moves. */
export function moveDoubles(from: Float64Array, into: Float64Array, moves: Moves): void {
  const { count, from: fromRows, to: toRows } = moves;
  for (let i = 0; i < count; i++) into[toRows[i]] = from[fromRows[i]];
}

/** Twice as long, with the values there are. */
export function doubled(values: Int32Array): Int32Array {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}
