/** Feeds into the real engine: recorded trades must give the exchange's own bars. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { feedSurroundings } from '../../test/support/feed-surroundings.ts';
import { hasSharedData, sharedDataPath } from '../../test/support/shared-data.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/log.ts';
import type { BarsResult, Database } from '../engine/database.ts';
import { open } from '../engine/open.ts';
import { columnNamed, valueAt } from '../market/columns.ts';
import { replayFile } from './replay/replay.ts';
import { startSimulator } from './simulator/simulator.ts';
import { twelveDataPlugin } from './twelvedata/plugin.ts';

let directory = '';
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-feeds-engine-'));
  database = await open({ directory });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

const replay = (file: string) =>
  replayFile({ database, log: silentLogger, clock: systemClock }, { file: sharedDataPath(file) });

interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number;
}

/** Bars by their start in seconds; volumes to the eight decimals of the sizes, for doubles sum to no more. */
function barsOf(result: BarsResult): Map<number, Bar> {
  const bars = new Map<number, Bar>();
  const value = (name: string, row: number): number => {
    const column = columnNamed(result, name);
    return column ? Number(valueAt(column, row)) : Number.NaN;
  };
  for (let row = 0; row < result.rowCount; row++) {
    const [open, high, low, close, volume, trades] = ['open', 'high', 'low', 'close', 'volume', 'trades'].map(
      (name) => value(name, row),
    );
    const rounded = Number(volume.toFixed(8));
    bars.set(value('time', row) / 1e9, { open, high, low, close, volume: rounded, trades });
  }
  return bars;
}

describe.skipIf(!hasSharedData)('replayed trades', () => {
  it("of Kraken give Kraken's own one-minute bars", async () => {
    await replay('crypto/kraken_XBTUSDT_trades_2025-11-10_part1.json');
    const bars = barsOf(
      await database.bars({ table: 'trades', timeframe: '1m', series: { symbol: 'XBTUSDT' } }),
    );
    const file = await readFile(
      sharedDataPath('crypto/kraken_XBTUSDT_ohlc_1m_2025-11-10_part1.json'),
      'utf8',
    );
    const own = JSON.parse(file).result.XBTUSDT as [number, ...string[]][];
    // The trades of the first minute, 17:23, are only partly in the file.
    const firstWhole = Date.UTC(2025, 10, 10, 17, 24) / 1000;
    let exact = 0;
    let empty = 0;
    let previousClose = Number.NaN;
    for (const [start, open, high, low, close, , volume, count] of own) {
      if (start >= firstWhole) {
        const bar = bars.get(start);
        if (Number(count) === 0) {
          expect(bar).toBeUndefined();
          expect([open, high, low, close].map(Number)).toEqual(Array(4).fill(previousClose));
          empty++;
        } else {
          expect(bar).toEqual({
            open: Number(open),
            high: Number(high),
            low: Number(low),
            close: Number(close),
            volume: Number(volume),
            trades: Number(count),
          });
          exact++;
        }
      }
      previousClose = Number(close);
    }
    expect([exact, empty]).toEqual([188, 100]);
  });

  it.each(['1s', '1m'])(
    'of a Binance capture give the %s bars of an independent recomputation',
    async (timeframe) => {
      await replay('ws/binance_spot_btcusdt_2024-08-09.txt.gz');
      const bars = barsOf(await database.bars({ table: 'trades', timeframe, series: { symbol: 'BTCUSDT' } }));
      expect(bars).toEqual(await recomputeBinance(timeframe === '1s' ? 1 : 60));
    },
  );
});

/** Bars straight from the text of the capture, with no code of ours in between. */
async function recomputeBinance(widthSeconds: number): Promise<Map<number, Bar>> {
  const packed = await readFile(sharedDataPath('ws/binance_spot_btcusdt_2024-08-09.txt.gz'));
  const bars = new Map<number, Bar>();
  // Sizes have eight decimals: summed as whole numbers, so that no order of adding matters.
  const volumes = new Map<number, bigint>();
  for (const line of gunzipSync(packed).toString().split('\n')) {
    const fields = /"e":"trade",.*"p":"([\d.]+)","q":"(\d+)\.(\d{8})","T":(\d+)/.exec(line);
    if (!fields) continue;
    const price = Number(fields[1]);
    const start = Math.floor(Number(fields[4]) / 1000 / widthSeconds) * widthSeconds;
    const bar = bars.get(start) ?? {
      open: price,
      high: price,
      low: price,
      close: price,
      volume: 0,
      trades: 0,
    };
    bar.high = Math.max(bar.high, price);
    bar.low = Math.min(bar.low, price);
    bar.close = price;
    bar.trades++;
    bars.set(start, bar);
    volumes.set(start, (volumes.get(start) ?? 0n) + BigInt(fields[2] + fields[3]));
  }
  for (const [start, bar] of bars) bar.volume = Number(volumes.get(start)) / 1e8;
  return bars;
}

describe('the Twelve Data feed', () => {
  it('fills the tutorial tables and their bars, and goes on after a restart', async () => {
    const simulator = await startSimulator({ rate: 300 });
    const run = async (): Promise<number> => {
      const { context } = feedSurroundings(database);
      const options = { url: simulator.url, symbols: 'AAPL, BTC/USD', batchMs: 20 };
      const feed = twelveDataPlugin.create('live', options, context);
      await feed.start();
      await waitUntil(() => feed.status().rowsWritten > 300, 'rows');
      await feed.stop();
      return feed.status().rowsWritten;
    };
    const first = await run();
    await database.close();
    database = await open({ directory });
    const rows = first + (await run());
    await simulator.close();

    const counted = await database.sql('SELECT count(*) AS n FROM stocks_real_time');
    expect(valueAt(counted.columns[0], 0)).toBe(BigInt(rows));
    const companies = await database.sql('SELECT symbol, name FROM company ORDER BY symbol');
    expect(companies.rowCount).toBe(2);
    expect([0, 1].map((row) => valueAt(companies.columns[1], row))).toEqual([
      'Apple Inc',
      'Bitcoin / US Dollar',
    ]);
    const latest = database.latest('stocks_real_time_1d', { symbol: 'AAPL' });
    const ticks = await database.read({
      table: 'stocks_real_time',
      series: { symbol: 'AAPL' },
      columns: ['price'],
    });
    const prices = Array.from({ length: ticks.rowCount }, (_, row) => Number(valueAt(ticks.columns[0], row)));
    const column = (name: string): unknown => {
      const found = columnNamed(latest, name);
      return found && valueAt(found, latest.rowCount - 1);
    };
    expect(column('high')).toBe(Math.max(...prices));
    expect(column('low')).toBe(Math.min(...prices));
    expect(column('close')).toBe(prices.at(-1));
  });
});
