/** Bars filled in while reading, against plain loops over minutes; and Kraken's own empty minutes. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasSharedData, sharedDataPath } from '../../../../test/support/shared-data.ts';
import type { Prng } from '../../../core/prng.ts';
import { createPrng } from '../../../core/prng.ts';
import type { ColumnSet } from '../../../market/columns.ts';
import { columnNamed, columnOf, textColumn, valueAt } from '../../../market/columns.ts';
import type { GapMode } from '../../../market/schema.ts';
import { nsFromMs } from '../../../market/time.ts';
import type { BarsRequest, Database } from '../../database.ts';
import { open } from '../../open.ts';

const minuteMs = 60_000;

interface Tick {
  ms: number;
  symbol: string;
  price: number;
  size: number;
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function opened(directory: string | null): Promise<Database> {
  const database = await open({ directory });
  cleanups.push(() => database.close());
  return database;
}

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-gaps-'));
  cleanups.push(() => rm(directory, { recursive: true }));
  return directory;
}

async function createTrades(database: Database): Promise<void> {
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
      { name: 'size', type: { kind: 'int64' } },
    ],
  });
}

async function write(database: Database, ticks: readonly Tick[]): Promise<void> {
  const columns = {
    time: columnOf(
      'timestamp',
      ticks.map(({ ms }) => nsFromMs(ms)),
    ),
    symbol: textColumn(ticks.map(({ symbol }) => symbol)),
    price: columnOf(
      'double',
      ticks.map(({ price }) => price),
    ),
    size: columnOf(
      'int64',
      ticks.map(({ size }) => BigInt(size)),
    ),
  };
  await database.write('trades', { rowCount: ticks.length, columns });
}

const shown = ['time', 'symbol', 'open', 'high', 'low', 'close', 'volume', 'vwap', 'trades', 'bar_state'];

function texts(set: ColumnSet): string[] {
  return Array.from({ length: set.rowCount }, (_, row) =>
    shown
      .map((name) => {
        const column = columnNamed(set, name);
        const value = column ? valueAt(column, row) : undefined;
        return name === 'time' ? String((value as bigint) / 1_000_000n) : String(value);
      })
      .join(' '),
  );
}

/** Minutes of Shanghai's sessions, or all. */
function isOpen(ms: number, calendar: boolean): boolean {
  if (!calendar) return true;
  const local = new Date(ms + 8 * 3_600_000);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const isWeekday = local.getUTCDay() % 6 !== 0;
  return isWeekday && ((minute >= 570 && minute < 690) || (minute >= 780 && minute < 900));
}

/** Bars of `width` minutes with gaps filled, by (start, first appearance of the symbol). */
function expected(
  ticks: readonly Tick[],
  { gaps, width, calendar }: { gaps: GapMode; width: number; calendar: boolean },
): string[] {
  const symbols = [...new Set(ticks.map(({ symbol }) => symbol))];
  const widthMs = width * minuteMs;
  const newest = Math.max(...ticks.map(({ ms }) => ms));
  const lines: { start: number; series: number; text: string }[] = [];
  for (const [series, symbol] of symbols.entries()) {
    const own = ticks.filter((tick) => tick.symbol === symbol).sort((a, b) => a.ms - b.ms);
    const first = Math.floor(own[0].ms / widthMs) * widthMs;
    let close = 0;
    for (let start = first; start <= newest; start += widthMs) {
      if (!isOpen(start, calendar)) continue;
      const inside = own.filter(({ ms }) => ms >= start && ms < start + widthMs);
      let text = `${start} ${symbol} `;
      if (inside.length > 0) {
        const prices = inside.map(({ price }) => price);
        const volume = inside.reduce((sum, { size }) => sum + size, 0);
        const vwap = inside.reduce((sum, { price, size }) => sum + price * size, 0) / volume;
        close = prices[prices.length - 1];
        const isFirst = start === first && own[0].ms > start;
        const state = start + widthMs > newest ? 'live' : isFirst ? 'first' : 'complete';
        text += [
          prices[0],
          Math.max(...prices),
          Math.min(...prices),
          close,
          volume,
          vwap,
          inside.length,
        ].join(' ');
        text += ` ${state}`;
      } else if (gaps === 'none') continue;
      else if (gaps === 'flat') text += `${close} ${close} ${close} ${close} 0 ${close} 0 filled`;
      else text += 'null null null null null null null filled';
      lines.push({ start, series, text });
    }
  }
  lines.sort((a, b) => a.start - b.start || a.series - b.series);
  return lines.map(({ text }) => text);
}

/** Sparse ticks of three symbols, prices and sizes such that sums are exact; some symbols begin or end early. */
function randomTicks(prng: Prng, fromMs: number, minutes: number, calendar: boolean): Tick[] {
  const ticks: Tick[] = [];
  const spans: Record<string, [number, number]> = { A: [0, 0.4], B: [0, 1], C: [0.5, 0.9] };
  for (const [symbol, [begin, end]] of Object.entries(spans)) {
    for (let i = 0; i < 12; i++) {
      const share = begin + (end - begin) * prng.next();
      const ms = fromMs + Math.floor(minutes * share) * minuteMs + prng.below(4) * 15_000;
      if (isOpen(ms, calendar))
        ticks.push({ ms, symbol, price: 64 + prng.below(64) / 4, size: 1 << prng.below(3) });
    }
  }
  const distinct = [...new Map(ticks.map((tick) => [`${tick.symbol}${tick.ms}`, tick])).values()];
  // Some come late, to buckets that were empty when they passed.
  const orderOf = new Map(
    distinct.map((tick) => [tick, tick.ms + (prng.below(4) ? 0 : prng.below(minutes) * minuteMs)]),
  );
  return distinct.sort((a, b) => (orderOf.get(a) ?? 0) - (orderOf.get(b) ?? 0));
}

async function pages(database: Database, request: BarsRequest): Promise<string[]> {
  const lines: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await database.bars({ ...request, ...(cursor === undefined ? {} : { cursor }) });
    lines.push(...texts(page));
    expect(page.rowCount).toBeLessThanOrEqual(request.limit ?? Number.POSITIVE_INFINITY);
    cursor = page.cursor;
  }
  return lines;
}

/** Start of the newest minute with a tick of the symbol: what ends by then has closed. */
function newestMinute(ticks: readonly Tick[], symbol: string): number {
  const times = ticks.filter((tick) => tick.symbol === symbol).map(({ ms }) => ms);
  return Math.floor(Math.max(...times) / minuteMs) * minuteMs;
}

interface Case {
  seed: number;
  calendar: boolean;
  isOnDisk: boolean;
}

async function check({ seed, calendar, isOnDisk }: Case): Promise<void> {
  const prng = createPrng(seed);
  const directory = isOnDisk ? await temporary() : null;
  let database = await opened(directory);
  await createTrades(database);
  const candles = { source: 'trades', price: 'price', volume: 'size', timeframes: ['1m', '15m'] };
  await database.createCandles({ ...candles, gaps: 'flat', ...(calendar ? { calendar: 'XSHG' } : {}) });
  // A Thursday afternoon to Monday in Shanghai, or a few hours.
  const fromMs = calendar ? Date.UTC(2024, 4, 16, 6, 30) : Date.UTC(2024, 4, 16, 23, 0);
  const minutes = calendar ? 4 * 1440 : 150;
  const ticks = randomTicks(prng, fromMs, minutes, calendar);
  for (let from = 0; from < ticks.length; ) {
    const to = from + 1 + prng.below(6);
    await write(database, ticks.slice(from, to));
    if (isOnDisk && prng.below(2) === 0) await database.flush();
    from = to;
  }
  if (isOnDisk) {
    await database.close();
    database = await opened(directory);
  }
  for (let i = 0; i < 12; i++) {
    const gaps = (['flat', 'flat', 'null', 'none'] as const)[prng.below(4)];
    const width = [1, 5, 15][prng.below(3)];
    const all = expected(ticks, { gaps, width, calendar });
    const live = prng.below(4) > 0;
    const timeOf = (line: string): number => Number(line.split(' ')[0]);
    const bound = (): number => fromMs + prng.below(minutes * 2) * 30_000 - minuteMs * 10;
    const from = prng.below(2) ? bound() : null;
    const to = prng.below(2) ? bound() : null;
    const symbol = [undefined, 'A', 'B', 'C'][prng.below(4)];
    const order = prng.below(2) ? ('asc' as const) : ('desc' as const);
    const wanted = all.filter(
      (line) =>
        (from === null || timeOf(line) >= from) &&
        (to === null || timeOf(line) < to) &&
        (symbol === undefined || line.split(' ')[1] === symbol) &&
        (live || timeOf(line) + width * minuteMs <= newestMinute(ticks, line.split(' ')[1])),
    );
    const request: BarsRequest = {
      table: 'trades',
      timeframe: `${width}m`,
      flags: true,
      live,
      order,
      ...(gaps === 'flat' ? {} : { gaps }),
      ...(from === null ? {} : { fromNs: nsFromMs(from) }),
      ...(to === null ? {} : { toNs: nsFromMs(to) }),
      ...(symbol === undefined ? {} : { series: { symbol } }),
      ...(prng.below(3) === 0 ? {} : { limit: 1 + prng.below(40) }),
    };
    expect(await pages(database, request), JSON.stringify({ ...request, fromNs: from, toNs: to })).toEqual(
      order === 'asc' ? wanted : wanted.reverse(),
    );
  }
}

describe('bars filled in while reading', () => {
  it.each(Array.from({ length: 30 }, (_, seed) => seed))('around the clock, seed %d', (seed) =>
    check({ seed, calendar: false, isOnDisk: false }),
  );
  it.each(Array.from({ length: 15 }, (_, seed) => 100 + seed))('in Shanghai, seed %d', (seed) =>
    check({ seed, calendar: true, isOnDisk: false }),
  );
  it.each([200, 201, 202, 203, 204, 205])('from the disk, seed %d', (seed) =>
    check({ seed, calendar: seed % 2 === 0, isOnDisk: true }),
  );
});

describe('what is filled', () => {
  it('nothing before the first bar of all, and up to the newest row of the table', async () => {
    const database = await opened(null);
    await createTrades(database);
    await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1s'] });
    const t = Date.UTC(2024, 0, 2);
    await write(database, [{ ms: t, symbol: 'A', price: 1, size: 1 }]);
    await write(database, [{ ms: t + 3500, symbol: 'B', price: 2, size: 1 }]);
    const bars = await database.bars({
      table: 'trades',
      timeframe: '1s',
      gaps: 'flat',
      fromNs: 0n,
      series: { symbol: 'A' },
    });
    expect(bars.rowCount).toBe(4);
    const closed = await database.bars({ table: 'trades', timeframe: '1s', gaps: 'flat', live: false });
    expect(closed.rowCount).toBe(0);
  });

  it('a read of too many bars is refused, one with a limit is not', async () => {
    const database = await opened(null);
    await createTrades(database);
    await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1s'], gaps: 'flat' });
    await write(database, [{ ms: Date.UTC(2014, 0, 1), symbol: 'A', price: 1, size: 1 }]);
    await write(database, [{ ms: Date.UTC(2024, 0, 1), symbol: 'A', price: 2, size: 1 }]);
    await expect(database.bars({ table: 'trades', timeframe: '1s' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    const newest = await database.bars({
      table: 'trades',
      timeframe: '1s',
      order: 'desc',
      limit: 3,
      flags: true,
    });
    expect(texts(newest).map((line) => line.split(' ').at(-1))).toEqual(['live', 'filled', 'filled']);
  });

  it('nothing from before what retention has left', async () => {
    const nowMs = Date.UTC(2024, 0, 11, 12);
    const clock = { nowMs: () => nowMs, monotonicMs: () => 0 };
    const database = await open({ directory: await temporary(), clock });
    cleanups.push(() => database.close());
    await createTrades(database);
    const candles = { source: 'trades', price: 'price', timeframes: ['1d'], gaps: 'flat' } as const;
    await database.createCandles({ ...candles, timeframes: ['1d'] });
    const day = (date: number): number => Date.UTC(2024, 0, date, 12);
    await write(database, [
      { ms: day(1), symbol: 'A', price: 1, size: 1 },
      { ms: day(2), symbol: 'B', price: 2, size: 1 },
      { ms: day(8), symbol: 'B', price: 3, size: 1 },
      { ms: day(10), symbol: 'C', price: 4, size: 1 },
    ]);
    await database.alterTable('trades_1d', { retention: '5d' });
    await database.applyRetention();
    const bars = await database.bars({ table: 'trades', timeframe: '1d', columns: ['symbol', 'close'] });
    const texts = Array.from({ length: bars.rowCount }, (_, row) =>
      bars.columns.map((column) => valueAt(column, row)).join(' '),
    );
    expect(texts).toEqual(['B 3', 'B 3', 'B 3', 'C 4']);
  });

  it('up to the present, by the clock, where rows come as they happen', async () => {
    let nowMs = Date.UTC(2024, 0, 11, 12, 0, 30);
    const clock = { nowMs: () => nowMs, monotonicMs: () => 0 };
    const database = await open({ directory: null, clock });
    cleanups.push(() => database.close());
    await createTrades(database);
    await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m'], gaps: 'flat' });
    await write(database, [{ ms: nowMs - 100, symbol: 'A', price: 1, size: 1 }]);
    nowMs += 3 * minuteMs;
    const bars = await database.bars({ table: 'trades', timeframe: '1m', flags: true });
    const states = texts(bars).map((line) => line.split(' ').at(-1));
    expect(states).toEqual(['first', 'filled', 'filled', 'filled']);
  });

  it('gaps and flags are of rollups only, and known words', async () => {
    const database = await opened(null);
    await createTrades(database);
    await expect(database.read({ table: 'trades', flags: true })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const candles = { source: 'trades', price: 'price', timeframes: ['1m'] };
    await database.createCandles(candles);
    expect((await database.alterTable('trades_1m', { gaps: 'flat' })).rollup).toMatchObject({ gaps: 'flat' });
    await expect(database.alterTable('trades', { gaps: 'flat' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    const gaps = 'full' as GapMode;
    await expect(database.createCandles({ ...candles, gaps, timeframes: ['5m'] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe.skipIf(!hasSharedData)("Kraken's own empty minutes", () => {
  it('are flat bars at the previous close without volume', async () => {
    type Row = [number, string, string, string, string, string, string, number];
    const file = (name: string): unknown =>
      JSON.parse(readFileSync(sharedDataPath(`crypto/kraken_XBTUSDT_${name}_part1.json`), 'utf8'));
    const trades = (file('trades_2025-11-10') as { result: { XBTUSDT: [string, string, number][] } }).result
      .XBTUSDT;
    const own = (file('ohlc_1m_2025-11-10') as { result: { XBTUSDT: Row[] } }).result.XBTUSDT;
    const database = await opened(null);
    const decimal = { kind: 'decimal' } as const;
    await database.createTable({
      name: 'kraken',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: [],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
        { name: 'price', type: decimal },
        { name: 'size', type: decimal },
      ],
    });
    const candles = {
      source: 'kraken',
      price: 'price',
      volume: 'size',
      timeframes: ['1m'],
      gaps: 'flat',
    } as const;
    await database.createCandles({ ...candles, timeframes: ['1m'] });
    const decimalOf = (text: string) => {
      const [whole, rest = ''] = text.split('.');
      return { coefficient: BigInt(whole + rest), scale: rest.length };
    };
    await database.write('kraken', {
      rowCount: trades.length,
      columns: {
        time: columnOf(
          'timestamp',
          trades.map(([, , time]) => BigInt(Math.round(time * 1e6)) * 1000n),
        ),
        price: columnOf(
          'decimal',
          trades.map(([price]) => decimalOf(price)),
        ),
        size: columnOf(
          'decimal',
          trades.map(([, size]) => decimalOf(size)),
        ),
      },
    });
    const firstWhole = (Math.floor(trades[0][2] / 60) + 1) * 60;
    const wanted = own.filter(([time]) => time >= firstWhole);
    const bars = await database.bars({
      table: 'kraken',
      timeframe: '1m',
      fromNs: BigInt(firstWhole) * 1_000_000_000n,
    });
    const number = (name: string, row: number): number => {
      const column = columnNamed(bars, name);
      const value = column ? valueAt(column, row) : null;
      return typeof value === 'object' && value
        ? Number(value.coefficient) / 10 ** value.scale
        : Number(value);
    };
    const isEmpty = (row: Row): boolean => row[7] === 0;
    expect(wanted.filter(isEmpty)).toHaveLength(100);
    expect(bars.rowCount).toBe(wanted.length);
    for (const [row, bar] of wanted.entries()) {
      const own = bar.map(Number);
      const made = ['open', 'high', 'low', 'close', 'volume', 'trades'].map((name) => number(name, row));
      expect([number('time', row) / 1e9, ...made]).toEqual([
        own[0],
        own[1],
        own[2],
        own[3],
        own[4],
        own[6],
        own[7],
      ]);
    }
  });
});
