import { describe, expect, it } from 'vitest';
import { type Calendar, createCalendar } from './calendar.ts';
import type { CalendarDef } from './calendar-def.ts';
import { shippedCalendar } from './shipped.ts';

function ns(text: string): number {
  return Date.parse(text) * 1e6;
}

function openOf(calendar: string, text: string): string | null {
  const session = createCalendar(shippedCalendar(calendar)).sessionOf(ns(text));
  return session && new Date(session.open / 1e6).toISOString();
}

describe('the rule for ticks at the edges of sessions', () => {
  it.each([
    // Shanghai, UTC+8: 09:30 to 11:30, 13:00 to 15:00; 15 minutes early, 1 minute late.
    ['XSHG', '2023-02-01T09:14:59+08:00', null],
    ['XSHG', '2023-02-01T09:25:00.940+08:00', '2023-02-01T01:30:00.000Z'],
    ['XSHG', '2023-02-01T11:30:00+08:00', '2023-02-01T01:30:00.000Z'],
    ['XSHG', '2023-02-01T11:31:00.001+08:00', null],
    ['XSHG', '2023-02-01T12:45:00+08:00', '2023-02-01T05:00:00.000Z'],
    ['XSHG', '2023-02-01T15:00:01.060+08:00', '2023-02-01T05:00:00.000Z'],
    ['XSHG', '2023-02-01T15:36:00+08:00', null],
    // New York: nothing but the close itself.
    ['XNYS', '2022-07-01T09:29:59.999-04:00', null],
    ['XNYS', '2022-07-01T16:00:00-04:00', '2022-07-01T13:30:00.000Z'],
    ['XNYS', '2022-07-01T16:00:00.001-04:00', null],
    ['XNYS', '2022-07-04T12:00:00-04:00', null],
    ['XNYS', '2022-11-25T13:00:00-05:00', '2022-11-25T14:30:00.000Z'],
    ['XNYS', '2022-11-25T13:30:00-05:00', null],
    // One session after the other: the close of one is the open of the next.
    ['CMES', '2024-07-01T17:00:00-05:00', '2024-07-01T22:00:00.000Z'],
    ['24x7', '2024-07-06T00:00:00Z', '2024-07-06T00:00:00.000Z'],
  ])('%s %s', (calendar, time, open) => {
    expect(openOf(calendar, time)).toBe(open);
  });

  it('does not depend on what was asked before', () => {
    const calendar = createCalendar(shippedCalendar('XSHG'));
    const times = ['12:00', '11:31', '09:20', '12:44', '12:46', '11:30', '15:02', '12:30', '09:00'];
    const once = times.map((time) => openOf('XSHG', `2023-02-01T${time}:00+08:00`));
    const again = times.map((time) => calendar.sessionOf(ns(`2023-02-01T${time}:00+08:00`)));
    expect(again.map((session) => session && new Date(session.open / 1e6).toISOString())).toEqual(once);
  });
});

const nights: CalendarDef = {
  name: 'nights',
  timeZone: 'Asia/Shanghai',
  from: '2024-01-01',
  to: '2024-12-31',
  regular: [
    { days: 'tue wed thu fri', sessions: ['-1 21:00/02:30', '09:00/11:30'] },
    { days: 'mon', sessions: ['-3 21:00/-2 02:30', '09:00/11:30'] },
  ],
  holidays: [],
  special: [],
};

describe('sessions over midnight', () => {
  it("count Friday's night to Monday", () => {
    const calendar = createCalendar(nights);
    const saturday = calendar.sessionOf(ns('2024-05-18T01:00:00+08:00'));
    expect(saturday?.date).toBe(Date.UTC(2024, 4, 20) / 86_400_000);
    expect(calendar.sessionEndingAfter(ns('2024-05-18T02:30:00+08:00')).open).toBe(
      ns('2024-05-20T09:00:00+08:00'),
    );
  });
});

describe('mistakes in a calendar', () => {
  it.each<[string, Partial<CalendarDef>]>([
    ["'2024-02-30' is not a date", { holidays: ['2024 02-30'] }],
    ["'9:30/16:00' is not a session", { regular: [{ days: 'mon', sessions: ['9:30/16:00'] }] }],
    ['do not follow one another', { regular: [{ days: 'mon', sessions: ['13:00/15:00', '09:30/11:30'] }] }],
    ["'monday' is not a weekday", { regular: [{ days: 'monday', sessions: ['09:30/16:00'] }] }],
    [
      'overlap',
      {
        regular: [
          { days: 'mon tue', sessions: ['-1 09:00/10:00'] },
          { days: 'mon', sessions: ['09:30/16:00'] },
        ],
      },
    ],
    // The session dated Monday is on Friday night.
    [
      'the sessions of 2024-05-18 and 2024-05-20 overlap',
      { special: [{ sessions: ['09:00/12:00'], dates: ['2024 05-18'] }] },
    ],
    ["'from' is after 'to'", { from: '2025-01-01' }],
    ['lateMinutes 1.5', { lateMinutes: 1.5 }],
    ['no regular session', { regular: [] }],
    ['misshapen', { holidays: undefined as unknown as string[] }],
    ["'Mars/Base' is not a time zone", { timeZone: 'Mars/Base' }],
  ])('%s', (message, change) => {
    expect(() => createCalendar({ ...nights, ...change })).toThrow(message);
  });
});

it('answers the same whatever it was asked before, across years without sessions', () => {
  const def: CalendarDef = {
    name: 'young',
    timeZone: 'UTC',
    from: '2020-01-01',
    to: '2030-12-31',
    earlyMinutes: 30,
    lateMinutes: 30,
    regular: [
      { from: '2020-01-06', days: 'mon thu', sessions: ['09:00/17:00'] },
      { from: '2021-01-01', days: 'sun mon tue wed thu fri sat', sessions: [] },
      { from: '2023-01-01', days: 'tue', sessions: ['-1 20:00/04:00'] },
    ],
    holidays: [],
    special: [],
  };
  const dayNs = 86_400e9;
  const asked = createCalendar(def);
  for (let i = 0; i < 120; i++) {
    // Days of 2013 to 2024 in a mixed order, at any hour.
    const t = 15_800 * dayNs + ((i * 7_919) % 4_200) * dayNs + ((i * 5) % 24) * 3_600e9;
    const fresh = (): Calendar => createCalendar(def);
    expect(asked.sessionEndingAfter(t)).toEqual(fresh().sessionEndingAfter(t));
    expect(asked.sessionClosedBy(t)).toEqual(fresh().sessionClosedBy(t));
    expect(asked.sessionOf(t)).toEqual(fresh().sessionOf(t));
  }
});
