/**
 * Chinese stocks, an index and an index future: recorded ticks and minutes against the exchange's snapshots and days,
 * in the sessions of Shanghai. The rates to be met, and the misses, are those of the shared data's README.
 */
import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/market/columns.ts';
import type { Aggregate } from '../../src/market/schema.ts';
import { hasSharedData } from '../support/shared-data.ts';
import {
  candle,
  candleOfCandles,
  compare,
  decimal,
  double,
  numberOf,
  roundedDecimal,
  timeOfDigits,
} from './published-bars.ts';
import { sharedRecords } from './shared-text.ts';
import { barsThroughEngine, liveBars } from './through-engine.ts';

const calendar = 'XSHG';
const int64 = { kind: 'int64' } as const;
const volume: Aggregate = { name: 'volume', fn: 'sum', of: 'volume' };
/** A time in Shanghai. */
const shanghai = (text: string): bigint => timeOfDigits(text.replace(/\D/g, '').slice(0, 14), 8);
/** Where the bar of a date opens. */
const openOf = (date: string): bigint => shanghai(`${date}0930`);

describe.skipIf(!hasSharedData)('China', () => {
  it("600519: the live day of the trades is the exchange's snapshot, after every one of them", async () => {
    const trades = await sharedRecords('cn/sse_600519_trades_2023-02-01.csv.gz');
    const snapshots = (await sharedRecords('cn/sse_600519_snapshots_2023-02-01.csv.gz')).filter(
      ({ TradNumber }) => TradNumber !== '0',
    );
    const states = await liveBars(
      {
        timesNs: trades.map(({ TradTime }) => timeOfDay('20230201', TradTime)),
        columns: [
          { name: 'price', type: decimal, values: trades.map((row) => roundedDecimal(row.TradPrice, 2)) },
          { name: 'volume', type: int64, values: trades.map((row) => BigInt(row.TradVolume)) },
          { name: 'money', type: decimal, values: trades.map((row) => roundedDecimal(row.TradeMoney, 2)) },
        ],
        aggregates: [...candle('price'), volume, { name: 'money', fn: 'sum', of: 'money' }],
        timeframes: ['1m', '1d'],
        calendar,
      },
      snapshots.map(({ TradNumber }) => Number(TradNumber)),
    );
    // A snapshot goes by its place: several hold as many trades as the one before.
    const rows = snapshots.map((row, i) => [
      BigInt(i),
      ...[row.OpenPrice, row.HighPrice, row.LowPrice, row.LastPrice].map((text) => roundedDecimal(text, 2)),
      BigInt(row.TradVolume),
      roundedDecimal(row.Turnover, 2),
    ]);
    const found = compare(
      states.map((state, i) => [BigInt(i), ...state.slice(1)]),
      rows,
    );
    expect([found.published, found.exact]).toEqual([4953, 4952]);
    // The first one after the auction still shows no open.
    expect(found.equal).toEqual([4952, 4953, 4953, 4953, 4953, 4953]);
    expect([snapshots[0].OpenPrice, found.misses]).toEqual(['0', ['1970-01-01T00:00:00Z']]);
    expect(states.every(([start]) => start === openOf('20230201'))).toBe(true);
  });

  it('minutes of 600000 and 000001 give their days', async () => {
    const minutes = await sharedRecords('cn/tdx_minutes_600000_000001_2018-12-03_to_2019-02-01.csv.gz');
    const bars = await barsThroughEngine({
      ...lots(minutes),
      timeframes: ['1m', '5m', '1h'],
      merged: ['1d'],
    });
    for (const symbol of ['SH600000', 'SZ000001']) {
      const days = bars.of('1d').filter((row) => row[1] === symbol);
      const own = await daysOf(symbol);
      const ends = (rows: readonly Scalar[][]) => rows.map((row) => [row[0], row[1], row[5], row[6]]);
      const published = own.filter(([start]) => days.some((day) => day[0] === start));
      expect([days.length, compare(ends(days), ends(published), { keys: 2 }).equal]).toEqual([43, [43, 43]]);
    }
    expect(bars.ticksOutsideSessions).toBe(0);
  });

  it('ticks of the same give their days, and nearly their minutes', async () => {
    const ticks = await sharedRecords('cn/tdx_ticks_600000_000001_2019-02-01_and_11.csv.gz');
    const bars = await barsThroughEngine({ ...lots(ticks), timeframes: ['1m', '1h', '1d'] });
    const own = [...(await daysOf('SH600000')), ...(await daysOf('SZ000001'))];
    const published = own.filter(([start]) =>
      [openOf('20190201'), openOf('20190211')].some((t) => t === start),
    );
    expect(compare(bars.of('1d'), published, { keys: 2 })).toMatchObject({ published: 4, exact: 4 });
    expect(bars.ticksOutsideSessions).toBe(0);

    // The ticks have no real seconds, so those next to a minute's edge may stand in the minute beside it.
    const minutes = lots(await sharedRecords('cn/tdx_minutes_600000_000001_2018-12-03_to_2019-02-01.csv.gz'));
    const [price, size] = minutes.columns.map(({ values }) => values);
    const given = new Map(bars.of('1m').map((row) => [`${row[0]} ${row[1]}`, row]));
    const rates = ['SZ000001', 'SH600000'].map((symbol) => {
      const rate = { bars: 0, price: 0, minutes: 0, volume: 0, total: [0, 0] };
      minutes.timesNs.forEach((startNs, i) => {
        if (minutes.symbols[i] !== symbol || startNs < openOf('20190201')) return;
        const bar = given.get(`${startNs} ${symbol}`);
        const lotsOfBar = Number(bar?.[6] ?? 0);
        rate.minutes++;
        if (bar) rate.bars++;
        if (bar && numberOf(bar[5]) === numberOf(price[i])) rate.price++;
        // One minute has no tick, and so no bar.
        if (bar && lotsOfBar === Number(size[i])) rate.volume++;
        rate.total[0] += lotsOfBar;
        rate.total[1] += Number(size[i]);
      });
      expect(rate.total[0]).toBe(rate.total[1]);
      return [rate.price, rate.bars, rate.volume, rate.minutes];
    });
    expect(rates).toEqual([
      [238, 239, 237, 240],
      [224, 239, 180, 240],
    ]);
  });

  it('minutes of the SSE index give its days, short of the extremes between samples', async () => {
    const minutes = await sharedRecords('cn/sse_index_000001_bars_1m_2017-03_to_07.csv.gz');
    const bars = await barsThroughEngine({
      timesNs: minutes.map(({ date }) => {
        const [day, time] = date
          .split(' ')
          .map((text) => text.split(/\D/).map((part) => part.padStart(2, '0')));
        return shanghai([...day, ...time].join('')) - 1n;
      }),
      columns: candleColumns(minutes),
      aggregates: [...candleOfCandles(), { name: 'minutes', fn: 'count' }],
      timeframes: ['1m', '1h', '1d'],
      calendar,
    });
    // The first day is there only in part, and one has a minute too many.
    const days = bars.of('1d').filter((row) => row[5] === 239n);
    const own = await daysOf('index_000001', 2017);
    const published = own
      .filter(([start]) => days.some((day) => day[0] === start))
      .map(([start, , ...values]) => [start, ...values.slice(0, 4).map(numberOf)]);
    const { equal } = compare(days, published, { absolute: 0.01 + 1e-9 });
    expect([published.length, equal]).toEqual([99, [99, 40, 28, 99]]);
    const wanted = new Map(published.map((row) => [row[0], row]));
    const isWithin = ([start, , high, low]: Scalar[]) => {
      const [, , top, bottom] = (wanted.get(start as bigint) ?? []).map(Number);
      return Number(high) <= top + 0.01 && Number(low) >= bottom - 0.01;
    };
    expect(days.filter((day) => !isWithin(day))).toEqual([]);
  });

  it('minutes of 000001 without auctions give closes, and volumes short of the auctions', async () => {
    const minutes = await sharedRecords('cn/szse_000001_bars_1m_2018-01.csv.gz');
    const bars = await barsThroughEngine({
      timesNs: minutes.map(({ unixTime }) => BigInt(unixTime) * 1_000_000n - 1n),
      columns: [
        ...candleColumns(minutes),
        column(
          'volume',
          int64,
          minutes.map((row) => BigInt(row.volume)),
        ),
      ],
      aggregates: [...candleOfCandles(), volume],
      timeframes: ['1m', '1d'],
      calendar,
    });
    const days = bars.of('1d');
    const own = (await daysOf('SZ000001', 2018)).filter(([start]) => days.some((day) => day[0] === start));
    const published = own.map(([start, , ...values]) => [start, ...values.slice(0, 4).map(numberOf)]);
    const { equal } = compare(days, published, { absolute: 1e-9 });
    expect([days.length, equal]).toEqual([21, [7, 9, 13, 21]]);
    const shares = days.map((day, i) => Number(day[5]) / 100 / Number(own[i][6]));
    expect(Math.min(...shares)).toBeGreaterThan(0.99);
    expect(Math.max(...shares)).toBeLessThan(0.9995);
  });

  it('600000 without auction trades: extremes equal, the rest off by what the auctions traded', async () => {
    const trades = await sharedRecords('cn/sse_600000_trades_2020-01-02.csv.gz');
    const bars = await barsThroughEngine({
      timesNs: trades.map(({ TradeTime }) => shanghai(TradeTime)),
      columns: [
        column(
          'price',
          double,
          trades.map((row) => Number(row.TradePrice)),
        ),
        column(
          'volume',
          int64,
          trades.map((row) => BigInt(row.TradeQty)),
        ),
      ],
      aggregates: [...candle('price'), volume],
      timeframes: ['1m', '1d'],
      calendar,
    });
    const [start, ...values] = bars.of('1d')[0];
    const own = (await daysOf('SH600000')).find(([opens]) => opens === start) ?? [];
    expect(values).toEqual([12.48, numberOf(own[3]), numberOf(own[4]), 12.48, 50_491_763n]);
    expect([own[2], own[5]].map(numberOf)).toEqual([12.47, 12.47]);
  });

  it.each(['20210104', '20210105'])('IF2101 on %s: volume out of the running total', async (date) => {
    const ticks = await sharedRecords(`futures/cffex_IF2101_ticks_${date}.csv.gz`);
    const bars = await barsThroughEngine({
      timesNs: ticks.map((row) => timeOfDay(date, row.action_time.padStart(9, '0'))),
      columns: [
        column(
          'last',
          double,
          ticks.map((row) => Number(row.last)),
        ),
        column(
          'high',
          double,
          ticks.map((row) => Number(row.high)),
        ),
        column(
          'volume',
          int64,
          ticks.map((row) => BigInt(row.volume)),
        ),
        column(
          'total',
          int64,
          ticks.map((row) => BigInt(row.total_volume)),
        ),
      ],
      aggregates: [
        ...candle('last'),
        volume,
        { name: 'session high', fn: 'max', of: 'high' },
        { name: 'total', fn: 'increase', of: 'total' },
      ],
      timeframes: ['1m', '1d'],
      calendar,
    });
    const [day] = bars.of('1d');
    const last = ticks[ticks.length - 1];
    const first = ticks[0];
    expect(bars.of('1d')).toHaveLength(1);
    expect([day[5], day[6]]).toEqual([BigInt(last.total_volume), Number(last.high)]);
    // The growth of a total counts from its first tick on: the auction of 09:29 is that.
    expect(day[7]).toBe(Number(last.total_volume) - Number(first.total_volume));
    const minutes = bars.of('1m');
    expect(minutes.slice(1).filter((row) => Number(row[5]) !== row[7])).toEqual([]);
    // Rows after the close, with the settlement, open no bars.
    expect(minutes).toHaveLength(240);
    const late = ticks.filter(({ action_time }) => Number(action_time) >= 150_200_000).length;
    expect([late > 0, bars.ticksOutsideSessions]).toEqual([true, late]);
  });
});

function column<Type>(name: string, type: Type, values: Scalar[]) {
  return { name, type, values };
}

function candleColumns(rows: readonly Record<string, string>[]) {
  return ['open', 'high', 'low', 'close'].map((name) =>
    column(
      name,
      double,
      rows.map((row) => Number(row[name])),
    ),
  );
}

/** Prices and volumes in lots of 100, of several symbols. */
function lots(rows: readonly Record<string, string>[]) {
  return {
    timesNs: rows.map(({ datetime }) => shanghai(datetime)),
    symbols: rows.map(({ symbol }) => symbol),
    columns: [
      column(
        'price',
        double,
        rows.map(({ price }) => Number(price)),
      ),
      column(
        'volume',
        int64,
        rows.map((row) => BigInt(row.vol_lots)),
      ),
    ],
    aggregates: [...candle('price'), volume],
    calendar,
  };
}

/** Start, symbol, open, high, low, close, whole lots. */
async function daysOf(symbol: string, year?: number): Promise<Scalar[][]> {
  const path = `cn/tdx_daily_${symbol.replace(/^S[HZ]/, '')}_${year === 2017 ? '2017' : '2018_to_2020'}.csv`;
  const rows = await sharedRecords(path);
  return rows.map(({ date, open, high, low, close, volume }) => [
    openOf(date),
    symbol,
    ...[open, high, low, close].map(Number),
    BigInt(volume) / 100n,
  ]);
}

/** `09:25:00.940` or `092500940` of a date, in Shanghai. */
function timeOfDay(date: string, text: string): bigint {
  const digits = text.replace(/\D/g, '');
  return shanghai(date + digits.slice(0, 6)) + BigInt(digits.slice(6).padEnd(3, '0')) * 1_000_000n;
}
