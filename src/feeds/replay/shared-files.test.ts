/** Every recorded file of the shared data that a format knows: rows and skips as data/README.md counts them. */
import { describe, expect, it } from 'vitest';
import { recordingDatabase } from '../../../test/support/recording-database.ts';
import { hasSharedData, sharedDataPath } from '../../../test/support/shared-data.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { type ReplayOptions, replayFile } from './replay.ts';

interface Expected {
  file: string;
  format: string;
  /** Rows by table. */
  rows: Record<string, number>;
  skipped?: Record<string, number>;
  symbols: string[];
}

const files: Expected[] = [
  {
    file: 'crypto/kraken_XBTUSDT_trades_2025-11-10_part1.json',
    format: 'kraken-trades',
    rows: { trades: 621 },
    symbols: ['XBTUSDT'],
  },
  {
    file: 'crypto/binance_XRPETH_aggtrades_2019-10-11_to_13.json.gz',
    format: 'freqtrade-trades',
    rows: { trades: 12_477 },
    symbols: ['XRPETH'],
  },
  {
    file: 'crypto/gemini_ETHUSD_trades_2021-07-01.csv.gz',
    format: 'gemini-trades',
    rows: { trades: 25_222 },
    symbols: ['ETHUSD'],
  },
  {
    file: 'crypto/gemini_ETHUSD_best_bid_ask_1s_2021-07-01.csv.gz',
    format: 'gemini-quotes',
    rows: { quotes: 72_180 },
    symbols: ['ETHUSD'],
  },
  {
    file: 'crypto/mtgox_BTCUSD_trades_2013-01-01.csv',
    format: 'mtgox-trades',
    rows: { trades: 2331 },
    symbols: ['BTCUSD'],
  },
  {
    file: 'us/taq_XXX_trades_2018-01-02.csv.gz',
    format: 'taq-trades',
    rows: { trades: 39_470 },
    symbols: ['XXX'],
  },
  {
    file: 'us/taq_XXX_quotes_2018-01-02.csv.gz',
    format: 'taq-quotes',
    rows: { quotes: 66_695 },
    symbols: ['XXX'],
  },
  {
    file: 'cn/sse_600519_trades_2023-02-01.csv.gz',
    format: 'sse-trades',
    rows: { trades: 27_135 },
    symbols: ['sh600519'],
  },
  {
    file: 'cn/szse_000001_trades_2023-02-01.csv.gz',
    format: 'szse-trades',
    rows: { trades: 133_815 },
    skipped: { 'cancelled order': 32_996 },
    symbols: ['sz000001'],
  },
  {
    file: 'cn/sse_600000_trades_2020-01-02.csv.gz',
    format: 'a-share-trades',
    rows: { trades: 26_169 },
    symbols: ['sh600000'],
  },
  {
    file: 'cn/sse_600519_snapshots_2023-02-01.csv.gz',
    format: 'sse-snapshots',
    rows: { snapshots: 5109 },
    symbols: ['sh600519'],
  },
  {
    file: 'cn/sse_688293_snapshots_2023-03-23.csv.gz',
    format: 'market-code-snapshots',
    rows: { snapshots: 2386 },
    symbols: ['sh688293'],
  },
  {
    file: 'cn/tdx_ticks_600000_000001_2019-02-01_and_11.csv.gz',
    format: 'tdx-ticks',
    rows: { trades: 15_107 },
    symbols: ['sh600000', 'sz000001'],
  },
  // Rows without volume are quotes only; two and three settlement rows follow the close.
  {
    file: 'futures/cffex_IF2101_ticks_20210104.csv.gz',
    format: 'cffex-ticks',
    rows: { quotes: 27_953, trades: 20_978 },
    skipped: { 'settlement after the close': 2 },
    symbols: ['IF2101'],
  },
  {
    file: 'futures/cffex_IF2101_ticks_20210105.csv.gz',
    format: 'cffex-ticks',
    rows: { quotes: 28_251, trades: 22_465 },
    skipped: { 'settlement after the close': 3 },
    symbols: ['IF2101'],
  },
  {
    file: 'futures/cme_ES_trades_2024-07-01T2358_0002_ns.csv',
    format: 'databento-trades',
    rows: { trades: 120 },
    symbols: ['118'],
  },
  {
    file: 'fx/fxcm_EURUSD_quotes_tick_20140508.zip',
    format: 'fxcm-ticks',
    rows: { quotes: 167_466 },
    symbols: ['EURUSD'],
  },
  {
    file: 'ws/binance_spot_btcusdt_2024-08-09.txt.gz',
    format: 'binance-messages',
    rows: { trades: 10_147, quotes: 45_134 },
    skipped: { depthUpdate: 3044 },
    symbols: ['BTCUSDT'],
  },
  {
    file: 'ws/binance_usdm_btcusdt_2024-08-08.txt.gz',
    format: 'binance-messages',
    rows: { trades: 21_313, quotes: 66_089 },
    skipped: { depthUpdate: 6551, 'depth snapshot': 1 },
    symbols: ['BTCUSDT'],
  },
  {
    file: 'ws/twelvedata_price_examples.jsonl',
    format: 'twelvedata-events',
    rows: { stocks_real_time: 2 },
    symbols: ['AAPL', 'AMZN'],
  },
];

async function replay(file: string, options: Partial<ReplayOptions> = {}) {
  const recording = recordingDatabase();
  const context = { database: recording.database, log: silentLogger, clock: systemClock };
  const report = await replayFile(context, { file: sharedDataPath(file), ...options });
  const rows: Record<string, number> = {};
  for (const { table, batch } of recording.writes) rows[table] = (rows[table] ?? 0) + batch.rowCount;
  return { recording, report, rows };
}

describe.skipIf(!hasSharedData)('recorded files of the shared data', () => {
  it.each(files)('$file', async ({ file, format, rows, skipped = {}, symbols }) => {
    const { report, rows: written } = await replay(file);
    expect(report).toMatchObject({ format, skipped, symbols, complete: true, rowsRejected: 0 });
    expect(written).toEqual(rows);
    expect(report.rowsWritten).toBe(Object.values(rows).reduce((sum, count) => sum + count, 0));
    expect(report.bytesRead).toBe(report.bytesTotal);
  });

  it('30 stocks interleave in one snapshot file', async () => {
    const { report, rows } = await replay('cn/sse_30stocks_snapshots_2021-12-01_0915-1030.csv.gz');
    expect(rows).toEqual({ snapshots: 32_972 });
    expect(report.symbols).toHaveLength(30);
  });

  it('recorded Coinbase and Binance sessions of cryptofeed', async () => {
    const coinbase = await replay('ws/cryptofeed_coinbase_2021-04-17.txt.gz');
    expect(coinbase.rows).toEqual({ trades: 74 + 7, quotes: 81 });
    expect(coinbase.report.skipped).toMatchObject({ l2update: 6642, snapshot: 7, subscriptions: 3 });
    const us = await replay('ws/cryptofeed_binance_us_2021-10-12.txt.gz');
    expect(us.rows).toEqual({ trades: 11, quotes: 128 });
    expect(us.report.skipped).toMatchObject({ depthUpdate: 336, kline: 5 });
    const futures = await replay('ws/cryptofeed_binance_futures_2021-07-22.txt.gz');
    expect(futures.rows).toEqual({ trades: 91, quotes: 613 });
    expect(futures.report.skipped).toMatchObject({ depthUpdate: 764, kline: 67 });
  });

  it('a Shenzhen day adds up: volume as counted, prices without noise, Shanghai time', async () => {
    const { recording } = await replay('cn/szse_000001_trades_2023-02-01.csv.gz');
    const rows = recording.rows('trades');
    expect(rows.reduce((sum, { size }) => sum + Number(size), 0)).toBe(165_342_148);
    expect(rows.every(({ price }) => Number(price) === Number(Number(price).toFixed(2)))).toBe(true);
    // 09:25:00.000 in Shanghai is 01:25 UTC.
    expect(rows[0]).toMatchObject({ time: BigInt(Date.UTC(2023, 1, 1, 1, 25)) * 1_000_000n, price: 15.03 });
    const ids = rows.map(({ trade_id: id }) => id as bigint);
    expect(ids.every((id, row) => row === 0 || id > ids[row - 1])).toBe(true);
  });

  it('times with nanoseconds keep them', async () => {
    const { recording } = await replay('futures/cme_ES_trades_2024-07-01T2358_0002_ns.csv', {
      symbol: 'ESU4',
    });
    expect(recording.rows('trades')[0]).toEqual({
      time: 1_719_878_281_218_218_853n,
      symbol: 'ESU4',
      price: 5528.75,
      size: 2,
      side: 'buy',
      trade_id: 9_060_643n,
    });
    expect(recording.database.table('trades')?.columns[0].type).toMatchObject({ unit: 'ns' });
  });

  it('a table of the user takes the trades, and its name goes before the others', async () => {
    const { rows } = await replay('ws/cryptofeed_coinbase_2021-04-17.txt.gz', { table: 'coinbase' });
    expect(rows).toEqual({ coinbase: 81, coinbase_quotes: 81 });
  });
});
