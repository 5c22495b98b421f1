/**
 * Time is int64 nanoseconds since the Unix epoch, UTC, held as bigint outside hot loops.
 *
 * Inside hot loops a time is two exact doubles: `t256`, the time rounded down to a multiple of 256 ns, and the rest
 * 0…255. Every bucket boundary that is a multiple of 100 ms is a multiple of 256 ns, so `t256 >= start && t256 < end`
 * decides bucket membership without a bigint. That holds for |t| < 2^61, from 1897 to 2042: ticks beyond are refused.
 */
import { CandelaError } from '../core/errors.ts';

/** Nanoseconds in a millisecond. */
export const nsPerMs = 1_000_000n;
/** Nanoseconds in a second. */
export const nsPerSecond = 1_000_000_000n;

/** Earliest and latest time accepted: 1678 to 2262, what int64 nanoseconds and DuckDB's TIMESTAMP_NS both hold. */
export const timeNsMin = -9_214_560_000_000_000_000n;
/** See {@link timeNsMin}. */
export const timeNsMax = 9_214_646_399_999_999_999n;

/** Nanoseconds of a millisecond count, which may have a fraction. */
export function nsFromMs(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * nsPerMs + BigInt(Math.round((ms - whole) * 1e6));
}

/** Milliseconds (with a fraction; exact to about a microsecond for today's dates). */
export function msFromNs(ns: bigint): number {
  const ms = ns / nsPerMs;
  return Number(ms) + Number(ns - ms * nsPerMs) / 1e6;
}

/** ISO 8601 in UTC with as many decimals as needed in groups of three: `2024-05-17T09:30:00.123Z`. */
export function formatTimeNs(ns: bigint): string {
  let seconds = ns / nsPerSecond;
  let rest = ns - seconds * nsPerSecond;
  if (rest < 0n) {
    seconds -= 1n;
    rest += nsPerSecond;
  }
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (rest === 0n) return `${base}Z`;
  let digits = rest.toString().padStart(9, '0');
  while (digits.endsWith('000')) digits = digits.slice(0, -3);
  return `${base}.${digits}Z`;
}

const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/**
 * Nanoseconds of a time written by a person or a program: ISO 8601 (`2024-05-17`, `2024-05-17 09:30:00.5`,
 * `2024-05-17T09:30:00+08:00`; UTC where no zone is given) or a Unix time whose unit follows from its size
 * (seconds up to 1e11, milliseconds to 1e14, microseconds to 1e17, nanoseconds beyond), with or without a fraction.
 * Throws `INVALID_ARGUMENT` naming the text.
 */
export function parseTimeNs(text: string | number | bigint): bigint {
  if (typeof text === 'bigint') return text;
  if (typeof text === 'number') return unixToNs(String(text), text);
  const trimmed = text.trim();
  if (/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(trimmed)) return unixToNs(trimmed, text);
  const parts = isoPattern.exec(trimmed);
  if (!parts) throw badTime(text);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = parts;
  const ms = Date.UTC(+year, +month - 1, +day, +hour, +minute, +second);
  const date = new Date(ms);
  // Date.UTC rolls 02-30 over into March; a rolled field is a mistake in the text.
  if (
    date.getUTCDate() !== +day ||
    date.getUTCMonth() !== +month - 1 ||
    +hour > 23 ||
    +minute > 59 ||
    +second > 59
  ) {
    throw badTime(text);
  }
  const ns = BigInt(ms) * nsPerMs + BigInt(fraction.padEnd(9, '0'));
  return ns - BigInt(zoneMinutes(zone)) * 60n * nsPerSecond;
}

function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const minutes = +digits.slice(0, 2) * 60 + +digits.slice(2);
  return zone.startsWith('-') ? -minutes : minutes;
}

function unixToNs(digits: string, original: string | number): bigint {
  const value = Number(digits);
  if (!Number.isFinite(value)) throw badTime(original);
  const size = Math.abs(value);
  const power = size < 1e11 ? 9 : size < 1e14 ? 6 : size < 1e17 ? 3 : 0;
  const plain = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(digits);
  // Exponents appear only where a JSON number was huge or tiny; its digits are already those of a double.
  if (!plain) return BigInt(Math.round(value * 10 ** power));
  const [, sign, whole, fraction = ''] = plain;
  const ns =
    BigInt(whole) * 10n ** BigInt(power) + BigInt(fraction.slice(0, power).padEnd(power, '0') || '0');
  return sign === '-' ? -ns : ns;
}

function badTime(text: unknown): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', `'${String(text)}' is not a time`, {
    help: 'Write ISO 8601 such as 2024-05-17T09:30:00Z, or a Unix time in s, ms, us or ns.',
  });
}

/** Each time's multiple of 256 ns below, as an exact double, and the rest (see the head of this file). */
export function splitTimes(timesNs: BigInt64Array, t256: Float64Array, rest: Uint8Array): void {
  const words = new Int32Array(timesNs.buffer, timesNs.byteOffset, timesNs.length * 2);
  const count = timesNs.length;
  for (let i = 0, w = 0; i < count; i++, w += 2) {
    const low = words[w];
    t256[i] = words[w + 1] * 4294967296 + ((low & ~255) >>> 0);
    rest[i] = low & 255;
  }
}
