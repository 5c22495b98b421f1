import { expect, it } from 'vitest';
import { createBucketing } from '../../market/bucketing.ts';
import type { CalendarDef } from '../../market/calendar/calendar-def.ts';
import { splitTimes } from '../../market/time.ts';
import { TickFold } from './tick-fold.ts';

/** 10:00 to 11:00 UTC; ticks up to five minutes early or late belong to the first and the last bucket. */
const auctions: CalendarDef = {
  name: 'auctions',
  timeZone: 'UTC',
  from: '2024-01-01',
  to: '2024-12-31',
  earlyMinutes: 5,
  lateMinutes: 5,
  regular: [{ days: 'mon tue wed thu fri sat sun', sessions: ['10:00/11:00'] }],
  holidays: [],
  special: [],
};
const at = (text: string): bigint => BigInt(Date.parse(`2024-05-17T${text}Z`)) * 1_000_000n;

/** Bucket start, group and number of ticks of each partial bar. */
function fold(
  fold: TickFold,
  times: readonly bigint[],
  groups: readonly number[],
): [string, number, number][] {
  const t256 = new Float64Array(times.length);
  const rest = new Uint8Array(times.length);
  splitTimes(BigInt64Array.from(times), t256, rest);
  const group = Int32Array.from(groups);
  const partials = fold.fold({
    count: times.length,
    group,
    t256,
    rest,
    firstArrival: 0,
    arrivals: null,
    columns: [],
  });
  return Array.from({ length: partials.length }, (_, row) => [
    new Date(partials.start[row] / 1e6).toISOString().slice(11, 19),
    partials.group[row],
    partials.rows[row],
  ]);
}

it('puts ticks at the edges of a session into buckets that they do not lie in', () => {
  const times = ['09:56:00', '09:58:00', '10:00:00', '10:59:59', '11:00:00', '11:04:00', '12:00:00'].map(at);
  const ticks = new TickFold(createBucketing('1m', { calendar: auctions }), []);
  expect(fold(ticks, times, [0, 1, 0, 0, 0, 1, 0])).toEqual([
    ['10:00:00', 0, 2],
    ['10:00:00', 1, 1],
    ['10:59:00', 0, 2],
    ['10:59:00', 1, 1],
  ]);
  expect(ticks.outsideCount).toBe(1);
});

it('gives a group that returns to a bucket another row, and makes room for any number of both', () => {
  const ticks = new TickFold(createBucketing('1s'), []);
  const [early, late] = [at('10:00:00'), at('10:00:01')];
  expect(fold(ticks, [early, late, early, late], [7, 7, 7, 40])).toEqual([
    ['10:00:00', 7, 1],
    ['10:00:01', 7, 1],
    ['10:00:00', 7, 1],
    ['10:00:01', 40, 1],
  ]);
  const groups = Array.from({ length: 3_000 }, (_, i) => i % 1_500);
  const rows = fold(
    ticks,
    groups.map(() => early),
    groups,
  );
  expect(rows).toEqual(Array.from({ length: 1_500 }, (_, group) => ['10:00:00', group, 2]));
});
