import { afterEach, expect, it, vi } from 'vitest';
import { formatTime, zoneOffsetMs } from './time-format.ts';

const moment = Date.UTC(2024, 4, 17, 3, 5, 9);

afterEach(() => vi.unstubAllEnvs());

it('writes every form on a 24-hour clock', () => {
  const forms = ['year', 'month', 'day', 'minute', 'second', 'date', 'date-minute', 'date-second'] as const;
  expect(forms.map((form) => formatTime(moment, form, 'utc'))).toEqual([
    '2024',
    'May',
    '17 May',
    '03:05',
    '03:05:09',
    'Fri, 17 May 2024',
    'Fri, 17 May 2024, 03:05',
    'Fri, 17 May 2024, 03:05:09',
  ]);
  expect(formatTime(Date.UTC(2024, 4, 17), 'minute', 'utc')).toBe('00:00');
});

it('knows the offset on both sides of a summer-time change', () => {
  vi.stubEnv('TZ', 'America/New_York');
  const hours = (timeMs: number) => zoneOffsetMs(timeMs, 'local') / 3_600_000;
  expect(hours(Date.UTC(2024, 2, 10, 6, 59))).toBe(-5);
  expect(hours(Date.UTC(2024, 2, 10, 7, 0))).toBe(-4);
  expect(zoneOffsetMs(moment, 'utc')).toBe(0);
});
