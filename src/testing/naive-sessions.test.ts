import { expect, it } from 'vitest';
import { createBucketing } from '../market/bucketing.ts';
import type { NaiveMarket } from './naive-sessions.ts';
import { naiveSessionBucket } from './naive-sessions.ts';

const market: NaiveMarket = {
  timeZone: 'Europe/Berlin',
  weekly: [{ weekdays: [0, 1, 2, 3, 4, 5, 6], sessions: [[1200, 1590]] }],
  holidays: [],
  earlyMinutes: 90,
  lateMinutes: 720,
};
const calendar = {
  name: 'over midnight',
  timeZone: 'Europe/Berlin',
  from: '1970-01-01',
  to: '2099-12-31',
  earlyMinutes: 90,
  lateMinutes: 720,
  regular: [{ days: 'sun mon tue wed thu fri sat', sessions: ['20:00/+1 02:30'] }],
  holidays: [],
  special: [],
};

it.each([
  // Half past two comes twice: the session ends at the first.
  ['2023-10-29T00:10:00Z', '2023-10-29T00:10:00Z'],
  ['2023-10-29T00:40:00Z', '2023-10-29T00:29:00Z'],
  ['2023-10-29T01:40:00Z', '2023-10-29T00:29:00Z'],
  // Half past two is skipped: it ends with the change, at two.
  ['2024-03-31T00:20:00Z', '2024-03-31T00:20:00Z'],
  ['2024-03-31T01:10:00Z', '2024-03-31T00:59:00Z'],
])('a session that ends while the clocks change: %s is of the minute %s', (time, start) => {
  const ms = Date.parse(time);
  const bucket = naiveSessionBucket(market, '1m', BigInt(ms) * 1_000_000n);
  expect(Number(bucket?.startNs) / 1e6).toBe(Date.parse(start));
  expect(createBucketing('1m', { calendar }).bucketOf(ms * 1e6).start / 1e6).toBe(Date.parse(start));
});
