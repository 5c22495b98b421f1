/**
 * Buckets in a time zone or in a market's sessions the slow and obvious way: offsets from `Intl`, sessions tried date
 * by date, sharing no code with `market/bucketing.ts` and `market/calendar`. The rules are those of docs/calendars.md.
 */
import type { NaiveBucket } from './naive-buckets.ts';
import { naiveBucket } from './naive-buckets.ts';

/** Sessions by weekday, as local minutes past midnight of their date; a zone's days are sessions of 24 hours. */
export interface NaiveMarket {
  timeZone: string;
  weekly: { weekdays: readonly number[]; sessions: readonly (readonly [open: number, close: number])[] }[];
  /** Dates without sessions, such as `2024-05-27`. */
  holidays: readonly string[];
  earlyMinutes: number;
  lateMinutes: number;
}

interface NaiveSession {
  /** Days since 1970-01-01. */
  date: number;
  open: number;
  close: number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
const offsets = new Map<string, number>();
const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time minus UTC, ms. Times before 1970 have the offset of its first day. */
function offsetMs(timeZone: string, utcMs: number): number {
  const hour = Math.floor(Math.max(utcMs, 0) / (60 * minuteMs));
  const key = `${timeZone} ${hour}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const text = formatOf(timeZone).format(hour * 60 * minuteMs);
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
  const offset = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * minuteMs : 0;
  offsets.set(key, offset);
  return offset;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  formats.set(timeZone, format);
  return format;
}

/**
 * The first time at which local clocks show this or more: of a time that happens twice the first, of one that a change
 * of the clocks skips the change, which is at a whole hour.
 */
function utcMs(timeZone: string, localMs: number): number {
  const hourMs = 60 * minuteMs;
  const [before, after] = [-dayMs, dayMs].map((by) => localMs - offsetMs(timeZone, localMs + by));
  const found = [before, after].find((utc) => utc + offsetMs(timeZone, utc) === localMs);
  if (found !== undefined) return found;
  let change = Math.floor(before / hourMs) * hourMs;
  while (offsetMs(timeZone, change - hourMs) === offsetMs(timeZone, before)) change -= hourMs;
  return change;
}

function sessionsOn(market: NaiveMarket, date: number): NaiveSession[] {
  const day = new Date(date * dayMs);
  if (market.holidays.includes(day.toISOString().slice(0, 10))) return [];
  const rule = market.weekly.find(({ weekdays }) => weekdays.includes(day.getUTCDay()));
  return (rule?.sessions ?? []).map(([open, close]) => ({
    date,
    open: utcMs(market.timeZone, date * dayMs + open * minuteMs),
    close: utcMs(market.timeZone, date * dayMs + close * minuteMs),
  }));
}

/** The session that a tick belongs to, or null: it holds it, closed just before, or opens soon. */
function sessionOf(market: NaiveMarket, ms: number): NaiveSession | null {
  const date = Math.floor((ms + offsetMs(market.timeZone, ms)) / dayMs);
  const near = [-4, -3, -2, -1, 0, 1, 2, 3, 4].flatMap((days) => sessionsOn(market, date + days));
  return (
    near.find(({ open, close }) => open <= ms && ms < close) ??
    near.findLast(({ close }) => close <= ms && ms <= close + market.lateMinutes * minuteMs) ??
    near.find(({ open }) => ms < open && open - market.earlyMinutes * minuteMs <= ms) ??
    null
  );
}

/** The bucket that a tick belongs to; null if it belongs to no session. */
export function naiveSessionBucket(
  market: NaiveMarket,
  timeframe: string,
  timeNs: bigint,
): NaiveBucket | null {
  // Whole microseconds are exact, and no edge lies within one.
  const ms = Number(timeNs / 1_000n - (timeNs < 0n && timeNs % 1_000n !== 0n ? 1n : 0n)) / 1_000;
  const session = sessionOf(market, ms);
  if (!session) return null;
  return /(?:d|w|mo|q|y)$/.test(timeframe)
    ? bucketOfDates(market, timeframe, session.date)
    : bucketWithin(session, timeframe, ms);
}

function bucketWithin({ open, close }: NaiveSession, timeframe: string, ms: number): NaiveBucket {
  const { startNs, endNs } = naiveBucket(timeframe, 0n);
  const widthMs = Number(endNs - startNs) / 1e6;
  let start = open;
  while (start + widthMs < close && start + widthMs <= ms) start += widthMs;
  return { startNs: nanos(start), endNs: nanos(Math.min(start + widthMs, close)) };
}

const bucketsOfDates = new WeakMap<NaiveMarket, Map<string, NaiveBucket>>();

/** From the first open to the last close of the dates that make the bucket. */
function bucketOfDates(market: NaiveMarket, timeframe: string, date: number): NaiveBucket {
  const dates = naiveBucket(timeframe, BigInt(date) * 86_400_000_000_000n);
  const key = `${timeframe} ${dates.startNs}`;
  const known = bucketsOfDates.get(market) ?? new Map<string, NaiveBucket>();
  bucketsOfDates.set(market, known);
  const cached = known.get(key);
  if (cached) return cached;
  const [from, to] = [dates.startNs, dates.endNs].map((ns) => Number(ns / 86_400_000_000_000n));
  const sessions = Array.from({ length: to - from }, (_, i) => sessionsOn(market, from + i)).flat();
  const bucket = { startNs: nanos(sessions[0].open), endNs: nanos(sessions[sessions.length - 1].close) };
  known.set(key, bucket);
  return bucket;
}

function nanos(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}
