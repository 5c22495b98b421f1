/**
 * A market's sessions in time: which session a tick belongs to, and which come next.
 *
 * A session is half-open, `[open, close)`, and has a *date*: CME's Monday session opens on Sunday evening. Sessions
 * follow one another in order of time, never overlap, and a date has none (a holiday), one or several (a lunch break).
 *
 * The written rule for ticks outside `[open, close)`, in this order:
 * 1. at the close, or up to `lateMinutes` after it: to the session that closed (closing auctions);
 * 2. up to `earlyMinutes` before the open: to the session that opens (opening auctions);
 * 3. any other: to no session.
 *
 * A time zone without a market is the simplest calendar: each local day is one session from midnight to midnight.
 *
 * Times are nanoseconds as exact doubles (`market/time.ts`); dates are days since 1970-01-01.
 */
import { CandelaError } from '../../core/errors.ts';
import type { CalendarDef, LocalSession, ParsedCalendar } from './calendar-def.ts';
import { parseCalendar } from './calendar-def.ts';
import type { Zone } from './zone.ts';
import { localDay, localToMs, zoneNamed } from './zone.ts';

/** One session of a date. */
export interface Session {
  open: number;
  close: number;
  date: number;
}

/** See the head of this file. */
export interface Calendar {
  name: string;
  zone: Zone;
  /** Are there times that belong to no session? */
  hasGaps: boolean;
  /** Most sessions that a date has. */
  sessionsPerDateMax: number;
  /** Sessions of a date, in order. */
  sessionsOn(date: number): readonly Session[];
  /** The session that holds the time, or else the next one. */
  sessionEndingAfter(t: number): Session;
  /** The newest session that has closed by the time; undefined where there is none for ten years before. */
  sessionClosedBy(t: number): Session | undefined;
  /** The session that a tick belongs to by the rule above, or null. */
  sessionOf(t: number): Session | null;
}

const nsPerMs = 1e6;
const nsPerMinute = 6e10;
/** A search for the next session gives up after so many days without one. */
const closedDaysMax = 3_660;
const knownDatesMax = 20_000;

/** A calendar from its definition. Throws `INVALID_ARGUMENT` that names what is wrong with it. */
export function createCalendar(def: CalendarDef): Calendar {
  const parsed = parseCalendar(def);
  const zone = zoneNamed(def.timeZone);
  const all = [...parsed.regular.map(({ sessions }) => sessions), ...parsed.exceptions.values()];
  return calendarOver({
    name: def.name,
    zone,
    sessionsPerDateMax: Math.max(...all.map((sessions) => sessions.length)),
    firstOpen: Math.min(0, ...all.flat().map(({ open }) => open)),
    lastClose: Math.max(1440, ...all.flat().map(({ close }) => close)),
    early: (def.earlyMinutes ?? 0) * nsPerMinute,
    late: (def.lateMinutes ?? 0) * nsPerMinute,
    localSessions: (date) => sessionsOfDate(parsed, date),
    hasGaps: checkOrder(parsed),
  });
}

/** The days of a time zone as sessions. */
export function zoneDays(zone: Zone): Calendar {
  const wholeDay = [{ open: 0, close: 1440 }];
  return calendarOver({
    name: zone.name,
    zone,
    sessionsPerDateMax: 1,
    firstOpen: 0,
    lastClose: 1440,
    early: 0,
    late: 0,
    localSessions: () => wholeDay,
    hasGaps: false,
  });
}

function sessionsOfDate({ regular, exceptions }: ParsedCalendar, date: number): readonly LocalSession[] {
  const exception = exceptions.get(date);
  if (exception) return exception;
  const weekday = (((date + 4) % 7) + 7) % 7;
  return regular.findLast(({ from, weekdays }) => from <= date && weekdays.has(weekday))?.sessions ?? [];
}

/**
 * Two weeks from each change of the regular sessions and the days around each special one: no session may begin before
 * the one before has ended. Tells whether there is a break between any two.
 */
function checkOrder(parsed: ParsedCalendar): boolean {
  const { def, regular, exceptions } = parsed;
  const first = Date.parse(def.from) / 86_400_000;
  const windows = [
    ...regular.map(({ from }) => ({ from: Math.max(from, first), days: 14 })),
    ...[...exceptions].map(([date, sessions]) => ({ from: date - 4, days: sessions.length > 0 ? 9 : 0 })),
  ];
  let hasGaps = exceptions.size > 0;
  for (const { from, days } of windows) {
    let previous = { close: Number.NEGATIVE_INFINITY, date: from };
    for (let date = from; date < from + days; date++) {
      for (const session of sessionsOfDate(parsed, date)) {
        const [open, close] = [date * 1440 + session.open, date * 1440 + session.close];
        if (open < previous.close)
          throw new CandelaError(
            'INVALID_ARGUMENT',
            `calendar '${def.name}': the sessions of ${dateText(previous.date)} and ${dateText(date)} overlap`,
          );
        hasGaps ||= open > previous.close && previous.close !== Number.NEGATIVE_INFINITY;
        previous = { close, date };
      }
    }
  }
  return hasGaps;
}

function dateText(date: number): string {
  return new Date(date * 86_400_000).toISOString().slice(0, 10);
}

interface Rules {
  name: string;
  zone: Zone;
  hasGaps: boolean;
  sessionsPerDateMax: number;
  /** Earliest open and latest close of any date, in minutes past its midnight. */
  firstOpen: number;
  lastClose: number;
  early: number;
  late: number;
  localSessions: (date: number) => readonly LocalSession[];
}

function calendarOver(rules: Rules): Calendar {
  const { name, zone, hasGaps, sessionsPerDateMax, early, late } = rules;
  const sessionsOn = sessionsByDate(rules);
  // Dates whose sessions can hold or follow a time lie within so many days of its own; one day more for DST.
  const daysBack = Math.ceil(rules.lastClose / 1440);
  const daysAhead = 1 - Math.floor(rules.firstOpen / 1440);
  const empty = emptyDates();
  let last: Session = { open: 0, close: 0, date: 0 };
  /** A stretch known to belong to no session: ticks outside sessions come in long rows. */
  const outside = { from: 0, to: 0 };

  const dateOf = (t: number): number => localDay(zone, Math.floor(t / nsPerMs));

  const sessionEndingAfter = (t: number): Session => {
    if (t >= last.open && t < last.close) return last;
    const from = dateOf(t) - daysBack;
    for (let date = empty.after(from); date < from + closedDaysMax; date = empty.after(date + 1)) {
      const sessions = sessionsOn(date);
      if (sessions.length === 0) empty.add(date);
      const found = sessions.find(({ close }) => close > t);
      if (!found) continue;
      last = found;
      return found;
    }
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `calendar '${name}' has no session for ${closedDaysMax} days after ${dateText(from)}`,
    );
  };

  const newestClosed = (t: number, to: number): Session | undefined => {
    const from = dateOf(t) + daysAhead;
    for (let date = empty.before(from); date >= to; date = empty.before(date - 1)) {
      const sessions = sessionsOn(date);
      if (sessions.length === 0) empty.add(date);
      const found = sessions.findLast(({ close }) => close <= t);
      if (found) return found;
    }
    return undefined;
  };

  const sessionOf = (t: number): Session | null => {
    if (t >= outside.from && t < outside.to) return null;
    const next = sessionEndingAfter(t);
    if (t >= next.open) return next;
    const closed = newestClosed(t, dateOf(t - late) - daysBack);
    if (closed && t <= closed.close + late) return closed;
    if (t >= next.open - early) return next;
    outside.from = t;
    outside.to = next.open - early;
    return null;
  };

  const sessionClosedBy = (t: number): Session | undefined => newestClosed(t, dateOf(t) - closedDaysMax);
  return {
    name,
    zone,
    hasGaps,
    sessionsPerDateMax,
    sessionsOn,
    sessionEndingAfter,
    sessionClosedBy,
    sessionOf,
  };
}

/** The stretch of dates without sessions that a search came through last: the next one leaps over it. */
interface EmptyDates {
  /** Notes a date without sessions. */
  add(date: number): void;
  /** The date, or the first after the stretch that it lies in. */
  after(date: number): number;
  /** The date, or the last before the stretch that it lies in. */
  before(date: number): number;
}

function emptyDates(): EmptyDates {
  let [from, to] = [0, 0];
  return {
    add: (date) => {
      if (date === to) to++;
      else if (date === from - 1) from--;
      else if (date < from || date > to) [from, to] = [date, date + 1];
    },
    after: (date) => (date >= from && date < to ? to : date),
    before: (date) => (date >= from && date < to ? from - 1 : date),
  };
}

function sessionsByDate({ zone, localSessions }: Rules): (date: number) => readonly Session[] {
  const known = new Map<number, readonly Session[]>();
  return (date) => {
    const cached = known.get(date);
    if (cached) return cached;
    if (known.size >= knownDatesMax) known.clear();
    const sessions = localSessions(date)
      .map(({ open, close }) => ({
        open: localToMs(zone, date, open) * nsPerMs,
        close: localToMs(zone, date, close) * nsPerMs,
        date,
      }))
      // A zone that skips a day (Samoa, 2011-12-30) leaves nothing of it.
      .filter(({ open, close }) => open < close);
    known.set(date, sessions);
    return sessions;
  };
}
