/**
 * Nanosecond times as two exact doubles, seconds and the nanoseconds within, to and from the 32-bit words of a
 * `BigInt64Array`: a codec's hot loop moves millions of times a second, which bigints do not.
 *
 * A word pair is little-endian (low, high), as in `market/time.ts`.
 */

/** The 32-bit words of 64-bit values, sharing their memory: row r is at 2r (low) and 2r + 1 (high). */
export function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Stores seconds × 10⁹ + nanos; seconds from 0 to 9,223,372,035, nanos from 0 to 999,999,999. */
export function putSecondsNanos(words: Int32Array, row: number, seconds: number, nanos: number): void {
  // seconds is cut at 16 bits so that every product stays below 2^53, where doubles are exact.
  const secondsHigh = Math.floor(seconds / 65536);
  const productHigh = secondsHigh * 1e9;
  const carry = Math.floor(productHigh / 65536);
  const low = (seconds - secondsHigh * 65536) * 1e9 + nanos + (productHigh - carry * 65536) * 65536;
  words[row * 2] = low;
  words[row * 2 + 1] = carry + Math.floor(low / 4294967296);
}

/** Stores a whole number within ±2^53. */
export function putInteger(words: Int32Array, row: number, value: number): void {
  words[row * 2] = value;
  words[row * 2 + 1] = Math.floor(value / 4294967296);
}

/** Whole seconds since the epoch, rounded down; {@link nanosOf} has the rest. */
export function secondsOf(words: Int32Array, row: number): number {
  const low = words[row * 2] >>> 0;
  const guess = Math.floor((words[row * 2 + 1] * 4294967296 + low) / 1e9);
  // The division is rounded, so the guess may be off by one; the true rest is below 2^31 and so exact modulo 2^32.
  const rest = restOf(low, guess);
  return rest < 0 ? guess - 1 : rest >= 1e9 ? guess + 1 : guess;
}

/** Nanoseconds, 0 to 999,999,999, past the given whole {@link secondsOf}. */
export function nanosOf(words: Int32Array, row: number, seconds: number): number {
  return restOf(words[row * 2], seconds);
}

/** (low - seconds × 10⁹) modulo 2^32, as a signed number. `imul` takes its arguments modulo 2^32. */
function restOf(low: number, seconds: number): number {
  return (low - Math.imul(seconds, 1_000_000_000)) | 0;
}
