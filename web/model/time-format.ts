/** Times as people read them, in the browser's zone or in UTC, always on a 24-hour clock. */

/** Which clock the page shows. */
export type Zone = 'local' | 'utc';

/** What has to be written: the parts of a date, from coarse to fine. */
export type TimeForm =
  | 'year'
  | 'month'
  | 'day'
  | 'minute'
  | 'second'
  | 'date'
  | 'date-minute'
  | 'date-second';

const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const date = { weekday: 'short', day: '2-digit', month: 'short', year: 'numeric' } as const;
const forms: Record<TimeForm, Intl.DateTimeFormatOptions> = {
  year: { year: 'numeric' },
  month: { month: 'short' },
  day: { day: 'numeric', month: 'short' },
  minute: time,
  second: { ...time, second: '2-digit' },
  date,
  'date-minute': { ...date, ...time },
  'date-second': { ...date, ...time, second: '2-digit' },
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026`, `May`, `17 May`, `09:30`, `Fri, 17 May 2024, 09:30:00`, by form. */
export function formatTime(timeMs: number, form: TimeForm, zone: Zone): string {
  const key = `${zone} ${form}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      ...forms[form],
      ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
    });
    formats.set(key, format);
  }
  return format.format(timeMs);
}

/** How far the zone's clock is ahead of UTC at that time. */
export function zoneOffsetMs(timeMs: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(timeMs).getTimezoneOffset() * 60_000;
}
