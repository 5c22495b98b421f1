import { describe, expect, it } from 'vitest';
import type { BucketingOptions } from './bucketing.ts';
import { bucketsWithin, createBucketing, divides } from './bucketing.ts';

const hour = 3_600_000;

function bucket(timeframe: string, options: BucketingOptions, time: string): string[] {
  const { start, end } = createBucketing(timeframe, options).bucketOf(Date.parse(time) * 1e6);
  return [start, end].map((ns) => new Date(ns / 1e6).toISOString().slice(0, 19));
}

/** The date that local clocks show, as the Swedish write it (ISO), by the runtime itself. */
function localDates(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone });
  return (ms) => format.format(ms);
}

function mondayOf(date: string): string {
  const ms = Date.parse(date);
  const weekday = (new Date(ms).getUTCDay() + 6) % 7;
  return new Date(ms - weekday * 24 * hour).toISOString().slice(0, 10);
}

/** The first date of the local day, week, month, quarter or year that a local date lies in. */
const labels: Record<string, (date: string) => string> = {
  '1d': (date) => date,
  '1w': mondayOf,
  '1mo': (date) => `${date.slice(0, 7)}-01`,
  '1q': (date) =>
    `${date.slice(0, 4)}-${String(Math.floor((+date.slice(5, 7) - 1) / 3) * 3 + 1).padStart(2, '0')}-01`,
  '1y': (date) => `${date.slice(0, 4)}-01-01`,
};

const zones = [
  'America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Australia/Sydney', 'Asia/Kolkata', 'America/Havana',
  'America/Sao_Paulo', 'Asia/Shanghai', 'Pacific/Apia',
]; // biome-ignore format: a list to be read at a glance

describe('days, weeks, months, quarters and years of a zone', () => {
  it.each(zones)('%s: each boundary is the first moment of its local date, for 12 years', (timeZone) => {
    const dateAt = localDates(timeZone);
    for (const [timeframe, labelOf] of Object.entries(labels)) {
      const bucketing = createBucketing(timeframe, { timeZone });
      for (
        let ms = Date.UTC(2010, 11, 20);
        ms < Date.UTC(2022, 1, 1);
        ms += (timeframe === '1d' ? 11 : 131) * hour
      ) {
        const { start, end } = bucketing.bucketOf(ms * 1e6);
        const label = labelOf(dateAt(ms));
        const labelAt = (boundaryMs: number): string => labelOf(dateAt(boundaryMs));
        const found = [
          labelAt(start / 1e6 - 1000),
          labelAt(start / 1e6),
          labelAt(end / 1e6 - 1000),
          labelAt(end / 1e6),
        ];
        const isWhole = start <= ms * 1e6 && ms * 1e6 < end;
        if (!isWhole || found[0] >= label || found[1] !== label || found[2] !== label || found[3] <= label)
          expect.fail(`${timeframe} at ${new Date(ms).toISOString()}: ${label}, ${String(found)}`);
      }
    }
  });

  it.each([
    ['America/New_York', '2024-03-10', 23],
    ['America/New_York', '2024-11-03', 25],
    ['Europe/London', '2024-03-31', 23],
    ['Europe/London', '2024-10-27', 25],
    ['Australia/Lord_Howe', '2024-10-06', 23.5],
    ['Australia/Lord_Howe', '2024-04-07', 24.5],
    ['Australia/Sydney', '2024-10-06', 23],
    ['Australia/Sydney', '2024-04-07', 25],
    ['America/Sao_Paulo', '2018-11-04', 23],
    ['Asia/Shanghai', '2024-06-01', 24],
  ])('%s, %s has %d hours', (timeZone, date, hours) => {
    const { start, end } = createBucketing('1d', { timeZone }).bucketOf(
      Date.parse(`${date}T12:00:00Z`) * 1e6,
    );
    expect((end - start) / 3.6e12).toBe(hours);
  });

  it('counts widths below a day from local midnight, the last bucket of a day being short if need be', () => {
    const india = { timeZone: 'Asia/Kolkata' };
    expect(bucket('1h', india, '2024-01-01T00:10:00Z')).toEqual([
      '2023-12-31T23:30:00',
      '2024-01-01T00:30:00',
    ]);
    const newYork = { timeZone: 'America/New_York' };
    expect(bucket('4h', newYork, '2024-03-11T03:30:00Z')).toEqual([
      '2024-03-11T01:00:00',
      '2024-03-11T04:00:00',
    ]);
    expect(bucket('4h', newYork, '2024-03-11T04:00:00Z')).toEqual([
      '2024-03-11T04:00:00',
      '2024-03-11T08:00:00',
    ]);
  });

  it.each([
    ['monday', '2024-05-13'],
    ['sunday', '2024-05-12'],
    ['saturday', '2024-05-11'],
    ['thursday', '2024-05-16'],
  ] as const)('begins weeks on %s', (weekStart, date) => {
    expect(bucket('1w', { weekStart }, '2024-05-17T12:00:00Z')[0]).toBe(`${date}T00:00:00`);
  });
});

describe('sessions', () => {
  it.each([
    ['1h', 'XNYS', '2022-07-01T14:29:00Z', '2022-07-01T13:30:00', '2022-07-01T14:30:00'],
    ['1h', 'XNYS', '2022-07-01T19:59:00Z', '2022-07-01T19:30:00', '2022-07-01T20:00:00'],
    ['1h', 'XNYS', '2022-12-01T20:59:00Z', '2022-12-01T20:30:00', '2022-12-01T21:00:00'],
    ['1h', 'XSHG', '2023-02-01T02:40:00Z', '2023-02-01T02:30:00', '2023-02-01T03:30:00'],
    ['1h', 'XSHG', '2023-02-01T05:00:00Z', '2023-02-01T05:00:00', '2023-02-01T06:00:00'],
    ['1d', 'XSHG', '2023-02-01T06:00:00Z', '2023-02-01T01:30:00', '2023-02-01T07:00:00'],
    ['1h', 'XHKG', '2024-05-17T03:45:00Z', '2024-05-17T03:30:00', '2024-05-17T04:00:00'],
    ['1d', 'CMES', '2024-07-01T23:50:00Z', '2024-07-01T22:00:00', '2024-07-02T22:00:00'],
    ['4h', 'CMES', '2024-07-02T03:00:00Z', '2024-07-02T02:00:00', '2024-07-02T06:00:00'],
    // The week of Labor Day: Monday closes at noon in Chicago; New York begins on Tuesday.
    ['1w', 'XNYS', '2022-09-08T15:00:00Z', '2022-09-06T13:30:00', '2022-09-09T20:00:00'],
    ['1w', 'CMES', '2022-09-08T15:00:00Z', '2022-09-04T22:00:00', '2022-09-09T22:00:00'],
    ['1mo', 'XSHG', '2024-02-20T03:00:00Z', '2024-02-01T01:30:00', '2024-02-29T07:00:00'],
    ['1y', 'XNYS', '2022-05-04T15:00:00Z', '2022-01-03T14:30:00', '2022-12-30T21:00:00'],
    ['1h', '24x7', '2022-05-04T15:10:00Z', '2022-05-04T15:00:00', '2022-05-04T16:00:00'],
  ])('%s of %s at %s', (timeframe, calendar, time, start, end) => {
    expect(bucket(timeframe, { calendar }, time)).toEqual([start, end]);
  });

  it("has CME days with the hour from 16:00 to 17:00 closed, by a calendar of one's own", () => {
    const calendar = {
      name: 'ES',
      timeZone: 'America/Chicago',
      from: '2024-01-01',
      to: '2024-12-31',
      regular: [{ days: 'mon tue wed thu fri', sessions: ['-1 17:00/16:00'] }],
      holidays: ['2024 12-25'],
      special: [{ sessions: ['-1 17:00/12:00'], dates: ['2024 07-04'] }],
    };
    expect(bucket('1d', { calendar }, '2024-03-10T23:00:00Z')).toEqual([
      '2024-03-10T22:00:00',
      '2024-03-11T21:00:00',
    ]);
    expect(bucket('1d', { calendar }, '2024-03-08T12:00:00Z')).toEqual([
      '2024-03-07T23:00:00',
      '2024-03-08T22:00:00',
    ]);
    expect(bucket('1d', { calendar }, '2024-07-04T12:00:00Z')).toEqual([
      '2024-07-03T22:00:00',
      '2024-07-04T17:00:00',
    ]);
    const bars = createBucketing('1h', { calendar });
    expect(bars.holds(Date.parse('2024-05-01T21:30:00Z') * 1e6)).toBe(false);
    expect(bars.next(Date.parse('2024-05-01T20:00:00Z') * 1e6).start).toBe(
      Date.parse('2024-05-01T22:00:00Z') * 1e6,
    );
  });
});

describe('divides', () => {
  const table: [string, BucketingOptions, string, BucketingOptions, boolean][] = [
    ['1m', {}, '1h', {}, true],
    ['1h', {}, '1d', { timeZone: 'America/New_York' }, true],
    ['1h', {}, '1d', { timeZone: 'Asia/Kolkata' }, false],
    ['30m', {}, '1d', { timeZone: 'Asia/Kolkata' }, true],
    ['30m', {}, '1d', { timeZone: 'Australia/Lord_Howe' }, true],
    ['1h', {}, '1mo', { timeZone: 'Australia/Lord_Howe' }, false],
    ['1d', {}, '1w', { timeZone: 'Asia/Shanghai' }, false],
    ['1d', {}, '1w', { weekStart: 'sunday' }, true],
    ['7m', {}, '1d', { timeZone: 'Asia/Shanghai' }, false],
    ['1m', { timeZone: 'Asia/Kolkata' }, '1h', { timeZone: 'Asia/Kolkata' }, true],
    ['7m', { timeZone: 'Asia/Kolkata' }, '1d', { timeZone: 'Asia/Kolkata' }, true],
    ['1d', { timeZone: 'Europe/London' }, '1q', { timeZone: 'Europe/London' }, true],
    ['1w', { timeZone: 'Europe/London' }, '1mo', { timeZone: 'Europe/London' }, false],
    ['1w', { weekStart: 'sunday' }, '2w', { weekStart: 'saturday' }, false],
    ['1m', { timeZone: 'Europe/London' }, '1h', {}, false],
    ['1m', {}, '1h', { calendar: 'XNYS' }, false],
    ['1m', { calendar: 'XNYS' }, '1h', { calendar: 'XNYS' }, true],
    ['1h', { calendar: 'XNYS' }, '1d', { calendar: 'XNYS' }, true],
    ['1m', { calendar: 'XNYS' }, '1h', { calendar: 'CMES' }, false],
    ['1h', { calendar: '24x7' }, '1d', { timeZone: 'Europe/London' }, false],
    ['7m', { calendar: 'XSHG' }, '1w', { calendar: 'XSHG', weekStart: 'sunday' }, true],
  ]; // biome-ignore format: one case a line
  it.each(table)('%s %o in %s %o: %s', (fine, fineOptions, coarse, coarseOptions, expected) => {
    const [a, b] = [createBucketing(fine, fineOptions), createBucketing(coarse, coarseOptions)];
    expect(divides(a, b)).toBe(expected);
    if (!expected) return;
    // Tried on whole years of buckets.
    let { start, end } = b.bucketOf(Date.UTC(2024, 2, 8) * 1e6);
    for (let i = 0; i < 40; i++) {
      let count = 0;
      let at = a.bucketOf(start);
      expect(at.start).toBe(start);
      for (; at.start < end; at = a.next(at.start)) {
        expect(at.end).toBeLessThanOrEqual(end);
        if (++count > 5_000) break;
      }
      expect(count).toBeLessThanOrEqual(Math.max(5_001, bucketsWithin(a, b)));
      ({ start, end } = b.next(start));
    }
  });
});

describe('mistakes', () => {
  it.each<[string, string, BucketingOptions]>([
    ["'Europe/Atlantis' is not a time zone", '1d', { timeZone: 'Europe/Atlantis' }],
    ["there is no calendar 'XLON'", '1d', { calendar: 'XLON' }],
    ["'mon' is not a day that weeks can start with", '1w', { weekStart: 'mon' as 'monday' }],
    ['is in America/New_York, not in Europe/London', '1d', { calendar: 'XNYS', timeZone: 'Europe/London' }],
    ['36h does not fit', '36h', { timeZone: 'Europe/London' }],
  ])('%s', (message, timeframe, options) => {
    expect(() => createBucketing(timeframe, options)).toThrow(message);
  });
});
