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
  /** Columns to be copied: the first `#carriedCount` of either. */
  readonly #sources: Float64Array[] = [];
  readonly #targets: Float64Array[] = [];
  #carriedCount = 0;

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

  /** Another column of numbers that `carryOut` is to copy. */
  carry(from: Float64Array, into: Float64Array): void {
    this.#sources[this.#carriedCount] = from;
    this.#targets[this.#carriedCount++] = into;
  }

  /** Copies the columns that were named since the last time, four in a loop: reading the pairs costs as much again. */
  carryOut(): void {
    const from = this.#sources;
    const into = this.#targets;
    let at = 0;
    for (; at + 4 <= this.#carriedCount; at += 4) {
      const sources: Four = [from[at], from[at + 1], from[at + 2], from[at + 3]];
      moveFour(sources, [into[at], into[at + 1], into[at + 2], into[at + 3]], this);
    }
    for (; at < this.#carriedCount; at++) moveOne(from[at], into[at], this);
    this.#carriedCount = 0;
  }
}

/** For moves that merge, an entry each: does the row that comes hold the earlier first, the later last tick? */
export interface MergeOrder {
  earlier: Uint8Array;
  later: Uint8Array;
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

function moveFour([a, b, c, d]: Four, [toA, toB, toC, toD]: Four, { count, from, to }: Moves): void {
  for (let i = 0; i < count; i++) {
    const row = from[i];
    const own = to[i];
    toA[own] = a[row];
    toB[own] = b[row];
    toC[own] = c[row];
    toD[own] = d[row];
  }
}

function moveOne(source: Float64Array, target: Float64Array, { count, from, to }: Moves): void {
  for (let i = 0; i < count; i++) target[to[i]] = source[from[i]];
}

/** Twice as long, with the values there are. */
export function doubled(values: Int32Array): Int32Array {
  const larger = new Int32Array(values.length * 2);
  larger.set(values);
  return larger;
}
