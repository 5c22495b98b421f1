import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ColumnSet } from '../market/columns.ts';
import { columnNamed, columnOf, textColumn, valueAt } from '../market/columns.ts';
import type { Database } from './database.ts';
import { open } from './open.ts';

const t0 = 1_700_000_000n * 1_000_000_000n; // 2023-11-14T22:13:20Z

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-engine-'));
  database = await open({ directory });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
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

type Tick = [second: number, symbol: string, price: number, size: number];

function batch(ticks: Tick[]) {
  return {
    rowCount: ticks.length,
    columns: {
      time: columnOf(
        'timestamp',
        ticks.map(([second]) => t0 + BigInt(Math.round(second * 1e6)) * 1000n),
      ),
      symbol: textColumn(ticks.map(([, symbol]) => symbol)),
      price: columnOf(
        'double',
        ticks.map(([, , price]) => price),
      ),
      size: columnOf(
        'double',
        ticks.map(([, , , size]) => size),
      ),
    },
  };
}

function rowsOf(set: ColumnSet, names = set.names): unknown[][] {
  return Array.from({ length: set.rowCount }, (_, row) =>
    names.map((name) => {
      const column = columnNamed(set, name);
      const value = column ? valueAt(column, row) : undefined;
      return typeof value === 'bigint' && name === 'time' ? Number((value - t0) / 1_000_000n) / 1000 : value;
    }),
  );
}

const candle = ['time', 'symbol', 'open', 'high', 'low', 'close', 'volume', 'trades'];

async function reopen(): Promise<void> {
  await database.close();
  database = await open({ directory });
}

describe('ticks', () => {
  const ticks: Tick[] = [
    [0, 'AAPL', 10, 1],
    [1, 'MSFT', 20, 2],
    [1, 'AAPL', 11, 3],
    [0.5, 'AAPL', 9, 4],
    [1, 'AAPL', 12, 5],
  ];

  it('come back in the order of time, equal times by arrival, from memory and from the store', async () => {
    await database.write('trades', batch(ticks));
    const expected = [
      [0, 'AAPL', 10, 1],
      [0.5, 'AAPL', 9, 4],
      [1, 'AAPL', 11, 3],
      [1, 'AAPL', 12, 5],
    ];
    const request = { table: 'trades', series: { symbol: 'AAPL' } };
    expect(rowsOf(await database.read(request))).toEqual(expected);
    await database.flush();
    expect(rowsOf(await database.read(request))).toEqual(expected);
    await reopen();
    expect(rowsOf(await database.read(request))).toEqual(expected);
    expect(rowsOf(await database.read({ ...request, order: 'desc', limit: 2 }))).toEqual(
      expected.slice(2).reverse(),
    );
  });

  it('are paged by cursor across store and memory without hole or repeat', async () => {
    await database.write('trades', batch(ticks.slice(0, 3)));
    await reopen();
    await database.write('trades', batch(ticks.slice(3)));
    const seen: unknown[][] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Database['read']>> = await database.read({
        table: 'trades',
        limit: 2,
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...rowsOf(page));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen.map(([, , price]) => price)).toEqual([10, 9, 20, 11, 12]);
  });

  it('give the latest row of each series, also after a restart', async () => {
    await database.write('trades', batch(ticks));
    const expected = [
      [1, 'AAPL', 12, 5],
      [1, 'MSFT', 20, 2],
    ];
    expect(rowsOf(database.latest('trades'))).toEqual(expected);
    await reopen();
    expect(rowsOf(database.latest('trades'))).toEqual(expected);
  });
});

describe('rollups', () => {
  beforeEach(async () => {
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes: ['1s', '1m', '1h'],
    });
  });

  it('are not made by halves when a name is taken', async () => {
    const timeframes = ['5m', '1h'];
    await expect(
      database.createCandles({ source: 'trades', price: 'price', timeframes }),
    ).rejects.toMatchObject({ code: 'TABLE_EXISTS', message: "there is a table 'trades_1h' already" });
    expect(database.table('trades_5m')).toBeUndefined();
  });

  const ticks: Tick[] = [
    [0, 'A', 10, 1],
    [0.4, 'A', 14, 2],
    [10, 'A', 9, 3],
    [41, 'A', 12, 4], // 22:14:01: a new minute
  ];

  // 22:13:20 is 20 s before the minute, so the first minute starts at -20 s.
  const minute = [
    [-20, 'A', 10, 14, 9, 9, 6, 3n],
    [40, 'A', 12, 12, 12, 12, 4, 1n],
  ];

  it('show closed and live bars at every level at once', async () => {
    await database.write('trades', batch(ticks));
    expect(rowsOf(await database.bars({ table: 'trades', timeframe: '1m' }), candle)).toEqual(minute);
    expect(rowsOf(await database.read({ table: 'trades_1h' }), candle)).toEqual([
      [-800, 'A', 10, 14, 9, 12, 10, 4n],
    ]);
    expect(rowsOf(await database.bars({ table: 'trades', timeframe: '30m' }), candle)).toEqual([
      [-800, 'A', 10, 14, 9, 12, 10, 4n],
    ]);
  });

  it('are the same after a flush, a restart, and in SQL', async () => {
    await database.write('trades', batch(ticks.slice(0, 3)));
    await reopen();
    await database.write('trades', batch(ticks.slice(3)));
    expect(rowsOf(await database.read({ table: 'trades_1m' }), candle)).toEqual(minute);
    const sql = await database.sql(
      'select time, symbol, open, high, low, close, volume, trades from trades_1m order by time',
    );
    expect(rowsOf(sql, candle)).toEqual(minute);
    const hours = await database.sql('select open, close, vwap from trades_1h');
    expect(rowsOf(hours)).toEqual([[10, 12, (10 + 28 + 27 + 48) / 10]]);
  });

  it('take late ticks into closed bars at every level, in memory and in the store', async () => {
    await database.write('trades', batch(ticks));
    await database.flush();
    await database.write(
      'trades',
      batch([
        [5, 'A', 30, 10],
        [-10, 'A', 1, 1],
      ]),
    );
    const expected = [[-20, 'A', 1, 30, 1, 9, 17, 5n], minute[1]];
    expect(rowsOf(await database.read({ table: 'trades_1m' }), candle)).toEqual(expected);
    await database.flush();
    expect(rowsOf(await database.read({ table: 'trades_1m' }), candle)).toEqual(expected);
    await reopen();
    expect(rowsOf(await database.read({ table: 'trades_1m' }), candle)).toEqual(expected);
    const seconds = await database.read({ table: 'trades_1s', series: { symbol: 'A' } });
    expect(rowsOf(seconds, ['time', 'close'])).toEqual([
      [-10, 1],
      [0, 14],
      [5, 30],
      [10, 9],
      [41, 12],
    ]);
  });

  it('built over history equal those built as the ticks came', async () => {
    await database.write('trades', batch(ticks));
    await database.createRollup({
      name: 'later',
      source: 'trades_1s',
      timeframe: '1m',
      aggregates: [
        { name: 'open', fn: 'first', of: 'open' },
        { name: 'close', fn: 'last', of: 'close' },
        { name: 'high', fn: 'max', of: 'high' },
        { name: 'trades', fn: 'sum', of: 'trades' },
      ],
    });
    await database.createRollup({
      name: 'market',
      source: 'trades',
      timeframe: '1m',
      groupBy: [],
      aggregates: [
        { name: 'high', fn: 'max', of: 'price' },
        { name: 'trades', fn: 'count' },
      ],
    });
    await database.write(
      'trades',
      batch([
        [42, 'B', 50, 1],
        [43, 'A', 13, 1],
      ]),
    );
    const expected = [
      [-20, 'A', 10, 9, 14, 3n],
      [40, 'A', 12, 13, 13, 2n],
      [40, 'B', 50, 50, 50, 1n],
    ];
    const names = ['time', 'symbol', 'open', 'close', 'high', 'trades'];
    expect(rowsOf(await database.read({ table: 'later' }), names)).toEqual(expected);
    await reopen();
    expect(rowsOf(await database.read({ table: 'later' }), names)).toEqual(expected);
    expect(rowsOf(await database.read({ table: 'market' }))).toEqual([
      [-20, 14, 3n],
      [40, 50, 3n],
    ]);
  });
});

describe('subscriptions', () => {
  it('give a snapshot and then every change with no hole and no repeat', async () => {
    await database.createCandles({
      source: 'trades',
      price: 'price',
      volume: 'size',
      timeframes: ['1s', '1m'],
    });
    await database.write(
      'trades',
      batch([
        [0, 'A', 10, 1],
        [1, 'A', 11, 1],
      ]),
    );
    const ticks = await database.subscribe({ table: 'trades', snapshot: 10 });
    const bars = await database.subscribe({
      table: 'trades',
      timeframe: '1s',
      series: { symbol: 'A' },
      snapshot: 10,
    });
    await database.write(
      'trades',
      batch([
        [2, 'A', 12, 1],
        [2, 'B', 5, 1],
      ]),
    );
    await database.write('trades', batch([[0, 'A', 9, 1]]));
    const prices = ticks
      .take()
      .map((event) => 'rows' in event && [event.type, rowsOf(event.rows, ['price']).flat()]);
    expect(prices).toEqual([
      ['snapshot', [10, 11]],
      ['ticks', [12, 5]],
      ['ticks', [9]],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const events = bars
      .take()
      .map((event) => 'rows' in event && [event.type, rowsOf(event.rows, ['time', 'low', 'close'])]);
    expect(events).toEqual([
      [
        'snapshot',
        [
          [0, 10, 10],
          [1, 11, 11],
        ],
      ],
      ['closed', [[1, 11, 11]]],
      ['correction', [[0, 9, 9]]],
      ['live', [[2, 12, 12]]],
    ]);
  });
});

it('a bar told as closed because time had passed is corrected when another tick reaches it', async () => {
  await database.createCandles({
    source: 'trades',
    price: 'price',
    volume: 'size',
    timeframes: ['1s', '1m'],
  });
  await database.write('trades', batch([[0, 'A', 10, 1]]));
  const bars = await database.subscribe({
    table: 'trades',
    timeframe: '1m',
    series: { symbol: 'A' },
    live: false,
  });
  const take = () =>
    bars
      .take()
      .map((event) => 'rows' in event && [event.type, rowsOf(event.rows, ['time', 'close', 'trades'])]);
  // Another series moves the market's time two minutes on: A's bar is over though no tick of A says so.
  await database.write('trades', batch([[120, 'B', 5, 1]]));
  await expect.poll(take, { timeout: 5_000 }).toEqual([['closed', [[-20, 10, 1n]]]]);
  await database.write('trades', batch([[30, 'A', 12, 1]]));
  await expect.poll(take, { timeout: 5_000 }).toEqual([['correction', [[-20, 12, 2n]]]]);
  // When it closes at last, nothing is new.
  await database.write('trades', batch([[125, 'A', 13, 1]]));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(take()).toEqual([]);
});

describe('merged timeframes', () => {
  it('give whole buckets whatever the bounds, and page by cursor', async () => {
    await database.createCandles({ source: 'trades', price: 'price', volume: 'size', timeframes: ['1m'] });
    // 22:14:00 is second 40; one tick a minute for an hour, of two series, priced by its minute.
    const ticks: Tick[] = Array.from({ length: 60 }, (_, i): Tick => [40 + i * 60, 'A', i, 1]);
    await database.write(
      'trades',
      batch([...ticks, ...ticks.map(([at, , price]): Tick => [at, 'B', price, 2])]),
    );
    const base = { table: 'trades', timeframe: '5m', series: { symbol: 'A' } };
    // 22:15:30 … 22:31:00: the buckets that start at 22:20, 22:25 and 22:30, whole.
    const range = { fromNs: t0 + 130n * 1_000_000_000n, toNs: t0 + 1060n * 1_000_000_000n };
    expect(rowsOf(await database.bars({ ...base, ...range }), ['time', 'open', 'close', 'volume'])).toEqual([
      [400, 6, 10, 5],
      [700, 11, 15, 5],
      [1000, 16, 20, 5],
    ]);
    for (const order of ['asc', 'desc'] as const) {
      const whole = rowsOf(await database.bars({ table: 'trades', timeframe: '5m', order }), [
        'time',
        'symbol',
        'close',
      ]);
      const paged: unknown[][] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page = await database.bars({
          table: 'trades',
          timeframe: '5m',
          order,
          limit: 7,
          ...(cursor ? { cursor } : {}),
        });
        paged.push(...rowsOf(page, ['time', 'symbol', 'close']));
        cursor = page.cursor;
      }
      expect(paged).toEqual(whole);
      expect(whole).toHaveLength(26);
    }
  });
});
