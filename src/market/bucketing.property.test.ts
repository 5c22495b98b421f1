/** Buckets tile the sessions: every session is made of whole buckets, or every bucket of whole sessions. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Bucketing, BucketingOptions } from './bucketing.ts';
import { createBucketing } from './bucketing.ts';
import type { Calendar } from './calendar/calendar.ts';
import { createCalendar } from './calendar/calendar.ts';
import type { CalendarDef } from './calendar/calendar-def.ts';
import { shippedCalendar } from './calendar/shipped.ts';

const commodities: CalendarDef = {
  name: 'commodities',
  timeZone: 'Asia/Shanghai',
  from: '2000-01-01',
  to: '2030-12-31',
  earlyMinutes: 5,
  lateMinutes: 3,
  regular: [
    { days: 'tue wed thu fri', sessions: ['-1 21:00/02:30', '09:00/10:15', '10:30/11:30', '13:30/15:00'] },
    { days: 'mon', sessions: ['-3 21:00/-2 02:30', '09:00/10:15', '10:30/11:30', '13:30/15:00'] },
  ],
  holidays: ['2024 02-12 02-13', '2012 10-01 10-02 10-03'],
  special: [{ sessions: ['-1 21:00/02:30', '09:00/12:00'], dates: ['2024 05-21'] }],
};
const londonDays: CalendarDef = {
  name: 'around the clock in London',
  timeZone: 'Europe/London',
  from: '2000-01-01',
  to: '2030-12-31',
  regular: [{ days: 'sun mon tue wed thu fri sat', sessions: ['00:00/+1 00:00'] }],
  holidays: [],
  special: [],
};

const calendars = ['XSHG', 'XHKG', 'XNYS', 'CMES', '24x7', commodities, londonDays];
const widths = ['100ms', '1s', '7s', '1m', '7m', '15m', '1h', '4h', '11h'];
const dates = ['1d', '3d', '1w', '2w', '1mo', '1q', '1y'];
const times = fc
  .integer({ min: Date.UTC(1999, 0), max: Date.UTC(2028, 0) })
  .map((ms) => Math.floor((ms * 1e6) / 256) * 256);
const runs = { numRuns: 500 };

function calendarOf(calendar: BucketingOptions['calendar']): Calendar {
  return createCalendar(typeof calendar === 'string' ? shippedCalendar(calendar) : (calendar ?? londonDays));
}

/** What holds for any bucket that a tick belongs to. */
function checkBucket(bucketing: Bucketing, t: number): void {
  const { start, end } = bucketing.bucketOf(t);
  expect(start).toBeLessThan(end);
  expect(bucketing.bucketOf(start)).toEqual({ start, end });
  expect(bucketing.bucketOf(end - 256)).toEqual({ start, end });
}

it('widths below a day tile each session, hold its ticks and span no break', () => {
  const property = fc.property(
    fc.constantFrom(...calendars),
    fc.constantFrom(...widths),
    times,
    (calendar, width, t) => {
      const bucketing = createBucketing(width, { calendar });
      const sessions = calendarOf(calendar);
      const session = sessions.sessionOf(t);
      expect(bucketing.holds(t)).toBe(session !== null);
      const own = session ?? sessions.sessionEndingAfter(t);
      checkBucket(bucketing, t);
      const { start, end } = bucketing.bucketOf(t);
      expect(start).toBeGreaterThanOrEqual(own.open);
      expect(end).toBeLessThanOrEqual(own.close);
      const within = Math.min(Math.max(t, own.open), own.close - 256);
      expect(start <= within && within < end).toBe(true);
      const isWhole = end - start === bucketing.timeframe.widthNs;
      expect(isWhole || end === own.close).toBe(true);
      // The next bucket begins where this one ends, or at the open after the break.
      expect(bucketing.next(start).start).toBe(end < own.close ? end : sessions.sessionEndingAfter(end).open);
      expect(bucketing.previous(bucketing.next(start).start)).toEqual({ start, end });
    },
  );
  fc.assert(property, runs);
});

it('days and longer units are made of whole sessions', () => {
  const property = fc.property(
    fc.constantFrom(...calendars),
    fc.constantFrom(...dates),
    times,
    (calendar, unit, t) => {
      const bucketing = createBucketing(unit, { calendar });
      const sessions = calendarOf(calendar);
      checkBucket(bucketing, t);
      const { start, end } = bucketing.bucketOf(t);
      expect(sessions.sessionEndingAfter(start).open).toBe(start);
      const last = sessions.sessionEndingAfter(end - 256);
      expect(last.close).toBe(end);
      const session = sessions.sessionOf(t);
      if (session) expect(session.open >= start && session.close <= end).toBe(true);
      const following = sessions.sessionEndingAfter(end);
      expect(bucketing.next(start).start).toBe(following.open);
      expect(bucketing.previous(following.open)).toEqual({ start, end });
      expect(following.date).toBeGreaterThan(last.date);
    },
  );
  fc.assert(property, runs);
});

it('without a calendar the bucket before a bucket is the one that it follows', () => {
  const property = fc.property(fc.constantFrom(...widths, ...dates), times, (width, t) => {
    const bucketing = createBucketing(width);
    const bucket = bucketing.bucketOf(t);
    expect(bucketing.previous(bucketing.next(bucket.start).start)).toEqual(bucket);
  });
  fc.assert(property, runs);
});
