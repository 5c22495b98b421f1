import { expect, it } from 'vitest';
import { formatTimeNs } from '../../market/time.ts';
import { zoneTimeReader } from './zone-time.ts';

const newYork = zoneTimeReader('America/New_York');
const shanghai = zoneTimeReader('Asia/Shanghai');

// New York was UTC-5 until 2024-03-10 02:00 local, then UTC-4 until 2024-11-03 02:00 local. Shanghai is UTC+8.
it.each([
  ['2024-01-15 09:30:00', '2024-01-15T14:30:00Z'],
  ['2024-07-15T09:30:00.000000001', '2024-07-15T13:30:00.000000001Z'],
  ['2024-03-10 01:59:59', '2024-03-10T06:59:59Z'],
  ['2024-03-10 03:00:00', '2024-03-10T07:00:00Z'],
  ['2024-11-03 00:59:59', '2024-11-03T04:59:59Z'],
  ['2024-11-03 01:30:00', '2024-11-03T05:30:00Z'],
  ['2024-11-03 02:00:00', '2024-11-03T07:00:00Z'],
  ['2024-05-17', '2024-05-17T04:00:00Z'],
])('reads %s in New York as %s', (local, utc) => {
  expect(formatTimeNs(newYork(local))).toBe(utc);
});

it('moves a time that daylight saving skips on by the shift', () => {
  expect(formatTimeNs(newYork('2024-03-10 02:30:00'))).toBe('2024-03-10T07:30:00Z');
});

it('leaves alone what names its zone or is a number', () => {
  expect(formatTimeNs(shanghai('2024-05-17T09:30:00Z'))).toBe('2024-05-17T09:30:00Z');
  expect(formatTimeNs(shanghai('2024-05-17 09:30:00+02:00'))).toBe('2024-05-17T07:30:00Z');
  expect(formatTimeNs(shanghai('1715938200'))).toBe('2024-05-17T09:30:00Z');
  expect(formatTimeNs(shanghai('2024-05-17 09:30:00'))).toBe('2024-05-17T01:30:00Z');
});

it('refuses a zone nobody knows', () => {
  expect(() => zoneTimeReader('Mars/Olympus')).toThrow("'Mars/Olympus' is not a time zone");
});
