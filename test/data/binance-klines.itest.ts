/**
 * Binance's klines of fifteen timeframes, each made by the engine of every shorter one that divides it, and Binance's
 * running kline beside the trades that change it. See the shared data's README.
 */
import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/market/columns.ts';
import { divides, parseTimeframe } from '../../src/market/timeframe.ts';
import { hasSharedData } from '../support/shared-data.ts';
import {
  candle,
  candleOfCandles,
  compare,
  decimal,
  decimalOf,
  millis,
  numberOf,
  roundedDecimal,
  seconds,
} from './published-bars.ts';
import { sharedRecords, sharedText } from './shared-text.ts';
import { barsThroughEngine, liveBars } from './through-engine.ts';

const timeframes = '1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M'.split(' ');
const dayNs = 86_400_000_000_000n;
const values = ['open', 'high', 'low', 'close', 'volume'];

interface Kline {
  timeframe: string;
  symbol: string;
  startNs: bigint;
  /** In the order of `values`. */
  values: Scalar[];
}

describe.skipIf(!hasSharedData)("Binance's klines", () => {
  it('make the longer ones, in every pair of timeframes', async () => {
    const klines = (
      await Promise.all(
        ['ETHBTC_klines_15tf_to_2020-05-17', 'ADAUSDT_klines_15tf_to_2020-04-24'].map(klinesOf),
      )
    ).flat();
    let pairs = 0;
    let published = 0;
    const misses: string[] = [];
    for (const shorter of timeframes) {
      const longer = timeframes.filter((timeframe) => isLonger(timeframe, shorter));
      if (longer.length === 0) continue;
      const made = klines
        .filter(({ timeframe }) => timeframe === shorter)
        .flatMap((kline) => (kline.symbol === 'ADA/USDT' ? [kline, dayEarlier(kline)] : [kline]));
      const bars = await barsThroughEngine({
        timesNs: made.map(({ startNs }) => startNs),
        symbols: made.map(({ symbol }) => symbol),
        columns: values.map((name, i) => ({ name, type: decimal, values: made.map((row) => row.values[i]) })),
        aggregates: [...candleOfCandles(), { name: 'volume', fn: 'sum', of: 'volume' }],
        timeframes: [shorter, longer[0]],
        merged: longer.slice(1),
      });
      for (const timeframe of longer) {
        const own = klines
          .filter((kline) => kline.timeframe === timeframe)
          .map((kline) => (timeframe === '3d' && kline.symbol === 'ADA/USDT' ? dayEarlier(kline) : kline));
        const covered = own.filter((kline, i) => isCovered(kline, own[i + 1], made));
        if (covered.length === 0) continue;
        const rows = covered.map(({ startNs, symbol, values }) => [startNs, symbol, ...values]);
        const found = compare(bars.of(timeframe), rows, { keys: 2 });
        pairs++;
        published += found.published;
        misses.push(...found.misses.map((miss) => `${shorter} to ${timeframe} ${miss}`));
      }
    }
    // Binance's own 1m and 3m differ there in their open by one price step.
    expect(misses).toEqual(['1m to 3m 2020-04-24T21:18:00Z ADA/USDT']);
    expect({ pairs, published }).toEqual({ pairs: 78, published: 5007 + 4997 });
  });

  it('that are still running grow by the trades between two of their messages', async () => {
    const messages = await futuresMessages();
    const found = { pairs: 0, volume: 0, close: 0 };
    for (const symbol of new Set(messages.map(({ s }) => s))) {
      const ofSymbol = messages.filter(({ s }) => s === symbol);
      const trades = ofSymbol.filter((message) => message.e === 'aggTrade');
      const klines = ofSymbol.filter((message) => message.e === 'kline').map(({ k }) => k);
      // By trade ids: messages of the two kinds overtake one another.
      const rowCounts = klines.map(({ L }) => trades.filter(({ l }) => l <= L).length);
      const recording = {
        timesNs: trades.map(({ T }) => millis(T)),
        columns: [
          { name: 'price', type: decimal, values: trades.map(({ p }) => decimalOf(p)) },
          { name: 'size', type: decimal, values: trades.map(({ q }) => decimalOf(q)) },
        ],
        aggregates: [...candle('price'), { name: 'volume', fn: 'sum', of: 'size' } as const],
        timeframes: ['1s', '1m'],
      };
      const states = await liveBars(recording, rowCounts);
      for (let i = 1; i < klines.length; i++) {
        const [before, now] = [klines[i - 1], klines[i]];
        const between = trades.slice(rowCounts[i - 1], rowCounts[i]);
        // A message may stand in the midst of the fills of one order, which come as one trade.
        const isWhole = between[0]?.f === before.L + 1 && between.at(-1)?.l === now.L;
        if (before.t !== now.t || !isWhole) continue;
        const volumeAt = (at: number) => (states[at][0] === millis(now.t) ? numberOf(states[at][5]) : 0);
        const growth = Number(now.v) - Number(before.v);
        found.pairs++;
        if (Math.abs(volumeAt(i) - volumeAt(i - 1) - growth) < 1e-6) found.volume++;
        if (numberOf(states[i][4]) === Number(now.c)) found.close++;
      }
    }
    expect(found).toEqual({ pairs: 33, volume: 33, close: 33 });
  });
});

function isLonger(timeframe: string, shorter: string): boolean {
  return timeframe !== shorter && divides(parseTimeframe(shorter), parseTimeframe(timeframe));
}

/**
 * Is the kline closed, and were all the shorter ones in it? The newest of each timeframe was still open when the file
 * was saved; any other ends where the next one begins.
 */
function isCovered(kline: Kline, next: Kline | undefined, shorter: readonly Kline[]): boolean {
  if (next?.symbol !== kline.symbol) return false;
  const starts = shorter.filter(({ symbol }) => symbol === kline.symbol).map(({ startNs }) => startNs);
  return starts[0] <= kline.startNs && starts[starts.length - 1] >= next.startNs;
}

/** 3d has no common origin: Binance counts those of ADA/USDT from a day after the epoch. */
function dayEarlier(kline: Kline): Kline {
  return { ...kline, symbol: 'ADA/USDT a day earlier', startNs: kline.startNs - dayNs };
}

async function klinesOf(file: string): Promise<Kline[]> {
  const records = await sharedRecords(`crypto/binance_${file}.csv.gz`);
  return records.map((record) => ({
    timeframe: record.time_frame,
    symbol: record.symbol,
    startNs: seconds(record.open_time_s),
    // Volumes carry the noise of the doubles they were kept as; Binance counts in thousandths.
    values: [...values.slice(0, 4).map((name) => decimalOf(record[name])), roundedDecimal(record.volume, 3)],
  }));
}

type FuturesMessage =
  | { e: 'aggTrade'; s: string; p: string; q: string; f: number; l: number; T: number }
  | { e: 'kline'; s: string; k: { t: number; L: number; c: string; v: string } };

async function futuresMessages(): Promise<FuturesMessage[]> {
  const lines = (await sharedText('ws/cryptofeed_binance_futures_2021-07-22.txt.gz')).split('\n');
  const received = lines.flatMap((line) => /^[\d.]+: (.+)$/.exec(line)?.[1] ?? []);
  const messages = received.map((json) => (JSON.parse(json) as { data?: FuturesMessage }).data);
  return messages.filter((message) => message?.e === 'aggTrade' || message?.e === 'kline');
}
