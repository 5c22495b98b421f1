/**
 * A market's calendar as data: what a calendar file holds, and the check of it.
 *
 * ```json
 * { "name": "XHKG", "timeZone": "Asia/Hong_Kong", "from": "1990-01-01", "to": "2025-09-05",
 *   "earlyMinutes": 30, "lateMinutes": 10,
 *   "regular": [{ "days": "mon tue wed thu fri", "sessions": ["10:00/12:00", "13:00/16:00"] },
 *               { "from": "2011-03-07", "days": "mon tue wed thu fri", "sessions": ["09:30/12:00", "13:00/16:00"] }],
 *   "holidays": ["1990 01-01 01-29 01-30"],
 *   "special": [{ "sessions": ["10:00/12:30"], "dates": ["1990 12-24 12-31"] }] }
 * ```
 */
import { CandelaError } from '../../core/errors.ts';

/** One calendar; see the head of this file. */
export interface CalendarDef {
  name: string;
  /** IANA name; all times below are local times of it. */
  timeZone: string;
  /** First and last date for which holidays and special days are known; outside, the regular week goes on. */
  from: string;
  to: string;
  /** A tick up to so many minutes before a session's open (an opening auction) belongs to its first bar. Default 0. */
  earlyMinutes?: number;
  /** A tick up to so many minutes after a session's close (a closing auction) belongs to its last bar. Default 0. */
  lateMinutes?: number;
  /**
   * The sessions of ordinary days, by weekday; of two rules for a date the later in the list holds. A session
   * is `open/close`; `-1 17:00/16:00` opens on the day before its date, `18:00/+1 02:00` closes on the day after.
   */
  regular: { from?: string; days: string; sessions: string[] }[];
  /** Dates without sessions: lines of a year and dates in it, as many lines a year as one likes. */
  holidays: string[];
  /** Dates with sessions of their own, ordinary weekdays or not. */
  special: { sessions: string[]; dates: string[] }[];
}

/** A session in minutes past local midnight of its date: negative on the day before, above 1440 on the day after. */
export interface LocalSession {
  open: number;
  close: number;
}

/** A definition, parsed. Days are numbers, 0 being 1970-01-01. */
export interface ParsedCalendar {
  def: CalendarDef;
  regular: { from: number; weekdays: ReadonlySet<number>; sessions: readonly LocalSession[] }[];
  /** Holidays (no sessions) and special days. */
  exceptions: ReadonlyMap<number, readonly LocalSession[]>;
}

/** Weekdays as calendars and week starts name them; the index is that of `Date.getUTCDay`. */
export const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;

const minutesMax = 720;

/** Parses a calendar. Throws `INVALID_ARGUMENT` that names what does not fit. */
export function parseCalendar(def: CalendarDef): ParsedCalendar {
  if (typeof def !== 'object' || def === null)
    throw new CandelaError('INVALID_ARGUMENT', `${JSON.stringify(def)} is not a calendar`, {
      help: 'Give the name of a calendar that ships, or a calendar as docs/calendars.md describes it.',
    });
  checkShape(def);
  for (const name of ['earlyMinutes', 'lateMinutes'] as const) {
    const minutes = def[name] ?? 0;
    if (!Number.isInteger(minutes) || minutes < 0 || minutes > minutesMax)
      throw wrong(def, `${name} ${minutes} is not a whole number from 0 to ${minutesMax}`);
  }
  if (parseDay(def, def.from) > parseDay(def, def.to)) throw wrong(def, `'from' is after 'to'`);
  const regular = def.regular.map(({ from, days, sessions }) => ({
    from: from === undefined ? Number.NEGATIVE_INFINITY : parseDay(def, from),
    weekdays: new Set(days.split(' ').map((day) => parseWeekday(def, day))),
    sessions: parseSessions(def, sessions),
  }));
  const exceptions = new Map<number, readonly LocalSession[]>();
  for (const day of parseDates(def, def.holidays)) exceptions.set(day, []);
  for (const { sessions, dates } of def.special) {
    const parsed = parseSessions(def, sessions);
    for (const day of parseDates(def, dates)) exceptions.set(day, parsed);
  }
  if (!regular.some(({ sessions }) => sessions.length > 0)) throw wrong(def, 'no regular session is given');
  return { def, regular, exceptions };
}

/** Definitions come from users' JSON: every field is looked at before it is used. */
function checkShape(def: CalendarDef): void {
  const isTexts = (value: unknown): boolean =>
    Array.isArray(value) && value.every((text) => typeof text === 'string');
  const fits =
    [def.name, def.timeZone, def.from, def.to].every((text) => typeof text === 'string') &&
    Array.isArray(def.regular) &&
    def.regular.every(({ days, sessions }) => typeof days === 'string' && isTexts(sessions)) &&
    isTexts(def.holidays) &&
    Array.isArray(def.special) &&
    def.special.every(({ sessions, dates }) => isTexts(sessions) && isTexts(dates));
  if (!fits)
    throw wrong(def, 'name, timeZone, from, to, regular, holidays or special is missing or misshapen');
}

function parseWeekday(def: CalendarDef, text: string): number {
  const index = (weekdayNames as readonly string[]).indexOf(text);
  if (index < 0) throw wrong(def, `'${text}' is not a weekday (${weekdayNames.join(' ')})`);
  return index;
}

function parseDay(def: CalendarDef, text: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  // Date.parse takes 02-30 for March 1st.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text)
    throw wrong(def, `'${text}' is not a date`);
  return ms / 86_400_000;
}

function parseDates(def: CalendarDef, lines: readonly string[]): number[] {
  return lines.flatMap((line) => {
    const [year, ...dates] = line.split(' ');
    return dates.map((date) => parseDay(def, `${year}-${date}`));
  });
}

const sessionPattern = /^(?:([+-]\d) )?(\d\d):(\d\d)\/(?:([+-]\d) )?(\d\d):(\d\d)$/;

function parseSessions(def: CalendarDef, texts: readonly string[]): LocalSession[] {
  const sessions = texts.map((text) => {
    const parts = sessionPattern.exec(text);
    if (!parts) throw wrong(def, `'${text}' is not a session such as 09:30/16:00 or -1 17:00/16:00`);
    const [, openDay = '0', openHour, openMinute, closeDay = '0', closeHour, closeMinute] = parts;
    return {
      open: +openDay * 1440 + +openHour * 60 + +openMinute,
      close: +closeDay * 1440 + +closeHour * 60 + +closeMinute,
    };
  });
  for (const [i, { open, close }] of sessions.entries()) {
    if (open >= close || (i > 0 && open < sessions[i - 1].close))
      throw wrong(def, `the sessions ${texts.join(', ')} do not follow one another`);
  }
  return sessions;
}

function wrong(def: CalendarDef, reason: string): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', `calendar '${String(def.name)}': ${reason}`, {
    help: 'docs/calendars.md describes the form of a calendar.',
  });
}
