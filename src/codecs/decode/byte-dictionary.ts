import { randomInt } from 'node:crypto';

/** Where hashing starts: drawn per process, so that nobody can prepare strings that all collide. */
const hashSeed = randomInt(2 ** 32) | 0;

/**
 * Numbers the distinct byte strings of a text column, making each into a JavaScript string once. Open addressing over
 * FNV-1a; the keys' bytes lie one after another in an arena of the dictionary's own.
 */
export class ByteDictionary {
  readonly strings: string[];
  #slots: Int32Array = new Int32Array(256).fill(-1);
  #hashes: Int32Array = new Int32Array(128);
  #codes: Int32Array = new Int32Array(128);
  #ends: Int32Array = new Int32Array(128);
  #count = 0;
  #arena = Buffer.alloc(2048);

  /** New strings are pushed to `strings`, which others may push to as well. */
  constructor(strings: string[]) {
    this.strings = strings;
  }

  /** Index in `strings` of the UTF-8 text at `start` (inclusive) to `end` (exclusive). */
  codeOf(bytes: Uint8Array, start: number, end: number): number {
    let hash = hashSeed;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let entry = slots[slot]; entry >= 0; entry = slots[slot]) {
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) return this.#codes[entry];
      slot = (slot + 1) & mask;
    }
    return this.#add(slot, hash, bytes, start, end);
  }

  #equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = entry === 0 ? 0 : this.#ends[entry - 1];
    if (this.#ends[entry] - from !== end - start) return false;
    const arena = this.#arena;
    for (let i = start, k = from; i < end; i++, k++) if (arena[k] !== bytes[i]) return false;
    return true;
  }

  #add(slot: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const entry = this.#count++;
    if (entry === this.#ends.length) this.#growEntries();
    const from = entry === 0 ? 0 : this.#ends[entry - 1];
    const until = from + end - start;
    if (until > this.#arena.length) this.#arena = Buffer.concat([this.#arena], Math.max(until, from * 2));
    this.#arena.set(bytes.subarray(start, end), from);
    this.#ends[entry] = until;
    this.#hashes[entry] = hash;
    this.#codes[entry] = this.strings.push(this.#arena.toString('utf8', from, until)) - 1;
    this.#slots[slot] = entry;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return this.#codes[entry];
  }

  #growEntries(): void {
    this.#hashes = doubled(this.#hashes);
    this.#codes = doubled(this.#codes);
    this.#ends = doubled(this.#ends);
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const mask = slots.length - 1;
    for (let entry = 0; entry < this.#count; entry++) {
      const hash = this.#hashes[entry];
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] >= 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
