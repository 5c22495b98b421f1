/** Adjusted reads: published figures, the formula by hand, and bars of adjusted ticks against adjusted bars. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasSharedData, sharedDataPath } from '../../../test/support/shared-data.ts';
import { createPrng } from '../../core/prng.ts';
import type { BucketingOptions } from '../../market/bucketing.ts';
import { createBucketing } from '../../market/bucketing.ts';
import type { ColumnSet, Scalar } from '../../market/columns.ts';
import { columnNamed, columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { ColumnRole, ColumnType, TableKind } from '../../market/schema.ts';
import { nsFromMs, parseTimeNs } from '../../market/time.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

let database: Database;
let directory: string | null = null;
beforeEach(async () => {
  database = await open({ directory: null });
});
afterEach(async () => {
  await database.close();
  if (directory) await rm(directory, { recursive: true });
  directory = null;
});

type Row = Record<string, Scalar>;

async function write(table: string, rows: readonly Row[]): Promise<void> {
  const def = database.table(table);
  const names = Object.keys(rows[0]);
  const columns = names.map((name) => {
    const values = rows.map((row) => row[name]);
    const kind = def?.columns.find((column) => column.name === name)?.type.kind ?? 'text';
    if (kind === 'text' || kind === 'json') return [name, textColumn(values as string[])] as const;
    return [name, columnOf(kind, values)] as const;
  });
  await database.write(table, { rowCount: rows.length, columns: Object.fromEntries(columns) });
}

/** Rows `symbol date kind value`, through the table that the first write makes. */
async function act(...lines: string[]): Promise<void> {
  const rows = lines.map((line) => line.split(' '));
  const number = (kind: string): number[] =>
    rows.map((row) => (row[2] === kind ? Number(row[3]) : Number.NaN));
  await database.write('corporate_actions', {
    rowCount: rows.length,
    columns: {
      symbol: textColumn(rows.map(([symbol]) => symbol)),
      ex_date: columnOf(
        'timestamp',
        rows.map(([, date]) => parseTimeNs(date)),
      ),
      kind: textColumn(rows.map(([, , kind]) => kind)),
      ratio: columnOf('double', number('split')),
      amount: columnOf('double', number('dividend')),
    },
  });
}

interface Shape {
  kind?: TableKind;
  price?: ColumnType;
  size?: ColumnType;
  /** Declared on the columns. */
  hasRoles?: boolean;
}

const double: ColumnType = { kind: 'double' };

async function createTrades({
  kind = 'ticks',
  price = double,
  size = double,
  hasRoles,
}: Shape = {}): Promise<void> {
  const role = (value: ColumnRole) => (hasRoles ? { role: value } : {});
  await database.createTable({
    name: 'trades',
    kind,
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: price, ...role('price') },
      { name: 'size', type: size, ...role('size') },
    ],
  });
}

function values(set: ColumnSet, name: string): Scalar[] {
  const column = columnNamed(set, name);
  return Array.from({ length: set.rowCount }, (_, row) => (column ? valueAt(column, row) : null));
}

const at = (text: string): bigint => parseTimeNs(text);
const candles = { source: 'trades', price: 'price', volume: 'size' };

describe('a split', () => {
  beforeEach(async () => {
    await createTrades();
    await database.createCandles({ ...candles, timeframes: ['1m', '1d', '1w'] });
    // A Tuesday and the Wednesday after: 2-for-1 on the Wednesday.
    await write('trades', [
      { time: at('2024-05-14T10:00'), symbol: 'A', price: 100, size: 10 },
      { time: at('2024-05-14T10:00:30'), symbol: 'B', price: 7, size: 1 },
      { time: at('2024-05-14T11:00'), symbol: 'A', price: 104, size: 10 },
      { time: at('2024-05-15T10:00'), symbol: 'A', price: 53, size: 30 },
    ]);
    await act('A 2024-05-15 split 2');
  });

  it('halves prices and doubles sizes before its date, of its symbol alone', async () => {
    const ticks = await database.read({ table: 'trades', adjust: 'split' });
    expect(values(ticks, 'price')).toEqual([50, 7, 52, 53]);
    expect(values(ticks, 'size')).toEqual([20, 1, 20, 30]);
    const days = await database.bars({
      table: 'trades',
      timeframe: '1d',
      adjust: 'split',
      series: { symbol: 'A' },
    });
    expect(values(days, 'high')).toEqual([52, 53]);
    expect(values(days, 'volume')).toEqual([40, 30]);
    expect(values(days, 'vwap')).toEqual([51, 53]);
    expect(values(days, 'trades')).toEqual([2n, 1n]);
    const raw = await database.read({ table: 'trades' });
    expect(values(raw, 'price')).toEqual([100, 7, 104, 53]);
  });

  it('within a week is made of days, stored week or not', async () => {
    const wanted = { open: [50], high: [53], low: [50], close: [53], volume: [70], trades: [3n] };
    const series = { symbol: 'A' };
    for (const timeframe of ['1w', '1mo']) {
      const bars = await database.bars({ table: 'trades', timeframe, adjust: 'split', series });
      for (const [name, expected] of Object.entries(wanted))
        expect([name, values(bars, name)]).toEqual([name, expected]);
    }
    const named = await database.read({ table: 'trades_1w', adjust: 'split', series });
    expect(values(named, 'close')).toEqual([53]);
    expect(values(await database.read({ table: 'trades_1w', series }), 'high')).toEqual([104]);
  });

  it('leaves the line of filled bars where it was', async () => {
    const bars = await database.bars({
      table: 'trades',
      timeframe: '12h',
      adjust: 'split',
      gaps: 'flat',
      flags: true,
      series: { symbol: 'A' },
    });
    expect(values(bars, 'close')).toEqual([52, 52, 53]);
    expect(values(bars, 'volume')).toEqual([40, 0, 30]);
    expect(values(bars, 'bar_state')).toEqual(['first', 'filled', 'live']);
  });

  it('that is corrected or added shows in the next read', async () => {
    const close = async (): Promise<Scalar[]> =>
      values(
        await database.bars({ table: 'trades', timeframe: '1d', adjust: 'split', series: { symbol: 'A' } }),
        'close',
      );
    expect(await close()).toEqual([52, 53]);
    await act('A 2024-05-15 split 4');
    expect(await close()).toEqual([26, 53]);
    await act('A 2024-05-16 split 0.5', 'B 2024-05-15 split 7');
    expect(await close()).toEqual([52, 106]);
  });

  it('that is only announced changes nothing', async () => {
    await act('A 2999-01-04 split 10');
    expect(values(await database.read({ table: 'trades', adjust: 'all' }), 'price')).toEqual([50, 7, 52, 53]);
  });
});

describe('a dividend', () => {
  it('lowers prices before by its share of the close before, sizes not at all', async () => {
    await createTrades({ size: { kind: 'int64' }, price: { kind: 'decimal', precision: 18, scale: 2 } });
    await database.createCandles({ ...candles, timeframes: ['1h', '1d'] });
    const decimal = (cents: number) => ({ coefficient: BigInt(cents), scale: 2 });
    await write('trades', [
      { time: at('2024-05-13T10:00'), symbol: 'A', price: decimal(8000), size: 4n },
      { time: at('2024-05-14T10:00'), symbol: 'A', price: decimal(10000), size: 4n },
      { time: at('2024-05-15T10:00'), symbol: 'A', price: decimal(4800), size: 4n },
      { time: at('2024-05-16T10:00'), symbol: 'A', price: decimal(5000), size: 4n },
    ]);
    // For each share held before: 4 of a close of 100, together with the split; then 2.4 of 48.
    await act('A 2024-05-15 split 2', 'A 2024-05-15 dividend 4', 'A 2024-05-16 dividend 2.4');
    const second = 1 - 2.4 / 48;
    const first = second * ((1 - 4 / 100) / 2);
    const all = await database.bars({ table: 'trades', timeframe: '1d', adjust: 'all' });
    const close = [80 * first, 100 * first, 48 * second, 50];
    for (const [row, value] of values(all, 'close').entries()) expect(value).toBeCloseTo(close[row], 12);
    expect(values(all, 'volume')).toEqual([8, 8, 4, 4]);
    const ticks = await database.read({ table: 'trades', adjust: 'all', columns: ['price', 'size'] });
    expect(values(ticks, 'price')).toEqual(values(all, 'close'));
    const splits = await database.bars({ table: 'trades', timeframe: '1d', adjust: 'split' });
    expect(values(splits, 'close')).toEqual([40, 50, 48, 50]);
  });

  it('is measured by the rows themselves where there are no bars', async () => {
    await createTrades({ hasRoles: true });
    await write('trades', [
      { time: at('2024-05-14T10:00'), symbol: 'A', price: 100, size: 4 },
      { time: at('2024-05-15T00:00'), symbol: 'A', price: 90, size: 4 },
    ]);
    await act('A 2024-05-15 dividend 10');
    expect(values(await database.read({ table: 'trades', adjust: 'all' }), 'price')).toEqual([90, 90]);
  });
});

describe('counters', () => {
  it('grow by as much as they did, in the terms of today', async () => {
    await createTrades();
    const { volume: cumulativeVolume, ...others } = candles;
    await database.createCandles({ ...others, cumulativeVolume, timeframes: ['1h', '1d', '1w'] });
    // A day's volume that starts anew, and by a reverse split is worth a tenth before.
    await write('trades', [
      { time: at('2024-05-14T10:00'), symbol: 'A', price: 1, size: 100 },
      { time: at('2024-05-14T10:30'), symbol: 'A', price: 1, size: 300 },
      { time: at('2024-05-14T11:30'), symbol: 'A', price: 1, size: 350 },
      { time: at('2024-05-15T10:00'), symbol: 'A', price: 10, size: 40 },
      { time: at('2024-05-15T11:00'), symbol: 'A', price: 10, size: 45 },
    ]);
    await act('A 2024-05-15 split 0.1');
    const hours = await database.bars({ table: 'trades', timeframe: '1h', adjust: 'split' });
    const expected = [20, 5, 40, 5];
    for (const [row, volume] of values(hours, 'volume').entries())
      expect(volume).toBeCloseTo(expected[row], 12);
    const week = await database.bars({ table: 'trades', timeframe: '1w', adjust: 'split' });
    expect(week.rowCount).toBe(1);
  });
});

describe('what cannot be adjusted says why', () => {
  it.each([
    ['A 2024-05-15 merger 2', "kind 'merger' is neither split nor dividend"],
    ['A 2024-05-15 split -1', 'a split needs a ratio above 0'],
    ['A 2024-05-15 dividend 100', 'is not below the close before, 100'],
  ])('%s', async (line, message) => {
    await createTrades({ hasRoles: true });
    await write('trades', [{ time: at('2024-05-14'), symbol: 'A', price: 100, size: 1 }]);
    await act(line);
    const read = database.read({ table: 'trades', adjust: 'all' });
    await expect(read).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it('a table without roles, a plain one, a word that is no mode', async () => {
    await createTrades();
    await act('A 2024-05-15 split 2');
    await expect(database.read({ table: 'trades', adjust: 'split' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(database.read({ table: 'corporate_actions', adjust: 'split' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await database.createCandles({ ...candles, timeframes: ['1w'] });
    const adjust = 'both' as 'all';
    await expect(database.read({ table: 'trades', adjust })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await write('trades', [{ time: at('2024-05-14'), symbol: 'A', price: 100, size: 1 }]);
    await expect(database.bars({ table: 'trades', timeframe: '1w', adjust: 'split' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('both sides of the ex date 2024-05-15'),
    });
    expect(values(await database.bars({ table: 'trades', timeframe: '1w' }), 'close')).toEqual([100]);
  });

  it('a table may be given its roles later', async () => {
    await createTrades();
    await write('trades', [{ time: at('2024-05-14'), symbol: 'A', price: 100, size: 1 }]);
    await act('A 2024-05-15 split 2');
    const price = async (): Promise<Scalar[]> =>
      values(await database.read({ table: 'trades', adjust: 'all' }), 'price');
    await database.alterTable('trades', { roles: { price: 'price', size: 'size' } });
    expect(await price()).toEqual([50]);
    await database.alterTable('trades', { roles: { price: null } });
    expect(await price()).toEqual([100]);
    await expect(database.alterTable('trades', { roles: { cost: 'price' } })).rejects.toMatchObject({
      code: 'COLUMN_NOT_FOUND',
    });
    await expect(database.alterTable('trades', { roles: { symbol: 'price' } })).rejects.toMatchObject({
      code: 'INVALID_SCHEMA',
    });
  });

  it('a role that a column cannot have', async () => {
    const columns = [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } as const },
      { name: 'note', type: { kind: 'text' } as const, role: 'price' as const },
    ];
    const made = database.createTable({
      name: 't',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: [],
      columns,
    });
    await expect(made).rejects.toMatchObject({ code: 'INVALID_SCHEMA' });
  });
});

/** Bars made here, of adjusted ticks. */
function folded(ticks: ColumnSet, timeframe: string, options: BucketingOptions): Map<string, number[]> {
  const bucketing = createBucketing(timeframe, options);
  const [times, symbols, prices, sizes] = ['time', 'symbol', 'price', 'size'].map((name) =>
    values(ticks, name),
  );
  const bars = new Map<string, number[]>();
  for (const [row, time] of times.entries()) {
    const t = Number(time);
    if (!bucketing.holds(t)) continue;
    const [price, size] = [Number(prices[row]), Number(sizes[row])];
    const key = `${bucketing.bucketOf(t).start} ${symbols[row]}`;
    const bar = bars.get(key);
    if (!bar) bars.set(key, [price, price, price, price, size, price * size, 1]);
    else {
      bar[1] = Math.max(bar[1], price);
      bar[2] = Math.min(bar[2], price);
      bar[3] = price;
      bar[4] += size;
      bar[5] += price * size;
      bar[6]++;
    }
  }
  for (const bar of bars.values()) bar[5] /= bar[4];
  return bars;
}

describe('bars of adjusted ticks are the adjusted bars', () => {
  const seeds = Array.from({ length: 10 }, (_, seed) => seed);
  it.each(seeds)('seed %d', async (seed) => {
    const prng = createPrng(seed);
    if (seed < 2) {
      await database.close();
      directory = await mkdtemp(join(tmpdir(), 'candela-adjust-'));
      database = await open({ directory });
    }
    const options: BucketingOptions = [{}, { calendar: 'XNYS' }, { timeZone: 'America/New_York' }][seed % 3];
    await createTrades({ size: seed % 2 ? { kind: 'int64' } : double });
    const timeframes = [
      ['1m', '1d'],
      ['1h', '1w'],
      ['1m', '1d', '1w', '1mo'],
    ][prng.below(3)];
    await database.createCandles({ ...candles, ...options, timeframes });
    const from = Date.UTC(2024, 1, 20);
    const rows = Array.from({ length: 400 }, (): Row => {
      const size = 1 + prng.below(100);
      return {
        time: nsFromMs(from + prng.below(30 * 86_400) * 1000),
        symbol: prng.below(3) ? 'A' : 'B',
        price: 50 + prng.below(5000) / 100,
        size: seed % 2 ? BigInt(size) : size,
      };
    }).sort((a, b) => Number((a.time as bigint) - (b.time as bigint)));
    for (let at = 0; at < rows.length; at += 50) {
      await write('trades', rows.slice(at, at + 50));
      if (prng.below(3) === 0) await database.flush();
    }
    const date = (): string => new Date(from + prng.below(32) * 86_400_000).toISOString().slice(0, 10);
    const lines = Array.from({ length: 6 }, (_, i) => {
      const symbol = prng.below(2) ? 'A' : 'B';
      return i % 2
        ? `${symbol} ${date()} split ${[2, 3, 0.1, 1.5][prng.below(4)]}`
        : `${symbol} ${date()} dividend ${prng.below(300) / 100 + 0.01}`;
    });
    await act(...lines);
    for (const adjust of ['split', 'all'] as const) {
      const ticks = await database.read({ table: 'trades', adjust });
      for (const timeframe of [...timeframes, '2h', '3d', '1q']) {
        if (timeframe === '3d' && options.calendar === undefined && options.timeZone === undefined) continue;
        const bars = await database.bars({ table: 'trades', timeframe, adjust, ...options });
        const expected = folded(ticks, timeframe, options);
        expect([timeframe, bars.rowCount]).toEqual([timeframe, expected.size]);
        const columns = ['open', 'high', 'low', 'close', 'volume', 'vwap', 'trades'].map((name) =>
          values(bars, name),
        );
        const [times, symbols] = [values(bars, 'time'), values(bars, 'symbol')];
        for (let row = 0; row < bars.rowCount; row++) {
          const key = `${Number(times[row])} ${symbols[row]}`;
          const wanted = expected.get(key) ?? [];
          for (const [i, column] of columns.entries())
            expect(
              Math.abs(Number(column[row]) / wanted[i] - 1),
              `${adjust} ${timeframe} ${key} ${i}`,
            ).toBeLessThan(1e-12);
        }
        const newest = await database.bars({
          table: 'trades',
          timeframe,
          adjust,
          ...options,
          order: 'desc',
          limit: 3,
        });
        expect(values(newest, 'close')).toEqual(values(bars, 'close').slice(-3).reverse());
      }
    }
  });
});

describe.skipIf(!hasSharedData)('published adjusted prices', () => {
  const csv = (file: string): string[][] =>
    readFileSync(sharedDataPath(`us/${file}`), 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
      .reverse();

  async function createDays(): Promise<void> {
    const columns = ['open', 'high', 'low', 'close'].map((name) => ({
      name,
      type: double,
      role: 'price' as const,
    }));
    await database.createTable({
      name: 'days',
      kind: 'bars',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: false } },
        { name: 'symbol', type: { kind: 'text' } },
        ...columns,
        { name: 'volume', type: double, role: 'size' },
      ],
    });
  }

  const dayOf = (symbol: string, [date, open, high, low, close, volume]: string[]): Row => ({
    time: parseTimeNs(date),
    symbol,
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
    volume: Number(volume),
  });

  it("Oracle's two splits of 2000: volumes to the share, prices to their rounding", async () => {
    const days = csv('orcl_daily_2000_two_splits.csv');
    await createDays();
    await write(
      'days',
      days.map((day) => dayOf('ORCL', day)),
    );
    const splits = days.filter((day) => day[7] !== '1.0').map((day) => `ORCL ${day[0]} split ${day[7]}`);
    expect(splits).toEqual(['ORCL 2000-01-19 split 2.0', 'ORCL 2000-10-13 split 2.0']);
    await act(...splits);
    const adjusted = await database.read({ table: 'days', adjust: 'split' });
    expect(values(adjusted, 'volume')).toEqual(days.map((day) => Number(day[12])));
    // The vendor's prices are adjusted for later dividends as well, all of 2000 by one factor.
    const rest = Number(days[days.length - 1][11]) / Number(days[days.length - 1][4]);
    for (const [name, published] of [
      ['open', 8],
      ['high', 9],
      ['low', 10],
      ['close', 11],
    ] as const) {
      const off = values(adjusted, name).map((value, row) =>
        Math.abs(Number(days[row][published]) / rest / Number(value) - 1),
      );
      // Raw prices are rounded to cents, those of January to tens of cents.
      expect(Math.max(...off)).toBeLessThan(1e-3);
    }
  });

  it("the dividend of SPY on 2011-03-18, by Yahoo's adjusted closes", async () => {
    const days = csv('spy_daily_2011-03.csv');
    await createDays();
    await write(
      'days',
      days.map((day) => dayOf('SPY', day)),
    );
    await act('SPY 2011-03-18 dividend 0.553');
    const adjusted = values(await database.read({ table: 'days', adjust: 'all' }), 'close');
    const rest = Number(days[days.length - 1][6]) / Number(days[days.length - 1][4]);
    for (const [row, day] of days.entries())
      expect(Math.abs(Number(day[6]) / rest / Number(adjusted[row]) - 1)).toBeLessThan(1.5e-4);
  });
});
