import type { TimestampColumn } from '../../market/columns.ts';
import { formatTimeNs } from '../../market/time.ts';
import { nanosOf, secondsOf, wordsOf } from '../time-words.ts';

/**
 * How times are written: `iso` as `2024-05-17T09:30:00.123Z`, the others as Unix times with as many decimals as
 * it takes.
 * `ns` needs more digits than a JSON number keeps, so JSON holds it as a string.
 */
export type TimeFormat = 'iso' | 's' | 'ms' | 'us' | 'ns';

/** Makes a function that writes the time of a row, which is not null, without quotes. */
export function timeWriter(column: TimestampColumn, format: TimeFormat): (row: number) => string {
  const words = wordsOf(column.values);
  const writeUnix = unixWriters[format];
  if (!writeUnix) return isoWriter(words);
  return (row) => {
    const seconds = secondsOf(words, row);
    // Before 1970 the fraction counts the other way, in the first second there are leading zeros: both are rare.
    if (seconds <= 0) return slowUnixText(column.values[row], format);
    return writeUnix(seconds, nanosOf(words, row, seconds));
  };
}

const unixWriters: Record<TimeFormat, ((seconds: number, nanos: number) => string) | null> = {
  iso: null,
  s: (seconds, nanos) => withFraction(seconds, nanos, 9),
  ms: (seconds, nanos) => {
    const ms = Math.floor(nanos / 1e6);
    return withFraction(seconds * 1000 + ms, nanos - ms * 1e6, 6);
  },
  us: (seconds, nanos) => {
    const us = Math.floor(nanos / 1e3);
    return withFraction(seconds * 1e6 + us, nanos - us * 1e3, 3);
  },
  ns: (seconds, nanos) => `${seconds}${padded(nanos, 9)}`,
};

/** Decimals each format has at most. */
const fractionDigits: Record<TimeFormat, number> = { iso: 9, s: 9, ms: 6, us: 3, ns: 0 };

function slowUnixText(ns: bigint, format: TimeFormat): string {
  const digits = fractionDigits[format];
  const size = ns < 0n ? -ns : ns;
  const unit = 10n ** BigInt(digits);
  return (ns < 0n ? '-' : '') + withFraction(size / unit, Number(size % unit), digits);
}

function withFraction(whole: number | bigint, rest: number, digits: number): string {
  return rest === 0 ? `${whole}` : `${whole}.${padded(rest, digits).replace(/0+$/, '')}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

/** `00` to `59`. */
const twoDigits = Array.from({ length: 60 }, (_, value) => padded(value, 2));

/** The same text as `formatTimeNs`; the date is worked out once a day's run of rows. */
function isoWriter(words: Int32Array): (row: number) => string {
  let dayStart = Number.NaN;
  let date = '';
  return (row) => {
    const seconds = secondsOf(words, row);
    let inDay = seconds - dayStart;
    if (!(inDay >= 0 && inDay < 86400)) {
      dayStart = Math.floor(seconds / 86400) * 86400;
      inDay = seconds - dayStart;
      date = formatTimeNs(BigInt(dayStart) * 1_000_000_000n).slice(0, 11);
    }
    const hour = Math.floor(inDay / 3600);
    const minute = Math.floor((inDay - hour * 3600) / 60);
    const clock = `${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[inDay - hour * 3600 - minute * 60]}`;
    return `${date}${clock}${isoFraction(nanosOf(words, row, seconds))}Z`;
  };
}

/** Three, six or nine decimals, or none. */
function isoFraction(nanos: number): string {
  if (nanos === 0) return '';
  if (nanos % 1e6 === 0) return `.${padded(nanos / 1e6, 3)}`;
  if (nanos % 1e3 === 0) return `.${padded(nanos / 1e3, 6)}`;
  return `.${padded(nanos, 9)}`;
}
