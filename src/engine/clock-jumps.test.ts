/**
 * The wall clock leaps by hours while ticks come: rows, bars and flushes go on, and what was told too early is
 * corrected.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ColumnSet, columnNamed, columnOf, textColumn, valueAt } from '../market/columns.ts';
import type { Database } from './database.ts';
import { open } from './open.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** 2024-03-01T12:00:00Z, the beginning of a minute. */
const noonMs = Date.UTC(2024, 2, 1, 12);

let directory: string;
let database: Database;
/** What the wall clock is ahead of the time at which ticks come. */
let aheadMs: number;
let nowMs: number;
const clock = { nowMs: () => nowMs + aheadMs, monotonicMs: () => performance.now() };

async function openIt(): Promise<void> {
  database = await open({ directory, clock, flushIntervalMs: 50 });
}

beforeEach(async () => {
  [nowMs, aheadMs] = [noonMs, 0];
  directory = await mkdtemp(join(tmpdir(), 'candela-clock-'));
  await openIt();
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
  const aggregates = [{ name: 'high', fn: 'max' as const, of: 'price' }];
  await database.createRollup({ name: 'minutes', source: 'trades', timeframe: '1m', aggregates });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

/** A tick of the present, whatever the wall clock says. */
async function tick(price: number): Promise<void> {
  const columns = {
    time: columnOf('timestamp', [BigInt(nowMs) * 1_000_000n]),
    symbol: textColumn(['A']),
    price: columnOf('double', [price]),
  };
  await database.write('trades', { rowCount: 1, columns });
}

/** Minutes after noon, and highest prices. */
function bars(set: ColumnSet): [minute: number, high: number][] {
  const [time, high] = ['time', 'high'].map((name) => columnNamed(set, name));
  return Array.from({ length: set.rowCount }, (_, row) => [
    (Number(valueAt(time as never, row)) / 1e6 - noonMs) / minuteMs,
    Number(valueAt(high as never, row)),
  ]);
}

async function told(): Promise<() => Promise<[type: string, minute: number, high: number][]>> {
  const subscription = await database.subscribe({ table: 'minutes', closed: true, live: false });
  return async () => {
    // Bars that time has passed are looked for four times a second.
    await new Promise((resolve) => setTimeout(resolve, 400));
    return subscription
      .take()
      .flatMap((event) =>
        'rows' in event ? bars(event.rows).map((bar) => [event.type, ...bar] as never) : [],
      );
  };
}

it('tells a bar as closed too early after a leap ahead, and corrects it', async () => {
  const events = await told();
  await tick(10);
  aheadMs = 5 * hourMs;
  expect(await events()).toEqual([['closed', 0, 10]]);
  nowMs += minuteMs / 2;
  await tick(12);
  expect(await events()).toEqual([['correction', 0, 12]]);
  aheadMs = 0;
  nowMs += minuteMs;
  await tick(7);
  nowMs += minuteMs + 2_000;
  expect(await events()).toEqual([['closed', 1, 7]]);
  expect(bars(await database.read({ table: 'minutes' }))).toEqual([
    [0, 12],
    [1, 7],
  ]);
});

it('closes bars by their ticks after a leap back, and by the clock once that is right again', async () => {
  const events = await told();
  await tick(10);
  aheadMs = -5 * hourMs;
  nowMs += 2 * minuteMs;
  expect(await events()).toEqual([]);
  await tick(11);
  expect(await events()).toEqual([['closed', 0, 10]]);
  aheadMs = 0;
  await tick(12);
  nowMs += minuteMs + 2_000;
  expect(await events()).toEqual([['closed', 2, 12]]);
});

it('keeps every row, goes on flushing and starts again, however the clock leaps', async () => {
  const expected: [number, number][] = [];
  for (const [minute, hours] of [5, -5, 48, -48, 0, 1].entries()) {
    aheadMs = hours * hourMs;
    await tick(minute);
    await tick(minute + 0.5);
    expected.push([minute, minute + 0.5]);
    const { flushes } = await database.status();
    await expect.poll(async () => (await database.status()).flushedLsn).toBe((await database.status()).lsn);
    expect((await database.status()).flushes).toBeGreaterThanOrEqual(flushes);
    if (minute % 2 === 1) {
      await database.close();
      await openIt();
    }
    nowMs += minuteMs;
  }
  const ticks = await database.read({ table: 'trades' });
  expect(ticks.rowCount).toBe(12);
  expect(bars(await database.read({ table: 'minutes' }))).toEqual(expected);
});
