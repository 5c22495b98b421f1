import { describe, expect, it } from 'vitest';
import { type BucketingOptions, createBucketing } from '../../market/bucketing.ts';
import { dateText } from './actions.ts';
import { crosses, exDatesOf } from './ex-dates.ts';

const ns = (text: string): number => Date.parse(text) * 1e6;
const day = (text: string): number => Date.parse(text) / 86_400_000;
const datesFor = (options: BucketingOptions) => exDatesOf(createBucketing('1d', options).sessions);

describe('the date of a time', () => {
  it.each<[BucketingOptions, string, string]>([
    [{}, '2024-05-14T23:59:59Z', '2024-05-14'],
    // New York: after hours of the day before, before the open of the day, a Saturday.
    [{ calendar: 'XNYS' }, '2024-05-15T00:30:00Z', '2024-05-14'],
    [{ calendar: 'XNYS' }, '2024-05-15T08:00:00Z', '2024-05-15'],
    [{ calendar: 'XNYS' }, '2024-05-18T15:00:00Z', '2024-05-18'],
    // Chicago: Sunday's evening is Monday's session, the pause after a session belongs to its day.
    [{ calendar: 'CMES' }, '2024-05-12T23:00:00Z', '2024-05-13'],
    [{ timeZone: 'Asia/Tokyo' }, '2024-05-14T15:00:00Z', '2024-05-15'],
  ])('%j: %s is of %s', (options, time, date) => {
    expect(dateText(datesFor(options).dateOf(ns(time)))).toBe(date);
  });
});

describe('a date begins', () => {
  it.each<[BucketingOptions, string, string]>([
    [{}, '2024-05-15', '2024-05-15T00:00:00Z'],
    [{ calendar: 'XNYS' }, '2024-05-15', '2024-05-15T04:00:00Z'],
    [{ calendar: 'CMES' }, '2024-05-13', '2024-05-12T22:00:00Z'],
    [{ calendar: 'XSHG' }, '2024-05-15', '2024-05-14T16:00:00Z'],
  ])('%j: %s at %s', (options, date, time) => {
    expect(datesFor(options).startOf(day(date))).toBe(ns(time));
  });
});

describe('bars on both sides of a date', () => {
  it.each<[string, BucketingOptions, BucketingOptions, string, boolean]>([
    ['1d', {}, {}, '2024-05-15', false],
    ['1w', {}, {}, '2024-05-15', true],
    ['1w', {}, {}, '2024-05-13', false],
    ['1w', { calendar: 'XNYS' }, { calendar: 'XNYS' }, '2024-05-15', true],
    // Memorial Day: the week begins on Tuesday.
    ['1w', { calendar: 'XNYS' }, { calendar: 'XNYS' }, '2024-05-28', false],
    ['1w', { calendar: 'XNYS' }, { calendar: 'XNYS' }, '2024-05-27', false],
    ['1d', {}, { calendar: 'XNYS' }, '2024-05-15', true],
    ['4h', {}, { calendar: 'XNYS' }, '2024-05-15', false],
    ['4h', {}, { calendar: 'XNYS' }, '2024-01-17', true],
  ])('%s of %j, dates of %j, %s: %s', (timeframe, of, dates, date, isCrossed) => {
    expect(crosses(createBucketing(timeframe, of), datesFor(dates), day(date))).toBe(isCrossed);
  });
});
