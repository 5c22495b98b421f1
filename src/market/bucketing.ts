/**
 * Which bucket a time falls in: of a timeframe alone, in a time zone, or in a market's sessions.
 *
 * - *Plain* (no zone, no calendar, weeks from Monday): `market/timeframe.ts`; widths count from the epoch, in UTC.
 * - *Zone*: days, weeks, months and years begin at local midnight. Widths below a day count from each local midnight,
 *   in elapsed time; the last bucket of a day ends with it, so on a day when the clocks change it may be short.
 * - *Calendar*: widths below a day count from the open of each session (09:30, 10:30 …); the last bucket of a session
 *   ends with it, and no such bucket spans a break. Days and longer units hold whole session dates: they begin at the
 *   open of the first session in them and end at the close of the last, breaks and nights between included.
 *
 * ```
 *   XSHG, 1h   [09:30 10:30) [10:30 11:30)   [13:00 14:00) [14:00 15:00)      1d   [09:30 15:00)
 *   XNYS, 1h   [09:30 10:30) … [15:30 16:00)                                  CME, 1d   [17:00 the day before, 17:00)
 * ```
 *
 * Several days or weeks to a bucket (3d, 2w) count dates from 1970-01-01, weeks from the first week start after it,
 * months and years from 1970, sessions or not. Times are ns as exact doubles (`market/time.ts`).
 */
import { CandelaError } from '../core/errors.ts';
import type { Calendar, Session } from './calendar/calendar.ts';
import { createCalendar, zoneDays } from './calendar/calendar.ts';
import type { CalendarDef } from './calendar/calendar-def.ts';
import { weekdayNames } from './calendar/calendar-def.ts';
import { shippedCalendar } from './calendar/shipped.ts';
import { zoneNamed } from './calendar/zone.ts';
import type { Bucket, Timeframe } from './timeframe.ts';
import { bucketOf, divides as dividesPlainly, parseTimeframe } from './timeframe.ts';

/** A day that weeks can start with. */
export type WeekStart = 'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday';

/** What decides where buckets lie besides the timeframe. */
export interface BucketingOptions {
  /** IANA name. Default UTC, or the calendar's zone; with a calendar no other may be given. */
  timeZone?: string;
  /** Name of a calendar we ship (XSHG, XHKG, XNYS, CMES, 24x7), or a calendar of one's own. */
  calendar?: string | CalendarDef;
  /** Default `monday`. */
  weekStart?: WeekStart;
}

/** The buckets of one timeframe; see the head of this file. */
export interface Bucketing {
  timeframe: Timeframe;
  options: BucketingOptions;
  /** Equal for bucketings with the same buckets. */
  key: string;
  /** For messages: `1d`, `1d in Europe/London`, `1d of XNYS`. */
  label: string;
  /** Are there ticks that belong to no bucket (see `holds`)? */
  hasGaps: boolean;
  /** Sessions, or local days; null when plain. */
  sessions: Calendar | null;
  /** The bucket that the time belongs to, or, where it belongs to none, the next one. Do not change it. */
  bucketOf(t: number): Bucket;
  /** Does a tick of that time belong to a bucket? */
  holds(t: number): boolean;
  /** The bucket after the one that starts at `start`. */
  next(start: number): Bucket;
  /** The bucket before the one that starts at `start`; undefined where a calendar has none for ten years. */
  previous(start: number): Bucket | undefined;
}

const dayNs = 86_400e9;
/** 1970-01-01 was a Thursday. */
const epochWeekday = 4;
const utcNames = new Set(['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT']);
const calendars = new Map<string, Calendar>();
const ownCalendars = new WeakMap<CalendarDef, Calendar>();

/** The buckets of a timeframe (text such as `1d`, or parsed). Throws `INVALID_ARGUMENT` naming the option at fault. */
export function createBucketing(timeframe: string | Timeframe, options: BucketingOptions = {}): Bucketing {
  const parsed = typeof timeframe === 'string' ? parseTimeframe(timeframe) : timeframe;
  const weekStart = weekStartOf(options.weekStart);
  const sessions = sessionsFor(options, weekStart !== 1);
  if (sessions && !isDated(parsed) && parsed.widthNs > dayNs)
    throw new CandelaError('INVALID_ARGUMENT', `${parsed.text} does not fit the days of ${sessions.name}`, {
      help: 'In a time zone or a calendar use widths up to a day, or whole days, weeks, months and years.',
    });
  return sessions ? inSessions(parsed, options, sessions, weekStart) : plain(parsed, options);
}

/** Only the options, of something that has them among others. */
export function bucketingOptions({ timeZone, calendar, weekStart }: BucketingOptions): BucketingOptions {
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(calendar === undefined ? {} : { calendar }),
    ...(weekStart === undefined ? {} : { weekStart }),
  };
}

/** The same zone, calendar and week start with another timeframe. */
export function withTimeframe(bucketing: Bucketing, timeframe: Timeframe): Bucketing {
  return createBucketing(timeframe, bucketing.options);
}

/** Does every bucket of `coarse` consist of whole buckets of `fine`, and hold the ticks that those hold? */
export function divides(fine: Bucketing, coarse: Bucketing): boolean {
  const [a, b] = [fine.timeframe, coarse.timeframe];
  if (!fine.sessions && !coarse.sessions) return dividesPlainly(a, b);
  if (!coarse.sessions || coarse.hasGaps !== fine.hasGaps) return false;
  if (fine.sessions) {
    if (sessionsKey(fine) !== sessionsKey(coarse)) return false;
    if (!isDated(a)) return isDated(b) || b.widthNs % a.widthNs === 0;
    return isDated(b) && dividesDates(fine, coarse);
  }
  // Buckets in UTC within those of a zone: the zone's midnights must be boundaries of theirs.
  if (coarse.options.calendar !== undefined || a.months > 0 || dayNs % a.widthNs !== 0) return false;
  const isAligned = coarse.sessions.zone.offsets().every((offsetMs) => (offsetMs * 1e6) % a.widthNs === 0);
  return isAligned && (isDated(b) || b.widthNs % a.widthNs === 0);
}

/** At the most so many buckets of `fine` lie in one of `coarse`, which they divide. */
export function bucketsWithin(fine: Bucketing, coarse: Bucketing): number {
  const ratio = (coarse.timeframe.widthNs / fine.timeframe.widthNs) * 1.1;
  // Days with a change of the clocks are longer, and each session may end with a bucket cut short.
  const days = Math.max(1, coarse.timeframe.widthNs / dayNs) * 1.1;
  return Math.ceil(ratio + (fine.sessions ? days * fine.sessions.sessionsPerDateMax : 0));
}

function plain(timeframe: Timeframe, options: BucketingOptions): Bucketing {
  let last: Bucket = { start: 0, end: 0 };
  const find = (t: number): Bucket => {
    if (t < last.start || t >= last.end) last = bucketOf(timeframe, t);
    return last;
  };
  return {
    timeframe,
    options,
    key: timeframe.text,
    label: timeframe.text,
    hasGaps: false,
    sessions: null,
    bucketOf: find,
    holds: () => true,
    next: (start) => find(find(start).end),
    previous: (start) => find(start - 256),
  };
}

function inSessions(
  timeframe: Timeframe,
  options: BucketingOptions,
  sessions: Calendar,
  weekStart: number,
): Bucketing {
  const bucketIn = isDated(timeframe) ? byDates(timeframe, sessions, weekStart) : byWidth(timeframe.widthNs);
  let last: Bucket = { start: 0, end: 0 };
  const find = (t: number): Bucket => {
    if (t >= last.start && t < last.end) return last;
    const session = sessions.sessionOf(t) ?? sessions.sessionEndingAfter(t);
    last = bucketIn(session, t);
    return last;
  };
  const next = (start: number): Bucket => {
    const { end } = find(start);
    const session = sessions.sessionEndingAfter(end);
    return bucketIn(session, Math.max(end, session.open));
  };
  const previous = (start: number): Bucket | undefined => {
    const session = sessions.sessionEndingAfter(start);
    if (start > session.open && !isDated(timeframe)) return bucketIn(session, start - 256);
    const closed = sessions.sessionClosedBy(start);
    return closed && bucketIn(closed, closed.close - 256);
  };
  return {
    timeframe,
    options,
    key: `${timeframe.text} ${sessionsKeyOf(options, sessions)} ${weekStart}`,
    label: `${timeframe.text} ${options.calendar === undefined ? 'in' : 'of'} ${sessions.name}`,
    hasGaps: sessions.hasGaps,
    sessions,
    bucketOf: find,
    holds: (t) => !sessions.hasGaps || sessions.sessionOf(t) !== null,
    next,
    previous,
  };
}

type BucketIn = (session: Session, t: number) => Bucket;

/** Buckets of a width below a day, from the session's open on. */
function byWidth(widthNs: number): BucketIn {
  return ({ open, close }, t) => {
    // Ticks before the open belong to the first bucket, ticks from the close on to the last.
    const within = Math.min(Math.max(t, open), close - 256) - open;
    const start = open + Math.floor(within / widthNs) * widthNs;
    return { start, end: Math.min(start + widthNs, close) };
  };
}

/** Buckets of whole session dates. */
function byDates(timeframe: Timeframe, sessions: Calendar, weekStart: number): BucketIn {
  const known = new Map<number, Bucket>();
  return ({ date }) => {
    const { from, to } = datesOf(timeframe, weekStart, date);
    const cached = known.get(from);
    if (cached) return cached;
    if (known.size >= 4_096) known.clear();
    const bucket = { start: firstOpen(sessions, from, to), end: lastClose(sessions, from, to) };
    known.set(from, bucket);
    return bucket;
  };
}

function firstOpen(sessions: Calendar, from: number, to: number): number {
  for (let date = from; date < to; date++) {
    const [first] = sessions.sessionsOn(date);
    if (first) return first.open;
  }
  throw new Error('BUG: no session in the dates of a session');
}

function lastClose(sessions: Calendar, from: number, to: number): number {
  for (let date = to - 1; date >= from; date--) {
    const last = sessions.sessionsOn(date).at(-1);
    if (last) return last.close;
  }
  throw new Error('BUG: no session in the dates of a session');
}

/** The dates, `from` ≤ d < `to`, of the bucket that holds a date. */
function datesOf(timeframe: Timeframe, weekStart: number, date: number): { from: number; to: number } {
  if (timeframe.months === 0) {
    const days = timeframe.widthNs / dayNs;
    const origin = dateOrigin(timeframe, weekStart);
    const from = Math.floor((date - origin) / days) * days + origin;
    return { from, to: from + days };
  }
  const day = new Date(date * 86_400_000);
  const month = (day.getUTCFullYear() - 1970) * 12 + day.getUTCMonth();
  const first = Math.floor(month / timeframe.months) * timeframe.months;
  return { from: monthDate(first), to: monthDate(first + timeframe.months) };
}

function monthDate(month: number): number {
  return Date.UTC(1970, month) / 86_400_000;
}

/** The first date that weeks are counted from; days count from the epoch. */
function dateOrigin(timeframe: Timeframe, weekStart: number): number {
  return timeframe.text.endsWith('w') ? (weekStart - epochWeekday + 7) % 7 : 0;
}

/** Does the timeframe consist of dates (days, weeks, months, years) rather than of a width? */
function isDated({ text, months }: Timeframe): boolean {
  return months > 0 || text.endsWith('d') || text.endsWith('w');
}

function dividesDates(fine: Bucketing, coarse: Bucketing): boolean {
  const [a, b] = [fine.timeframe, coarse.timeframe];
  if (a.months > 0) return b.months > 0 && b.months % a.months === 0;
  const days = a.widthNs / dayNs;
  if (b.months > 0) return days === 1;
  const origins =
    dateOrigin(b, weekStartOf(coarse.options.weekStart)) - dateOrigin(a, weekStartOf(fine.options.weekStart));
  return (b.widthNs / dayNs) % days === 0 && origins % days === 0;
}

function sessionsKey({ options, sessions }: Bucketing): string {
  return sessions ? sessionsKeyOf(options, sessions) : '';
}

function sessionsKeyOf({ calendar }: BucketingOptions, { name, zone }: Calendar): string {
  if (calendar === undefined) return zone.name;
  return typeof calendar === 'string' ? `calendar ${name}` : `calendar ${JSON.stringify(calendar)}`;
}

function weekStartOf(weekStart: WeekStart = 'monday'): number {
  const index = weekdayNames.findIndex((name) => String(weekStart).startsWith(name));
  if (index >= 0 && fullWeekdays.has(weekStart)) return index;
  throw new CandelaError(
    'INVALID_ARGUMENT',
    `'${String(weekStart)}' is not a day that weeks can start with`,
    {
      help: `Name a weekday in full: ${[...fullWeekdays].join(', ')}.`,
    },
  );
}

const fullWeekdays: ReadonlySet<string> = new Set<WeekStart>([
  'sunday',
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
]);

/** The sessions that the options ask for; null where the plain buckets of UTC serve. */
function sessionsFor({ timeZone, calendar }: BucketingOptions, needsDates: boolean): Calendar | null {
  const zone = timeZone === undefined ? undefined : zoneNamed(timeZone);
  if (calendar !== undefined) {
    const found = calendarFor(calendar);
    if (zone === undefined || zone.name === found.zone.name) return found;
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `calendar '${found.name}' is in ${found.zone.name}, not in ${zone.name}`,
      { help: 'Leave the time zone out: a calendar has its own.' },
    );
  }
  if ((zone === undefined || utcNames.has(zone.name)) && !needsDates) return null;
  return cached(`zone ${zone?.name ?? 'UTC'}`, () => zoneDays(zone ?? zoneNamed('UTC')));
}

function calendarFor(calendar: string | CalendarDef): Calendar {
  if (typeof calendar === 'string')
    return cached(`calendar ${calendar}`, () => createCalendar(shippedCalendar(calendar)));
  const known = ownCalendars.get(calendar);
  if (known) return known;
  const made = createCalendar(calendar);
  ownCalendars.set(calendar, made);
  return made;
}

/** Calendars are shared: each remembers the sessions of the dates it was asked for. */
function cached(key: string, create: () => Calendar): Calendar {
  const known = calendars.get(key);
  if (known) return known;
  const made = create();
  calendars.set(key, made);
  return made;
}
