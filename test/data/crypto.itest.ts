/**
 * Bars that crypto exchanges published, against those that the engine makes of their ticks. The rates to be met, and
 * the misses, are those of the shared data's README.
 */
import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/market/columns.ts';
import { hasSharedData } from '../support/shared-data.ts';
import {
  candle,
  candleOfCandles,
  compare,
  decimal,
  decimalOf,
  double,
  millis,
  numberOf,
  seconds,
} from './published-bars.ts';
import { sharedCsv, sharedText } from './shared-text.ts';
import { barsThroughEngine } from './through-engine.ts';

describe.skipIf(!hasSharedData)('crypto', () => {
  it("Kraken's trades give Kraken's minutes, to the last digit", async () => {
    type Trade = [price: string, volume: string, time: number, ...unknown[]];
    type Bar = [number, o: string, h: string, l: string, c: string, vwap: string, volume: string, n: number];
    const trades = await kraken<Trade>('trades');
    const own = await kraken<Bar>('ohlc_1m');
    const bars = await barsThroughEngine({
      timesNs: trades.map(([, , time]) => BigInt(Math.round(time * 1e6)) * 1000n),
      columns: [
        { name: 'price', type: decimal, values: trades.map(([price]) => decimalOf(price)) },
        { name: 'size', type: decimal, values: trades.map(([, size]) => decimalOf(size)) },
      ],
      aggregates: [
        ...candle('price'),
        { name: 'volume', fn: 'sum', of: 'size' },
        { name: 'n', fn: 'count' },
        { name: 'vwap', fn: 'vwap', of: 'price', weight: 'size' },
      ],
      timeframes: ['1s', '1m'],
    });
    const minutes = bars.of('1m');
    // The trades of the first minute are only partly in the file.
    const firstWhole = (Math.floor(trades[0][2] / 60) + 1) * 60;
    const later = own.filter(([time]) => time >= firstWhole);
    const traded = later.filter((bar) => bar[7] > 0);
    const published = traded.map(([time, o, h, l, c, , volume, n]) => [
      seconds(time),
      ...[o, h, l, c, volume].map(decimalOf),
      BigInt(n),
    ]);
    expect(compare(minutes, published)).toMatchObject({ published: 188, exact: 188 });
    const vwaps = traded.map(([time, , , , , vwap]) => [seconds(time), Number(vwap)]);
    const ours = minutes.map((row) => [row[0], row[7]]);
    expect(compare(ours, vwaps, { absolute: 0.1 }).exact).toBe(188);

    // Kraken repeats the close before in minutes without a trade; here they have no bar.
    const closes = new Map(minutes.map((row) => [row[0], numberOf(row[4])]));
    let close = Number.NaN;
    const flat = later.filter(([time, o, h, l, c, , volume, n]) => {
      const isFlat = [o, h, l, c].every((price) => Number(price) === close) && Number(volume) === 0;
      close = closes.get(seconds(time)) ?? close;
      return n === 0 && isFlat && !closes.has(seconds(time));
    });
    expect([later.length - traded.length, flat.length]).toEqual([100, 100]);
  });

  it("Binance's XRP/ETH trades give the minutes and the five minutes", async () => {
    type Trade = [timeMs: number, id: string, none: null, side: string, price: number, amount: number];
    const trades = JSON.parse(
      await sharedText('crypto/binance_XRPETH_aggtrades_2019-10-11_to_13.json.gz'),
    ) as Trade[];
    const bars = await barsThroughEngine({
      timesNs: trades.map(([timeMs]) => millis(timeMs)),
      columns: [
        { name: 'price', type: double, values: trades.map(([, , , , price]) => price) },
        { name: 'amount', type: double, values: trades.map(([, , , , , amount]) => amount) },
      ],
      aggregates: [...candle('price'), { name: 'volume', fn: 'sum', of: 'amount' }],
      timeframes: ['1m', '5m'],
    });
    for (const [timeframe, count] of [
      ['1m', 2469],
      ['5m', 706],
    ] as const) {
      const path = `crypto/binance_XRPETH_bars_${timeframe}_2019-10-11_to_13.csv`;
      const own = await sharedCsv(path, { hasHeader: true });
      const published = own.map(([time, ...values]) => [millis(time), ...values.map(Number)]);
      // Amounts add up in floating point there as here, so the last bit may differ.
      const found = compare(bars.of(timeframe), published, { relative: 1e-12 });
      expect([bars.of(timeframe).length, found.exact]).toEqual([count, count]);
    }
  });

  it("Coinbase's BTC/USD seconds give its minutes", async () => {
    const found = { published: 0, exact: 0 };
    for (const day of [7, 8]) {
      const bars = await coinbaseDay('second', day, ['1m'], []);
      const comparison = compare(bars.of('1m'), await coinbaseRows('minute', day));
      found.published += comparison.published;
      found.exact += comparison.exact;
    }
    expect(found).toEqual({ published: 2819, exact: 2819 });
  });

  it("Coinbase's BTC/USD minutes of a vendor give the exchange's own 4h", async () => {
    const own = await coinbaseCandles('BTCUSD_candles_4h_2016-10-07_to_08.json');
    const bars = (await Promise.all([7, 8].map((day) => coinbaseDay('minute', day, ['1h'], ['4h'])))).flatMap(
      (day) => day.of('4h'),
    );
    const [, high, low, , volume] = compare(bars, own).equal;
    expect([own.length, high, low, volume]).toEqual([12, 12, 12, 12]);
    // Trades inside one millisecond stand in another order at the vendor.
    const edges = (rows: readonly Scalar[][]) => rows.map(([start, open, , , close]) => [start, open, close]);
    expect(compare(edges(bars), edges(own)).misses).toEqual([
      '2016-10-07T16:00:00Z',
      '2016-10-07T20:00:00Z',
      '2016-10-08T00:00:00Z',
      '2016-10-08T04:00:00Z',
      '2016-10-08T08:00:00Z',
    ]);
  });

  it("Coinbase's ETH/USD 4h give its days", async () => {
    const shorter = (await coinbaseCandles('ETHUSD_candles_4h_2016_to_2025.json.gz')).slice(0, -1);
    const own = await coinbaseCandles('ETHUSD_candles_1d_2016_to_2025.json.gz');
    const column = (name: string, index: number) => ({
      name,
      type: decimal,
      values: shorter.map((row) => row[index]),
    });
    const bars = await barsThroughEngine({
      timesNs: shorter.map(([start]) => start),
      columns: ['open', 'high', 'low', 'close', 'volume'].map((name, i) => column(name, i + 1)),
      aggregates: [
        ...candleOfCandles(),
        { name: 'volume', fn: 'sum', of: 'volume' },
        { name: 'candles', fn: 'count' },
      ],
      timeframes: ['4h', '1d'],
    });
    const whole = new Set(
      bars
        .of('1d')
        .filter((row) => row[6] === 6n)
        .map(([start]) => start),
    );
    const published = own.filter(([start]) => whole.has(start));
    const prices = compare(
      bars.of('1d'),
      published.map((row) => row.slice(0, 5)),
    );
    const all = compare(bars.of('1d'), published);
    expect([all.published, prices.exact, all.exact]).toEqual([3441, 3409, 3296]);
    // The exchange's two answers differ from one another, less and less from 2020 on.
    const missesOf = (year: number) => all.misses.filter((miss) => miss.startsWith(String(year))).length;
    const years = Array.from({ length: 10 }, (_, i) => missesOf(2016 + i));
    expect(years).toEqual([0, 1, 0, 29, 53, 37, 18, 3, 4, 0]);
  });
});

/** Rows of a REST answer of Kraken. */
async function kraken<Row>(kind: string): Promise<Row[]> {
  const text = await sharedText(`crypto/kraken_XBTUSDT_${kind}_2025-11-10_part1.json`);
  return (JSON.parse(text) as { result: { XBTUSDT: Row[] } }).result.XBTUSDT;
}

type CandleRow = [start: bigint, ...values: ReturnType<typeof decimalOf>[]];

/** Start, open, high, low, close, volume; oldest first. */
async function coinbaseCandles(file: string): Promise<CandleRow[]> {
  type Candle = Record<'start' | 'open' | 'high' | 'low' | 'close' | 'volume', string>;
  const { candles } = JSON.parse(await sharedText(`crypto/coinbase_${file}`)) as { candles: Candle[] };
  const rows = candles.map(
    ({ start, open, high, low, close, volume }): CandleRow => [
      seconds(start),
      ...[open, high, low, close, volume].map((text) => decimalOf(text)),
    ],
  );
  return rows.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The same of a vendor's file of a day in October 2016. */
async function coinbaseRows(kind: string, day: number): Promise<CandleRow[]> {
  const midnightNs = millis(Date.UTC(2016, 9, day));
  const path = `crypto/coinbase_BTCUSD_bars_${kind}_2016100${day}.zip`;
  const rows = await sharedCsv(path, { hasHeader: false });
  return rows.map(([ms, ...values]) => [midnightNs + millis(ms), ...values.map((text) => decimalOf(text))]);
}

async function coinbaseDay(kind: string, day: number, timeframes: string[], merged: string[]) {
  const rows = await coinbaseRows(kind, day);
  const column = (name: string, i: number) => ({
    name,
    type: decimal,
    values: rows.map((row) => row[i + 1]),
  });
  return barsThroughEngine({
    timesNs: rows.map(([start]) => start),
    columns: ['open', 'high', 'low', 'close', 'volume'].map(column),
    aggregates: [...candleOfCandles(), { name: 'volume', fn: 'sum', of: 'volume' }],
    timeframes,
    merged,
  });
}
