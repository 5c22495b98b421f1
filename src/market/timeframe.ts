/**
 * Timeframes: the lengths of bars, and which bucket a time falls in.
 *
 * A bucket is half-open, `[start, end)`. Widths from a tenth of a second to a week are fixed and count from the
 * Unix epoch (weeks from a Monday); months and years follow the UTC calendar. Times here are the exact doubles of
 * `market/time.ts` (multiples of 256 ns), which every bucket boundary is.
 */
import { CandelaError } from '../core/errors.ts';

/** A bar length, parsed. */
export interface Timeframe {
  /** Canonical text, e.g. `1m`, `4h`, `1d`, `1w`, `1mo`, `1y`. */
  text: string;
  /** Width in nanoseconds, or the mean width for months and years: for comparing sizes. */
  widthNs: number;
  /** Calendar months, or 0 for a fixed width. */
  months: number;
}

/** A bucket: start inclusive, end exclusive, in nanoseconds as exact doubles. */
export interface Bucket {
  start: number;
  end: number;
}

const secondNs = 1e9;
const units: Record<string, { widthNs: number; months: number }> = {
  ms: { widthNs: 1e6, months: 0 },
  s: { widthNs: secondNs, months: 0 },
  m: { widthNs: 60 * secondNs, months: 0 },
  h: { widthNs: 3600 * secondNs, months: 0 },
  d: { widthNs: 86400 * secondNs, months: 0 },
  w: { widthNs: 7 * 86400 * secondNs, months: 0 },
  mo: { widthNs: 2_629_746 * secondNs, months: 1 },
  q: { widthNs: 3 * 2_629_746 * secondNs, months: 3 },
  y: { widthNs: 12 * 2_629_746 * secondNs, months: 12 },
};

/** Other spellings people and protocols use: `1Min`, `1D`, `5min`, `1 hour`, `1M` (a month), `1W`, `1 quarter`. */
const unitNames: Record<string, string> = {
  sec: 's', second: 's', seconds: 's', S: 's', Sec: 's',
  min: 'm', minute: 'm', minutes: 'm', Min: 'm', T: 'm',
  hour: 'h', hours: 'h', H: 'h', Hour: 'h',
  day: 'd', days: 'd', D: 'd', Day: 'd',
  week: 'w', weeks: 'w', W: 'w', Week: 'w',
  month: 'mo', months: 'mo', M: 'mo', Month: 'mo', mon: 'mo',
  quarter: 'q', quarters: 'q', Q: 'q',
  year: 'y', years: 'y', Y: 'y', Year: 'y',
}; // biome-ignore format: one unit a line reads as the table it is

/** Longer buckets around the epoch would begin before the earliest time there is. */
const yearsMax = 200;

/** Week buckets start on Mondays: 1970-01-05 was one. */
const weekOrigin = 4 * 86400 * secondNs;

/**
 * Parses `1s`, `30m`, `4h`, `1d`, `1w`, `1mo`, `1q` (three months), `1y` and the spellings above. Throws
 * `INVALID_ARGUMENT`.
 */
export function parseTimeframe(text: string): Timeframe {
  const parts = /^\s*(\d{1,6})\s*([A-Za-z]+)\s*$/.exec(text);
  const unitName = parts ? (unitNames[parts[2]] ?? parts[2]) : '';
  const unit = units[unitName];
  const count = parts ? Number(parts[1]) : 0;
  if (!unit || count < 1 || (unitName === 'ms' && count % 100 !== 0)) {
    throw new CandelaError('INVALID_ARGUMENT', `'${text}' is not a timeframe`, {
      help: 'Write a count and a unit: 100ms (and multiples), 1s, 5m, 4h, 1d, 1w, 1mo, 1y.',
    });
  }
  const timeframe = canonical(count, unitName, unit);
  if (timeframe.widthNs <= yearsMax * units.y.widthNs) return timeframe;
  throw new CandelaError('INVALID_ARGUMENT', `timeframe '${text}' is longer than ${yearsMax} years`);
}

function canonical(count: number, unitName: string, unit: { widthNs: number; months: number }): Timeframe {
  if (unit.months > 0) {
    const months = count * unit.months;
    const text = months % 12 === 0 ? `${months / 12}y` : `${months}mo`;
    return { text, widthNs: months * units.mo.widthNs, months };
  }
  const widthNs = count * unit.widthNs;
  // 60s and 1m are one timeframe: the largest unit that divides names it. Weeks stay weeks and days days, because
  // seven-day buckets count from the epoch and weeks from a Monday.
  const names = unitName === 'w' ? ['w'] : ['d', 'h', 'm', 's', 'ms'];
  const name = names.find((candidate) => widthNs % units[candidate].widthNs === 0) ?? unitName;
  return { text: `${widthNs / units[name].widthNs}${name}`, widthNs, months: 0 };
}

/** Does every bucket of `coarse` consist of whole buckets of `fine`? */
export function divides(fine: Timeframe, coarse: Timeframe): boolean {
  if (fine.months > 0) return coarse.months > 0 && coarse.months % fine.months === 0;
  if (coarse.months > 0) return units.d.widthNs % fine.widthNs === 0;
  if (coarse.widthNs % fine.widthNs !== 0) return false;
  // The origins must agree as well: weeks start on a Monday, 1970-01-01 was a Thursday.
  return (originOf(coarse) - originOf(fine)) % fine.widthNs === 0;
}

/** The bucket that holds time `t` (see the head of this file). */
export function bucketOf(timeframe: Timeframe, t: number): Bucket {
  if (timeframe.months > 0) return calendarBucket(timeframe.months, t);
  const { widthNs } = timeframe;
  const origin = originOf(timeframe);
  let start = Math.floor((t - origin) / widthNs) * widthNs + origin;
  // The quotient is rounded, so it may be a whole number too high or too low beside a boundary; start itself is exact.
  if (start > t) start -= widthNs;
  else if (t - start >= widthNs) start += widthNs;
  return { start, end: start + widthNs };
}

function originOf(timeframe: Timeframe): number {
  return timeframe.text.endsWith('w') ? weekOrigin : 0;
}

function calendarBucket(months: number, t: number): Bucket {
  const date = new Date(Math.floor(t / 1e6));
  const monthIndex = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
  const first = Math.floor(monthIndex / months) * months;
  return { start: monthStart(first), end: monthStart(first + months) };
}

function monthStart(monthIndex: number): number {
  return Date.UTC(1970 + Math.floor(monthIndex / 12), ((monthIndex % 12) + 12) % 12) * 1e6;
}
