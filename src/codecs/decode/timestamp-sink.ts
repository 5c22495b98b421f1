import { CandelaError } from '../../core/errors.ts';
import type { TimestampColumn } from '../../market/columns.ts';
import { parseTimeNs, timeNsMax, timeNsMin } from '../../market/time.ts';
import { putSecondsNanos, wordsOf } from '../time-words.ts';
import type { JsonReader } from './json-reader.ts';
import { ColumnSink, enlarged, enlargedNulls, quote, type Refusal, trimNulls } from './sink.ts';

/** Times in every form `parseTimeNs` knows. A whole Unix time, number or string, takes a short cut. */
export class TimestampSink extends ColumnSink<TimestampColumn> {
  protected readonly wanted = 'a time';
  #values = new BigInt64Array(0);
  #words: Int32Array = new Int32Array(0);
  #nulls: Uint8Array = new Uint8Array(0);

  override putNumber(row: number, reader: JsonReader): Refusal {
    return this.putBytes(row, reader.bytes, reader.start, reader.end);
  }

  override putBytes(row: number, bytes: Buffer, start: number, end: number): Refusal {
    if (!putUnixDigits(this.#words, row, bytes, start, end)) {
      return this.putText(row, bytes.toString('utf8', start, end));
    }
    this.#nulls[row] = 0;
    return null;
  }

  override putText(row: number, text: string): Refusal {
    try {
      const value = parseTimeNs(text);
      if (value < timeNsMin || value > timeNsMax) return `${quote(text)} is outside the years 1678 to 2261`;
      this.#values[row] = value;
      this.#nulls[row] = 0;
      return null;
    } catch (error) {
      if (error instanceof CandelaError) return `${quote(text)} is not a time`;
      throw error;
    }
  }

  protected override grow(capacity: number): void {
    this.#values = enlarged(this.#values, capacity);
    this.#words = wordsOf(this.#values);
    this.#nulls = enlargedNulls(this.#nulls, capacity);
  }

  override finish(rowCount: number): TimestampColumn {
    return {
      kind: 'timestamp',
      values: this.#values.subarray(0, rowCount),
      nulls: trimNulls(this.#nulls, rowCount),
    };
  }

  override repeatFirst(rowCount: number): void {
    this.#values.fill(this.#values[0], 1, rowCount);
    this.#nulls.fill(this.#nulls[0], 1, rowCount);
  }
}

/** Later seconds, and so whatever may leave the accepted years, go the long way. */
const secondsMax = 9_200_000_000;

/** Stores a Unix time written in 1 to 19 digits, its unit by its size as in `parseTimeNs`; false for any other text. */
function putUnixDigits(words: Int32Array, row: number, bytes: Buffer, start: number, end: number): boolean {
  if (start === end || end - start > 19) return false;
  const middle = Math.max(start, end - 9);
  const high = digitsOf(bytes, start, middle);
  const low = digitsOf(bytes, middle, end);
  if (high < 0 || low < 0) return false;
  let seconds = high;
  let nanos = low;
  if (high < 100) {
    seconds = high * 1e9 + low;
    nanos = 0;
  } else if (high < 100_000) {
    const value = high * 1e9 + low;
    seconds = Math.floor(value / 1000);
    nanos = (value - seconds * 1000) * 1e6;
  } else if (high < 100_000_000) {
    const whole = Math.floor(low / 1e6);
    seconds = high * 1000 + whole;
    nanos = (low - whole * 1e6) * 1000;
  }
  if (seconds >= secondsMax) return false;
  putSecondsNanos(words, row, seconds, nanos);
  return true;
}

/** The number those bytes spell, or -1 when one is not a digit. */
function digitsOf(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at] - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
