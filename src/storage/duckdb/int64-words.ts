/**
 * Bulk conversions between the engine's int64 columns and DuckDB's, on 32-bit halves: a BigInt64Array divided row by
 * row makes a bigint each time and runs some thirty times slower. The machine is little-endian (all that DuckDB and
 * Node support are), so word 2i is the low and word 2i + 1 the high half of value i.
 *
 * ```
 * ns = hi · 2³² + lo      µs = ⌊hi / 1000⌋ · 2³² + ⌊((hi mod 1000) · 2³² + lo) / 1000⌋
 * ```
 * Every intermediate stays below 2⁵³, so doubles hold it exactly.
 */

const twoTo32 = 4294967296;

/** The 32-bit halves of a column of 64-bit values, sharing its memory. */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Nanoseconds of rows `from` … `from + count` to whole microseconds (rounded down) at the start of `into`. */
export function nsToUs(valuesNs: BigInt64Array, from: number, count: number, into: BigInt64Array): void {
  const source = wordsOf(valuesNs);
  const target = wordsOf(into);
  for (let i = 0, w = from * 2; i < count; i++, w += 2) {
    const high = source[w + 1];
    const highQuotient = Math.floor(high / 1000);
    const rest = (high - highQuotient * 1000) * twoTo32 + (source[w] >>> 0);
    target[2 * i] = Math.floor(rest / 1000);
    target[2 * i + 1] = highQuotient;
  }
}

/** Multiplies each of `values` in place: microseconds to nanoseconds with factor 1000. The factor is at most 10⁶. */
export function scaleInPlace(values: BigInt64Array, factor: number): void {
  const words = wordsOf(values);
  for (let w = 0; w < words.length; w += 2) {
    const low = (words[w] >>> 0) * factor;
    const carry = Math.floor(low / twoTo32);
    words[w] = low - carry * twoTo32;
    words[w + 1] = words[w + 1] * factor + carry;
  }
}

/** The low halves of rows `from` … `from + count`: int64 values known to fit 32 bits. */
export function narrowToInt32(values: BigInt64Array, from: number, count: number, into: Int32Array): void {
  const words = wordsOf(values);
  for (let i = 0, w = from * 2; i < count; i++, w += 2) into[i] = words[w];
}

/** Sign-extends `source` into `into` starting at row `at`. */
export function widenFromInt32(
  source: Int32Array | Int16Array | Int8Array,
  into: BigInt64Array,
  at: number,
): void {
  const words = wordsOf(into);
  for (let i = 0, w = at * 2; i < source.length; i++, w += 2) {
    words[w] = source[i];
    words[w + 1] = source[i] >> 31;
  }
}
