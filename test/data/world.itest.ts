/**
 * Bars of currencies, futures and US stocks as vendors published them, against those that the engine makes. The rates
 * to be met are those of the shared data's README.
 */
import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/market/columns.ts';
import { hasSharedData } from '../support/shared-data.ts';
import { candle, candleOfCandles, compare, double, millis, timeOfDigits } from './published-bars.ts';
import { sharedCsv } from './shared-text.ts';
import { barsThroughEngine } from './through-engine.ts';

describe.skipIf(!hasSharedData)('currencies, futures, US stocks', () => {
  it("FXCM's EUR/USD quotes give its seconds and minutes", async () => {
    const midnightNs = millis(Date.UTC(2014, 4, 8));
    const quotes = await sharedCsv('fx/fxcm_EURUSD_quotes_tick_20140508.zip', { hasHeader: false });
    const bars = await barsThroughEngine({
      timesNs: quotes.map(([ms]) => midnightNs + millis(ms)),
      columns: [
        { name: 'bid', type: double, values: quotes.map(([, bid]) => Number(bid)) },
        { name: 'ask', type: double, values: quotes.map(([, , ask]) => Number(ask)) },
      ],
      aggregates: [...candle('bid', 'bid '), ...candle('ask', 'ask ')],
      timeframes: ['1s', '1m'],
    });
    for (const [kind, timeframe, count] of [
      ['second', '1s', 30_354],
      ['minute', '1m', 1_431],
    ] as const) {
      const found = compare(bars.of(timeframe), await fxcm(kind));
      expect([bars.of(timeframe).length, found.exact]).toEqual([count, count]);
    }
  });

  it.each([
    ['second', '1m', 'minute', 1431],
    ['minute', '1h', 'hour', 24],
    ['hour', '1d', 'daily', 26],
  ] as const)("FXCM's own bars by the %s give its %s bars", async (shorter, timeframe, longer, count) => {
    const rows = await fxcm(shorter);
    const bars = await barsThroughEngine({
      timesNs: rows.map(([start]) => start as bigint),
      columns: ['bid ', 'ask '].flatMap((side, s) =>
        ['open', 'high', 'low', 'close'].map((name, i) => ({
          name: side + name,
          type: double,
          values: rows.map((row) => row[1 + 4 * s + i]),
        })),
      ),
      aggregates: [...candleOfCandles('bid '), ...candleOfCandles('ask ')],
      timeframes: [timeframe],
    });
    const first = rows[0][0] as bigint;
    const last = rows[rows.length - 1][0] as bigint;
    const published = (await fxcm(longer)).filter(([start]) => {
      const startNs = start as bigint;
      return startNs >= first - (first % 3_600_000_000_000n) && startNs <= last;
    });
    const found = compare(bars.of(timeframe), published);
    expect([found.published, found.exact, bars.of(timeframe).length]).toEqual([count, count, count]);
  });

  it("the CME's ES trades, at nanoseconds, give Databento's minutes", async () => {
    const trades = await sharedCsv('futures/cme_ES_trades_2024-07-01T2358_0002_ns.csv', { hasHeader: true });
    const own = await sharedCsv('futures/cme_ES_NQ_bars_1m_2024-07-01T2340_0010.csv', { hasHeader: true });
    const published = own
      .filter(([, id]) => id === '118')
      .map(([time, , o, h, l, c, v]) => [BigInt(time), ...[o, h, l, c].map(Number), BigInt(v)]);
    for (const calendar of [undefined, 'CMES']) {
      const bars = await barsThroughEngine({
        timesNs: trades.map(([time]) => BigInt(time)),
        columns: [
          { name: 'price', type: double, values: trades.map(([, , , price]) => Number(price)) },
          { name: 'size', type: { kind: 'int64' }, values: trades.map(([, , , , size]) => BigInt(size)) },
        ],
        aggregates: [...candle('price'), { name: 'volume', fn: 'sum', of: 'size' }],
        timeframes: ['1m', '1d'],
        ...(calendar === undefined ? {} : { calendar }),
      });
      const found = compare(bars.of('1m'), published);
      expect([bars.of('1m').length, found.exact]).toEqual([4, 4]);
      // Two days in UTC, both within the CME's Tuesday, which opens at 17:00 in Chicago.
      const days = bars.of('1d').map(([start]) => start);
      expect(days).toEqual(
        calendar === undefined
          ? [millis(Date.UTC(2024, 6, 1)), millis(Date.UTC(2024, 6, 2))]
          : [millis(Date.UTC(2024, 6, 1, 22))],
      );
    }
  });

  it("SPY's minutes in New York's sessions give the days that another vendor publishes", async () => {
    const minutes = await sharedCsv('us/spy_bars_1m_2011-03.csv.gz', { hasHeader: false, delimiter: ';' });
    const own = await sharedCsv('us/spy_daily_2011-03.csv', { hasHeader: true });
    const bars = await barsThroughEngine({
      // The file names the end of each minute, which lies in the next one.
      timesNs: minutes.map(([time]) => timeOfDigits(time.replace(' ', ''), 0) - 1n),
      columns: ['open', 'high', 'low', 'close'].map((name, i) => ({
        name,
        type: double,
        values: minutes.map((row) => Number(row[1 + i])),
      })),
      aggregates: [...candleOfCandles(), { name: 'minutes', fn: 'count' }],
      timeframes: ['1m', '1h', '1d'],
      calendar: 'XNYS',
    });
    // New York put its clocks forward on the 13th.
    const openOf = (date: string): bigint =>
      millis(Date.parse(`${date}T${date < '2011-03-13' ? '14' : '13'}:30:00Z`));
    const published: Scalar[][] = own.map(([date, ...prices]) => [
      openOf(date),
      ...prices.slice(0, 4).map(Number),
    ]);
    expect(bars.of('1d').map(([start]) => start)).toEqual(published.map(([start]) => start).reverse());
    expect(compare(bars.of('1d'), published, { absolute: 1e-9 }).equal).toEqual([13, 23, 22, 5]);
    expect(compare(bars.of('1d'), published, { absolute: 0.02 + 1e-9 }).equal).toEqual([23, 23, 22, 18]);
    // What was traded before and after hours is in no bar: pre- and post-market minutes of the file.
    const inSession = bars.of('1d').reduce((sum, row) => sum + Number(row[5]), 0);
    expect([inSession, bars.ticksOutsideSessions]).toEqual([23 * 390, minutes.length - 23 * 390]);
  });
});

/** Start, four prices of the bid, four of the ask. */
async function fxcm(kind: 'second' | 'minute' | 'hour' | 'daily'): Promise<Scalar[][]> {
  const isOfDay = kind === 'second' || kind === 'minute';
  const path = isOfDay ? `${kind}_20140508.zip` : `${kind}_201405.csv`;
  const rows = await sharedCsv(`fx/fxcm_EURUSD_quotes_${path}`, { hasHeader: false });
  return rows.map(([time, bo, bh, bl, bc, , ao, ah, al, ac]) => [
    isOfDay ? millis(Date.UTC(2014, 4, 8)) + millis(time) : timeOfDigits(time.replace(/\D/g, ''), 0),
    ...[bo, bh, bl, bc, ao, ah, al, ac].map(Number),
  ]);
}
