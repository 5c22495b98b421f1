import { CandelaError } from '../../core/errors.ts';
import type { TimestampColumn } from '../../market/columns.ts';
import { parseTimeNs, timeNsMax, timeNsMin } from '../../market/time.ts';
import { putSecondsNanos, wordsOf } from '../time-words.ts';
import { minuteLength, nanosPastMinute } from './iso-tail.ts';
import type { JsonReader } from './json-reader.ts';
import { ColumnSink, enlarged, enlargedNulls, quote, type Refusal, trimNulls } from './sink.ts';

/**
 * Times in every form `parseTimeNs` knows. Two take a short cut: a Unix time without exponent, number or string, and an
 * ISO time in UTC within the minute of the one before.
 */
export class TimestampSink extends ColumnSink<TimestampColumn> {
  protected readonly wanted = 'a time';
  #values = new BigInt64Array(0);
  #words: Int32Array = new Int32Array(0);
  #nulls: Uint8Array = new Uint8Array(0);
  /** The minute of the last ISO time in UTC, as it was written and in seconds since the epoch. */
  #minute = '';
  #minuteSeconds = 0;

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
    const past = nanosPastMinute(text);
    if (past < 0 || this.#minute === '' || !text.startsWith(this.#minute))
      return this.#putSlow(row, text, past);
    const seconds = Math.floor(past / 1e9);
    putSecondsNanos(this.#words, row, this.#minuteSeconds + seconds, past - seconds * 1e9);
    this.#nulls[row] = 0;
    return null;
  }

  #putSlow(row: number, text: string, past: number): Refusal {
    try {
      const value = parseTimeNs(text);
      if (value < timeNsMin || value > timeNsMax) return `${quote(text)} is outside the years 1678 to 2261`;
      this.#values[row] = value;
      this.#nulls[row] = 0;
      if (past >= 0 && value >= 0n && value < BigInt(secondsMax) * 1_000_000_000n) {
        this.#minute = text.slice(0, minuteLength);
        this.#minuteSeconds = Number((value - BigInt(past)) / 1_000_000_000n);
      }
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

/**
 * Stores a Unix time written in 1 to 19 digits, with or without a fraction, its unit by its size as in `parseTimeNs`;
 * false for any other text.
 */
function putUnixDigits(words: Int32Array, row: number, bytes: Buffer, start: number, end: number): boolean {
  let point = start;
  while (point < end && bytes[point] !== 0x2e) point++;
  if (start === point || point - start > 19) return false;
  const middle = Math.max(start, point - 9);
  const high = digitsOf(bytes, start, middle);
  const low = digitsOf(bytes, middle, point);
  if (high < 0 || low < 0) return false;
  let seconds = high;
  let nanos = low;
  let fractionDigits = 0;
  if (high < 100) {
    seconds = high * 1e9 + low;
    nanos = 0;
    fractionDigits = 9;
  } else if (high < 100_000) {
    const value = high * 1e9 + low;
    seconds = Math.floor(value / 1000);
    nanos = (value - seconds * 1000) * 1e6;
    fractionDigits = 6;
  } else if (high < 100_000_000) {
    const whole = Math.floor(low / 1e6);
    seconds = high * 1000 + whole;
    nanos = (low - whole * 1e6) * 1000;
    fractionDigits = 3;
  }
  if (seconds >= secondsMax) return false;
  if (point < end) {
    const fraction = fractionOf(bytes, point + 1, end, fractionDigits);
    if (fraction < 0) return false;
    nanos += fraction;
  }
  putSecondsNanos(words, row, seconds, nanos);
  return true;
}

/** The first `count` digits after the decimal point as a whole number, missing ones 0; -1 for anything but digits. */
function fractionOf(bytes: Buffer, start: number, end: number, count: number): number {
  if (start === end) return -1;
  let value = 0;
  for (let place = 0; place < count || start + place < end; place++) {
    const at = start + place;
    const digit = at < end ? bytes[at] - 0x30 : 0;
    if (digit < 0 || digit > 9) return -1;
    if (place < count) value = value * 10 + digit;
  }
  return value;
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
