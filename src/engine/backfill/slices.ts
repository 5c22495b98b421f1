/**
 * The past of a table cut into slices of time, newest first, of about as many rows as a page is to have. The counts
 * behind it are taken now and then and may be out of date: they say where to cut, never which rows there are.
 */
import type { Storage } from '../../storage/storage.ts';

/** The time from `fromNs` to where the slice before began, and about how many rows it has. */
export interface Slice {
  fromNs: bigint;
  rowCount: number;
}

/** From `startNs` to before `endNs`, no longer than `widthNs`. */
interface Part {
  startNs: bigint;
  endNs: bigint;
  widthNs: bigint;
  rowCount: number;
}

/** A day, and down to the least there can be: all multiples of 256 ns, as the time is where a back-fill stands. */
const widthsNs = [
  86_400_000_000_000n,
  3_600_000_000_000n,
  60_000_000_000n,
  1_000_000_000n,
  2n ** 24n,
  2n ** 16n,
  256n,
];

/** See the head of this file. */
export class Slices {
  readonly #storage: Storage;
  readonly #table: number;
  readonly #rowsMax: number;
  /** Ascending; those at the end are taken first. */
  #parts: Part[] = [];

  /** Of a physical table with series. */
  constructor(storage: Storage, table: number, rowsMax: number) {
    this.#storage = storage;
    this.#table = table;
    this.#rowsMax = rowsMax;
  }

  /** Rows that are left, about. */
  get rowCount(): number {
    return this.#parts.reduce((rows, part) => rows + part.rowCount, 0);
  }

  /** Counts what lies in the span; false if there is nothing. */
  async count(fromNs: bigint, toNs: bigint): Promise<boolean> {
    this.#parts = await this.#countParts(fromNs, toNs, widthsNs[0]);
    return this.#parts.length > 0;
  }

  async #countParts(fromNs: bigint, toNs: bigint, widthNs: bigint): Promise<Part[]> {
    const counts = await this.#storage.countByTime({
      table: this.#table,
      fromNs,
      toNs,
      widthNs,
      versionFrom: -(2n ** 63n),
      versionBelow: 2n ** 63n - 1n,
    });
    // The store's slices are whole multiples of the width; ours end where the span does.
    return counts.map(({ startNs, rowCount }) => ({
      startNs: startNs < fromNs ? fromNs : startNs,
      endNs: startNs + widthNs > toNs ? toNs : startNs + widthNs,
      widthNs,
      rowCount,
    }));
  }

  /** The next slice, or undefined when none is left. One that cannot be cut further may have more rows. */
  async take(): Promise<Slice | undefined> {
    for (;;) {
      const newest = this.#parts.at(-1);
      if (!newest) return undefined;
      const narrower = widthsNs[widthsNs.indexOf(newest.widthNs) + 1];
      if (newest.rowCount <= this.#rowsMax || narrower === undefined) return this.#joined();
      this.#parts.pop();
      this.#parts.push(...(await this.#countParts(newest.startNs, newest.endNs, narrower)));
    }
  }

  /** The newest part with as many before it as fit. */
  #joined(): Slice {
    let rowCount = 0;
    let fromNs = 0n;
    for (let part = this.#parts.at(-1); part; part = this.#parts.at(-1)) {
      if (rowCount > 0 && rowCount + part.rowCount > this.#rowsMax) break;
      rowCount += part.rowCount;
      fromNs = part.startNs;
      this.#parts.pop();
    }
    return { fromNs, rowCount };
  }
}
