/** Runs of missing buckets: by hand, against plain loops, and in recorded data whose gaps are known. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasSharedData, sharedDataPath } from '../../../../test/support/shared-data.ts';
import { createPrng } from '../../../core/prng.ts';
import { columnOf, textColumn, valueAt } from '../../../market/columns.ts';
import { formatTimeNs, nsFromMs } from '../../../market/time.ts';
import type { Database, GapsRequest } from '../../database.ts';
import { open } from '../../open.ts';

const minuteMs = 60_000;
let database: Database;

beforeEach(async () => {
  database = await open({ directory: null });
});
afterEach(() => database.close());

async function create(kind: 'ticks' | 'bars'): Promise<void> {
  await database.createTable({
    name: 'trades',
    kind,
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
}

async function write(rows: readonly (readonly [symbol: string, ms: number])[]): Promise<void> {
  await database.write('trades', {
    rowCount: rows.length,
    columns: {
      time: columnOf(
        'timestamp',
        rows.map(([, ms]) => nsFromMs(ms)),
      ),
      symbol: textColumn(rows.map(([symbol]) => symbol)),
      price: columnOf(
        'double',
        rows.map(() => 1),
      ),
    },
  });
}

/** `symbol from to buckets seconds` of each gap, page after page. */
async function gaps(request: Partial<GapsRequest> = {}): Promise<string[]> {
  const lines: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await database.gaps({ table: 'trades', ...request, ...(cursor ? { cursor } : {}) });
    for (let row = 0; row < page.rowCount; row++) {
      const [symbol, from, to, buckets, seconds] = page.columns.map((column) => valueAt(column, row));
      lines.push(
        `${symbol} ${formatTimeNs(from as bigint)} ${formatTimeNs(to as bigint)} ${buckets} ${seconds}`,
      );
    }
    expect(page.rowCount).toBeLessThanOrEqual(request.limit ?? Number.POSITIVE_INFINITY);
    cursor = page.cursor;
  }
  return lines;
}

describe('gaps', () => {
  it('of a session market leave out lunch, night and weekend', async () => {
    await create('ticks');
    await database.createCandles({
      source: 'trades',
      price: 'price',
      timeframes: ['1m', '1d'],
      calendar: 'XSHG',
    });
    // Friday 2024-05-17, Shanghai: 11:28, 13:01, 14:59; Monday 09:32; then another symbol at 09:40.
    const at = (day: number, hour: number, minute: number): number =>
      Date.UTC(2024, 4, day, hour - 8, minute);
    await write([
      ['A', at(17, 11, 28)],
      ['A', at(17, 13, 1)],
      ['A', at(17, 14, 59)],
      ['A', at(20, 9, 32)],
      ['B', at(20, 9, 40)],
    ]);
    const wanted = [
      'A 2024-05-17T03:29:00Z 2024-05-17T05:01:00Z 2 120',
      'A 2024-05-17T05:02:00Z 2024-05-17T06:59:00Z 117 7020',
      'A 2024-05-20T01:30:00Z 2024-05-20T01:32:00Z 2 120',
      'A 2024-05-20T01:33:00Z 2024-05-20T01:40:00Z 7 420',
    ];
    expect(await gaps()).toEqual(wanted);
    expect(await gaps({ limit: 1 })).toEqual(wanted);
    expect(await gaps({ bucketsMin: 3, limit: 1 })).toEqual([wanted[1], wanted[3]]);
    expect(await gaps({ fromNs: nsFromMs(at(17, 14, 0)), toNs: nsFromMs(at(20, 9, 32)) })).toEqual([
      'A 2024-05-17T06:00:00Z 2024-05-17T06:59:00Z 59 3540',
      wanted[2],
    ]);
    expect(await gaps({ timeframe: '1d' })).toEqual([]);
    expect(await gaps({ series: { symbol: 'B' } })).toEqual([]);
    const { timeframe, source, timeZone } = await database.gaps({ table: 'trades' });
    expect({ timeframe, source, timeZone }).toEqual({
      timeframe: '1m',
      source: 'trades_1m',
      timeZone: 'Asia/Shanghai',
    });
  });

  it('of bars in UTC may be looked at in the sessions of a calendar', async () => {
    await create('ticks');
    await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1s', '1m', '1h'] });
    await write([
      ['A', Date.UTC(2024, 4, 17, 3, 28)],
      ['A', Date.UTC(2024, 4, 17, 5, 1)],
      ['A', Date.UTC(2024, 4, 17, 5, 2)],
    ]);
    const timeframe = '1m';
    expect(await gaps({ calendar: 'XSHG', timeframe })).toEqual([
      'A 2024-05-17T03:29:00Z 2024-05-17T05:01:00Z 2 120',
    ]);
    expect((await database.gaps({ table: 'trades', calendar: 'XSHG', timeframe })).source).toBe('trades_1m');
    expect(await gaps({ timeframe })).toEqual(['A 2024-05-17T03:29:00Z 2024-05-17T05:01:00Z 92 5520']);
  });

  it('of days count the hours of their sessions', async () => {
    await create('bars');
    // Thursday 23 May 2024 and the Wednesday after in New York; Memorial Day is on the 27th.
    await write([
      ['A', Date.UTC(2024, 4, 23, 14)],
      ['A', Date.UTC(2024, 4, 29, 14)],
    ]);
    expect(await gaps({ timeframe: '1d', calendar: 'XNYS' })).toEqual([
      'A 2024-05-24T13:30:00Z 2024-05-28T20:00:00Z 2 46800',
    ]);
  });

  it.each([1, 2, 3, 4, 5, 6])('as a plain loop finds them, seed %d', async (seed) => {
    const prng = createPrng(seed);
    await create(seed % 2 ? 'ticks' : 'bars');
    if (seed % 2)
      await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m', '5m'] });
    const fromMs = Date.UTC(2024, 0, 1);
    const rows = Array.from({ length: 150 }, () => {
      return [prng.below(2) ? 'A' : 'B', fromMs + prng.below(600) * 30_000] as const;
    }).sort((a, b) => a[1] - b[1]);
    await write(rows);
    const width = seed % 3 === 0 ? 5 : 1;
    const widthMs = width * minuteMs;
    const newest = Math.max(...rows.map(([, ms]) => ms));
    const wanted: string[] = [];
    for (const symbol of new Set(rows.map(([one]) => one))) {
      const present = new Set(
        rows.filter(([one]) => one === symbol).map(([, ms]) => Math.floor(ms / widthMs)),
      );
      let missing = 0;
      for (let bucket = Math.min(...present); (bucket + 1) * widthMs <= newest + widthMs; bucket++) {
        const isMissing = !present.has(bucket) && (bucket + 1) * widthMs <= newest;
        if (isMissing) missing++;
        else if (missing > 0) {
          const [from, to] = [bucket - missing, bucket].map((at) => formatTimeNs(nsFromMs(at * widthMs)));
          wanted.push(`${symbol} ${from} ${to} ${missing} ${(missing * widthMs) / 1000}`);
          missing = 0;
        }
      }
    }
    expect(wanted.length).toBeGreaterThan(10);
    expect(await gaps({ timeframe: `${width}m`, limit: 1 + prng.below(9) })).toEqual(wanted);
  });

  it('need a timeframe where there are no bars, and a table that has a time', async () => {
    await create('bars');
    await expect(database.gaps({ table: 'trades' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(gaps({ timeframe: '1m', bucketsMin: 0 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await gaps({ timeframe: '1m' })).toEqual([]);
  });
});

describe.skipIf(!hasSharedData)('gaps of recorded data', () => {
  it("Coinbase's outages among its own 4h candles", async () => {
    const path = sharedDataPath('crypto/coinbase_ETHUSD_candles_4h_2016_to_2025.json.gz');
    const file = JSON.parse(gunzipSync(readFileSync(path)).toString()) as { candles: { start: string }[] };
    const starts = file.candles.map(({ start }) => Number(start));
    await create('bars');
    await write(starts.map((start) => ['ETH-USD', start * 1000] as const));
    const hours = 4 * 3600;
    const wanted = starts.flatMap((start, i) => {
      const missing = i === 0 ? 0 : (start - starts[i - 1]) / hours - 1;
      if (missing === 0) return [];
      const times = [starts[i - 1] + hours, start].map((seconds) => formatTimeNs(nsFromMs(seconds * 1000)));
      return [`ETH-USD ${times.join(' ')} ${missing} ${missing * hours}`];
    });
    expect(wanted.length).toBeGreaterThan(5);
    expect(await gaps({ timeframe: '4h' })).toEqual(wanted);
  });

  it('600519 on the Shanghai exchange: no gap at lunch, one before the closing auction', async () => {
    const path = sharedDataPath('cn/sse_600519_trades_2023-02-01.csv.gz');
    const [header, ...lines] = gunzipSync(readFileSync(path)).toString().trim().split('\n');
    const column = header.replace(/\r/, '').split(',').indexOf('TradTime');
    const times = lines.map((line) => Date.parse(`2023-02-01T${line.split(',')[column]}+08:00`));
    await create('ticks');
    await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m'], calendar: 'XSHG' });
    await write(times.map((ms) => ['600519', ms] as const));
    expect(await gaps()).toEqual(['600519 2023-02-01T06:57:00Z 2023-02-01T06:59:00Z 2 120']);
  });
});
