/** Bars of time zones and of markets' sessions in the running engine, against bars made by hand from the same ticks. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasSharedData, sharedDataPath } from '../../test/support/shared-data.ts';
import { createPrng } from '../core/prng.ts';
import type { ColumnSet } from '../market/columns.ts';
import { columnNamed, columnOf, textColumn, valueAt } from '../market/columns.ts';
import type { Database } from './database.ts';
import { open } from './open.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-calendars-'));
  database = await open({ directory });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' }, nullable: false },
      { name: 'size', type: { kind: 'double' } },
    ],
  });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

async function reopen(): Promise<void> {
  await database.close();
  database = await open({ directory });
}

interface Tick {
  ms: number;
  symbol: string;
  price: number;
  size: number;
}

async function write(ticks: Tick[]): Promise<void> {
  const columns = {
    time: columnOf(
      'timestamp',
      ticks.map(({ ms }) => BigInt(Math.round(ms)) * 1_000_000n),
    ),
    symbol: textColumn(ticks.map(({ symbol }) => symbol)),
    price: columnOf(
      'double',
      ticks.map(({ price }) => price),
    ),
    size: columnOf(
      'double',
      ticks.map(({ size }) => size),
    ),
  };
  await database.write('trades', { rowCount: ticks.length, columns });
}

/** `start symbol open high low close volume trades` of each bar, in order. */
function texts(set: ColumnSet): string[] {
  const names = ['time', 'symbol', 'open', 'high', 'low', 'close', 'volume', 'trades'];
  return Array.from({ length: set.rowCount }, (_, row) =>
    names
      .map((name) => {
        const column = columnNamed(set, name);
        const value = column ? valueAt(column, row) : undefined;
        return name === 'time'
          ? new Date(Number((value as bigint) / 1_000_000n)).toISOString()
          : String(value);
      })
      .join(' '),
  );
}

/** The bars of all ticks, each in the bucket whose start `startOf` says; null for none. */
function naive(ticks: readonly Tick[], startOf: (ms: number) => number | null): string[] {
  const bars = new Map<string, Tick[]>();
  for (const tick of [...ticks].sort((a, b) => a.ms - b.ms)) {
    const start = startOf(tick.ms);
    if (start === null) continue;
    const key = `${new Date(start).toISOString()} ${tick.symbol}`;
    bars.set(key, [...(bars.get(key) ?? []), tick]);
  }
  return [...bars]
    .map(([key, inside]) => {
      const prices = inside.map(({ price }) => price);
      const volume = inside.reduce((sum, { size }) => sum + size, 0);
      const [high, low] = [Math.max(...prices), Math.min(...prices)];
      return `${key} ${prices[0]} ${high} ${low} ${prices.at(-1)} ${volume} ${inside.length}`;
    })
    .sort();
}

/** Ticks in the order of arrival: most ascend, some are late by up to two days. */
function randomTicks(seed: number, fromMs: number, toMs: number, count: number): Tick[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, i) => {
    const at = fromMs + ((toMs - fromMs) * i) / count;
    const late = prng.next() < 0.1 ? prng.next() * 2 * 86_400_000 : 0;
    return {
      // Distinct times, so that the order of equal times does not matter here.
      ms: Math.max(fromMs, Math.floor((at - late) / 1000) * 1000) + (i % 1000),
      symbol: prng.next() < 0.5 ? 'A' : 'B',
      price: Math.round(prng.next() * 1000),
      size: Math.round(prng.next() * 10),
    };
  });
}

/** Writes in parts, with a flush and restarts between. */
async function writeWithRestarts(ticks: Tick[]): Promise<void> {
  const part = Math.ceil(ticks.length / 4);
  for (let i = 0; i < 4; i++) {
    await write(ticks.slice(i * part, (i + 1) * part));
    if (i === 1) await database.flush();
    if (i !== 2) await reopen();
  }
}

async function barsOf(timeframe: string, more: object = {}): Promise<string[]> {
  return texts(await database.bars({ table: 'trades', timeframe, ...more })).sort();
}

describe('rollups in a time zone', () => {
  it('survive restarts through a change of the clocks and equal a recomputation', async () => {
    const timeZone = 'America/New_York';
    const timeframes = ['1h', '1d', '1w', '1mo'];
    await database.createCandles({ source: 'trades', price: 'price', volume: 'size', timeframes, timeZone });
    const ticks = randomTicks(1, Date.UTC(2024, 1, 20), Date.UTC(2024, 3, 5), 3_000);
    await writeWithRestarts(ticks);
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone });
    const midnight = (date: string): number => {
      const guess = Date.parse(`${date}T05:00:00Z`);
      return format.format(guess - 1) === date ? guess - 3_600_000 : guess;
    };
    const dayOf = (ms: number): string => format.format(ms);
    const weekOf = (ms: number): string => {
      const day = Date.parse(dayOf(ms));
      return new Date(day - ((new Date(day).getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10);
    };
    expect(await barsOf('1h')).toEqual(naive(ticks, (ms) => Math.floor(ms / 3_600_000) * 3_600_000));
    expect(await barsOf('1d')).toEqual(naive(ticks, (ms) => midnight(dayOf(ms))));
    expect(await barsOf('1w')).toEqual(naive(ticks, (ms) => midnight(weekOf(ms))));
    expect(await barsOf('1mo')).toEqual(naive(ticks, (ms) => midnight(`${dayOf(ms).slice(0, 7)}-01`)));
    // Not stored: quarters from months in the same zone.
    expect(await barsOf('1q')).toEqual(
      naive(ticks, (ms) => midnight(dayOf(ms) < '2024-04' ? '2024-01-01' : '2024-04-01')),
    );
  });

  it('can be asked of bars in UTC that fit', async () => {
    await database.createCandles({ source: 'trades', price: 'price', volume: 'size', timeframes: ['1h'] });
    const ticks = randomTicks(2, Date.UTC(2024, 9, 1), Date.UTC(2024, 9, 12), 500);
    await write(ticks);
    const shanghai = naive(
      ticks,
      (ms) => Math.floor((ms + 8 * 3_600_000) / 86_400_000) * 86_400_000 - 8 * 3_600_000,
    );
    expect(await barsOf('1d', { timeZone: 'Asia/Shanghai' })).toEqual(shanghai);
    const pages: string[] = [];
    let cursor: string | null = null;
    do {
      const request = {
        table: 'trades',
        timeframe: '1d',
        timeZone: 'Asia/Shanghai',
        order: 'desc',
        limit: 3,
      } as const;
      const page = await database.bars(cursor === null ? request : { ...request, cursor });
      pages.push(...texts(page));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(pages.sort()).toEqual(shanghai);
    await expect(barsOf('1d', { timeZone: 'Asia/Kolkata' })).rejects.toThrow(
      '1d in Asia/Calcutta could be made of',
    );
  });
});

describe('rollups of a calendar', () => {
  /** Shanghai by hand: UTC+8, sessions 01:30–03:30 and 05:00–07:00 UTC, 15 minutes early, 1 minute late. */
  function sessionOf(ms: number): { open: number; close: number } | null {
    const day = Math.floor(ms / 86_400_000) * 86_400_000;
    const date = new Date(day).toISOString().slice(0, 10);
    // Spring Festival of 2024: 9 to 16 February.
    if ([0, 6].includes(new Date(day).getUTCDay()) || (date >= '2024-02-09' && date <= '2024-02-16'))
      return null;
    const minute = (ms - day) / 60_000;
    if (minute >= 75 && minute <= 211) return { open: day + 90 * 60_000, close: day + 210 * 60_000 };
    if (minute >= 285 && minute <= 421) return { open: day + 300 * 60_000, close: day + 420 * 60_000 };
    return null;
  }

  function startOf(widthMs: number): (ms: number) => number | null {
    return (ms) => {
      const session = sessionOf(ms);
      if (!session) return null;
      const within = Math.min(Math.max(ms, session.open), session.close - 1) - session.open;
      return session.open + Math.floor(within / widthMs) * widthMs;
    };
  }

  const dayStart = (ms: number): number | null =>
    sessionOf(ms) && Math.floor(ms / 86_400_000) * 86_400_000 + 90 * 60_000;

  it('survive restarts and equal a recomputation; ticks outside sessions stay ticks', async () => {
    const timeframes = ['1m', '7m', '1h', '1d', '1w'];
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes,
      calendar: 'XSHG',
    });
    const ticks = randomTicks(3, Date.UTC(2024, 1, 5), Date.UTC(2024, 1, 24), 4_000);
    await writeWithRestarts(ticks);
    expect(await barsOf('1m')).toEqual(naive(ticks, startOf(60_000)));
    expect(await barsOf('7m')).toEqual(naive(ticks, startOf(420_000)));
    expect(await barsOf('1h')).toEqual(naive(ticks, startOf(3_600_000)));
    expect(await barsOf('30m')).toEqual(naive(ticks, startOf(1_800_000)));
    expect(await barsOf('1d')).toEqual(naive(ticks, dayStart));
    // Weeks begin on Mondays, 5 and 19 February; the holiday is between.
    const week = (ms: number): number | null =>
      sessionOf(ms) && Date.UTC(2024, 1, ms < Date.UTC(2024, 1, 12) ? 5 : 19) + 90 * 60_000;
    expect(await barsOf('1w')).toEqual(naive(ticks, week));
    expect((await database.read({ table: 'trades', limit: 10_000 })).rowCount).toBe(ticks.length);
  });

  it('made over history equal those that were there from the beginning', async () => {
    const ticks = randomTicks(4, Date.UTC(2024, 1, 19), Date.UTC(2024, 1, 24), 1_000);
    await write(ticks);
    await database.createCandles({
      source: 'trades', price: 'price', volume: 'size', timeframes: ['1h', '1d'], calendar: 'XSHG',
    }); // biome-ignore format: one request
    expect(await barsOf('1h')).toEqual(naive(ticks, startOf(3_600_000)));
    expect(await barsOf('1d')).toEqual(naive(ticks, dayStart));
    expect(database.status().ticksOutsideSessions).toBe(0);
    await write([{ ms: Date.UTC(2024, 1, 26), symbol: 'A', price: 1, size: 1 }]);
    expect(database.status().ticksOutsideSessions).toBe(1);
  });

  it('refuse a source of other buckets, an unknown calendar and a misshapen one', async () => {
    const aggregates = [{ name: 'close', fn: 'last', of: 'price' }] as const;
    const rollup = { name: 'm', source: 'trades', timeframe: '1m', aggregates: [...aggregates] };
    await database.createRollup(rollup);
    const hours = {
      name: 'h',
      source: 'm',
      timeframe: '1h',
      aggregates: [{ name: 'close', fn: 'last' as const, of: 'close' }],
    };
    await expect(database.createRollup({ ...hours, calendar: 'XNYS' })).rejects.toThrow(
      '1h of XNYS is not whole 1m bars',
    );
    await expect(database.createRollup({ ...hours, calendar: 'NOWHERE' })).rejects.toThrow(
      "no calendar 'NOWHERE'",
    );
    await expect(database.createRollup({ ...hours, calendar: {} as never })).rejects.toThrow('misshapen');
    await expect(database.createRollup({ ...hours, calendar: null as never })).rejects.toThrow(
      'is not a calendar',
    );
  });
});

describe('bars stamped at the close', () => {
  it('show the end of their bucket, stored or merged, and are otherwise the same', async () => {
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes: ['1h'],
      calendar: 'XHKG',
    });
    const at = (time: string): Tick => ({
      ms: Date.parse(`2024-05-17T${time}+08:00`),
      symbol: 'A',
      price: 1,
      size: 1,
    });
    await write([at('09:40'), at('11:45'), at('15:59')]);
    const times = (bars: string[]): string[] => bars.map((text) => text.slice(11, 16));
    expect(times(await barsOf('1h'))).toEqual(['01:30', '03:30', '07:00']);
    expect(times(await barsOf('1h', { stamp: 'close' }))).toEqual(['02:30', '04:00', '08:00']);
    expect(times(await barsOf('1d', { stamp: 'close' }))).toEqual(['08:00']);
    const rows = await database.read({ table: 'trades_1h', stamp: 'close', limit: 1 });
    expect(times(texts(rows))).toEqual(['02:30']);
    await expect(barsOf('1h', { stamp: 'middle' })).rejects.toThrow("stamp 'middle'");
  });
});

describe.skipIf(!hasSharedData)('recorded markets', () => {
  function gunzipped(path: string): string[] {
    return gunzipSync(readFileSync(sharedDataPath(path)))
      .toString()
      .trim()
      .split('\n');
  }

  it('Kweichow Moutai, 2023-02-01: auctions in the first and the last of 240 minutes', async () => {
    const ticks = gunzipped('cn/sse_600519_trades_2023-02-01.csv.gz')
      .slice(1)
      .map((line, i) => {
        const cells = line.split(',');
        return {
          ms: Date.parse(`2023-02-01T${cells[4]}+08:00`),
          symbol: '600519',
          price: +cells[5],
          size: +cells[6],
          order: +cells[1],
          i,
        };
      });
    ticks.sort((a, b) => a.order - b.order);
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes: ['1m', '1h', '1d'],
      calendar: 'XSHG',
    });
    await write(ticks);
    expect(database.status().ticksOutsideSessions).toBe(0);
    const minutes = await barsOf('1m');
    const volumes = minutes.map((text) => Number(text.split(' ')[6]));
    expect(volumes.reduce((a, b) => a + b, 0)).toBe(ticks.reduce((sum, { size }) => sum + size, 0));
    const between = (from: string, to: string): number =>
      ticks
        .filter(
          ({ ms }) =>
            ms >= Date.parse(`2023-02-01T${from}+08:00`) && ms < Date.parse(`2023-02-01T${to}+08:00`),
        )
        .reduce((sum, { size }) => sum + size, 0);
    expect(volumes[0]).toBe(between('09:15:00', '09:31:00'));
    expect(volumes.at(-1)).toBe(between('14:59:00', '15:01:00'));
    expect(minutes[0]).toMatch(/^2023-02-01T01:30:00/);
    expect(minutes.at(-1)).toMatch(/^2023-02-01T06:59:00/);
    expect(minutes.filter((text) => text > '2023-02-01T03:30' && text < '2023-02-01T05:00')).toEqual([]);
    const hours = (await barsOf('1h')).map((text) => text.slice(11, 16));
    expect(hours).toEqual(['01:30', '02:30', '05:00', '06:00']);
    expect(await barsOf('1d')).toHaveLength(1);
  });

  it('SPY, March 2011: days of 390 minutes on both sides of the change of the clocks', async () => {
    await database.createRollup({
      name: 'days', source: 'trades', timeframe: '1d', calendar: 'XNYS',
      aggregates: [
        { name: 'close', fn: 'last', of: 'price' },
        { name: 'bars', fn: 'count' },
      ],
    }); // biome-ignore format: one request
    // Minutes are labelled with their end; their close stands a second before it.
    const ticks = gunzipped('us/spy_bars_1m_2011-03.csv.gz').map((line) => {
      const [label, , , , close, volume] = line.split(';');
      const iso = label.replace(/^(....)(..)(..) (..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z');
      return { ms: Date.parse(iso) - 1000, symbol: 'SPY', price: +close, size: +volume };
    });
    await write(ticks);
    const days = await database.read({ table: 'days' });
    const daily = readFileSync(sharedDataPath('us/spy_daily_2011-03.csv'), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .reverse();
    expect(days.rowCount).toBe(daily.length);
    const at = (name: string, row: number): number =>
      Number(valueAt(columnNamed(days, name) ?? days.columns[0], row));
    for (const [row, line] of daily.entries()) {
      const [date, , , , close] = line.split(',');
      const start = new Date(at('time', row) / 1e6).toISOString();
      expect(start).toBe(`${date}T${date < '2011-03-13' ? '14' : '13'}:30:00.000Z`);
      expect(at('bars', row)).toBe(390);
      // Another source's close, off by cents.
      expect(Math.abs(at('close', row) - +close)).toBeLessThan(0.08);
    }
    expect(database.status().ticksOutsideSessions).toBe(ticks.length - 390 * daily.length);
  });

  it('ES at CME: one session day on both sides of midnight UTC', async () => {
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes: ['1m', '1d'],
      calendar: 'CMES',
    });
    const lines = readFileSync(sharedDataPath('futures/cme_ES_NQ_bars_1m_2024-07-01T2340_0010.csv'), 'utf8')
      .trim()
      .split('\n');
    const ticks = lines.slice(1).map((line) => {
      const [ns, id, , , , close, volume] = line.split(',');
      return { ms: Number(BigInt(ns) / 1_000_000n), symbol: id, price: +close, size: +volume };
    });
    await write(ticks);
    expect((await barsOf('1d')).map((text) => text.split(' ').slice(0, 2))).toEqual([
      ['2024-07-01T22:00:00.000Z', '118'],
      ['2024-07-01T22:00:00.000Z', '4358'],
    ]);
  });
});
