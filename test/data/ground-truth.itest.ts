/**
 * Bars that exchanges and vendors published, against those that the engine makes of their ticks. The rates to be met
 * are those of the shared data's README.
 */
import { describe, expect, it } from 'vitest';
import type { Scalar } from '../../src/market/columns.ts';
import type { Aggregate } from '../../src/market/schema.ts';
import { hasSharedData } from '../support/shared-data.ts';
import { barsThroughEngine, decimalOf, sharedCsv, sharedText, trimmed } from './through-engine.ts';

const double = { kind: 'double' } as const;
const decimal = { kind: 'decimal' } as const;

/** Open, high, low and close of a column. */
function candle(of: string, prefix = ''): Aggregate[] {
  return [
    { name: `${prefix}open`, fn: 'first', of },
    { name: `${prefix}high`, fn: 'max', of },
    { name: `${prefix}low`, fn: 'min', of },
    { name: `${prefix}close`, fn: 'last', of },
  ];
}

/** How many of the expected rows, of those with a start, the bars have: exactly but for a tolerance in doubles. */
function matches(bars: readonly Scalar[][], expected: ReadonlyMap<bigint, Scalar[]>, tolerance = 0): number {
  const same = (a: Scalar, b: Scalar): boolean =>
    typeof a === 'number' && typeof b === 'number'
      ? Math.abs(a - b) <= tolerance * Math.abs(b)
      : trimmed(a) === trimmed(b);
  return bars.filter(([start, ...values]) => {
    const wanted = expected.get(start as bigint);
    return wanted?.every((value, i) => same(values[i], value));
  }).length;
}

const seconds = (text: string | number): bigint => BigInt(text) * 1_000_000_000n;
const millis = (text: string | number): bigint => BigInt(text) * 1_000_000n;

describe.skipIf(!hasSharedData)('published bars', () => {
  it("Kraken's trades give Kraken's minutes, to the last digit", async () => {
    type Trade = [price: string, volume: string, time: number, ...unknown[]];
    type Bar = [
      time: number,
      o: string,
      h: string,
      l: string,
      c: string,
      vwap: string,
      volume: string,
      n: number,
    ];
    const read = async <Row>(file: string): Promise<Row[]> =>
      (JSON.parse(await sharedText(`crypto/kraken_XBTUSDT_${file}_part1.json`)) as Answer<Row>).result
        .XBTUSDT;
    interface Answer<Row> {
      result: { XBTUSDT: Row[] };
    }
    const trades = await read<Trade>('trades_2025-11-10');
    const own = await read<Bar>('ohlc_1m_2025-11-10');
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
    const minutes = bars.get('1m') ?? [];
    // The trades of the first minute are only partly in the file.
    const firstWhole = (Math.floor(trades[0][2] / 60) + 1) * 60;
    const traded = own.filter(([time, , , , , , , n]) => time >= firstWhole && n > 0);
    const expected = new Map(
      traded.map(([time, o, h, l, c, , volume, n]) => [
        seconds(time),
        [...[o, h, l, c, volume].map(decimalOf), BigInt(n)] as Scalar[],
      ]),
    );
    expect([traded.length, matches(minutes, expected)]).toEqual([188, 188]);
    const vwaps = new Map(minutes.map((row) => [row[0], row[7] as number]));
    const near = traded.filter(
      ([time, , , , , vwap]) => Math.abs((vwaps.get(seconds(time)) ?? 0) - Number(vwap)) < 0.1,
    );
    expect(near.length).toBe(188);
    expect(minutes.length).toBe(189);
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
      const own = await sharedCsv(`crypto/binance_XRPETH_bars_${timeframe}_2019-10-11_to_13.csv`, {
        hasHeader: true,
      });
      const expected = new Map(own.map(([time, ...values]) => [millis(time), values.map(Number)]));
      const found = bars.get(timeframe) ?? [];
      // Amounts add up in floating point there as here, so the last bit may differ.
      expect([found.length, matches(found, expected, 1e-12)]).toEqual([count, count]);
    }
  });

  it("the CME's ES trades, at nanoseconds, give Databento's minutes", async () => {
    const trades = await sharedCsv('futures/cme_ES_trades_2024-07-01T2358_0002_ns.csv', { hasHeader: true });
    const own = await sharedCsv('futures/cme_ES_NQ_bars_1m_2024-07-01T2340_0010.csv', { hasHeader: true });
    const bars = await barsThroughEngine({
      timesNs: trades.map(([time]) => BigInt(time)),
      columns: [
        { name: 'price', type: double, values: trades.map(([, , , price]) => Number(price)) },
        { name: 'size', type: { kind: 'int64' }, values: trades.map(([, , , , size]) => BigInt(size)) },
      ],
      aggregates: [...candle('price'), { name: 'volume', fn: 'sum', of: 'size' }],
      timeframes: ['1m'],
    });
    const expected = new Map(
      own
        .filter(([, id]) => id === '118')
        .map(([time, , o, h, l, c, v]) => [BigInt(time), [...[o, h, l, c].map(Number), BigInt(v)]]),
    );
    const minutes = bars.get('1m') ?? [];
    expect([minutes.length, matches(minutes, expected)]).toEqual([4, 4]);
  });

  it("FXCM's EUR/USD quotes give its seconds and minutes", async () => {
    const midnightNs = millis(Date.UTC(2014, 4, 8));
    const file = (kind: string): string => `fx/fxcm_EURUSD_quotes_${kind}_20140508.zip`;
    const quotes = await sharedCsv(file('tick'), { hasHeader: false });
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
      const own = await sharedCsv(file(kind), { hasHeader: false });
      const expected = new Map(
        own.map(([ms, bo, bh, bl, bc, , ao, ah, al, ac]) => [
          midnightNs + millis(ms),
          [bo, bh, bl, bc, ao, ah, al, ac].map(Number),
        ]),
      );
      const found = bars.get(timeframe) ?? [];
      expect([found.length, matches(found, expected)]).toEqual([count, count]);
    }
  });

  it("Coinbase's BTC/USD seconds give its minutes", async () => {
    let minuteCount = 0;
    let equal = 0;
    for (const day of [7, 8]) {
      const midnightNs = millis(Date.UTC(2016, 9, day));
      const file = (kind: string): string => `crypto/coinbase_BTCUSD_bars_${kind}_2016100${day}.zip`;
      const seconds = await sharedCsv(file('second'), { hasHeader: false });
      const column = (name: string, index: number, type: typeof double | typeof decimal) => ({
        name,
        type,
        values: seconds.map((row): Scalar => (type === double ? Number(row[index]) : decimalOf(row[index]))),
      });
      const bars = await barsThroughEngine({
        timesNs: seconds.map(([ms]) => midnightNs + millis(ms)),
        columns: [
          column('open', 1, double),
          column('high', 2, double),
          column('low', 3, double),
          column('close', 4, double),
          column('volume', 5, decimal),
        ],
        aggregates: [
          { name: 'open', fn: 'first', of: 'open' },
          { name: 'high', fn: 'max', of: 'high' },
          { name: 'low', fn: 'min', of: 'low' },
          { name: 'close', fn: 'last', of: 'close' },
          { name: 'volume', fn: 'sum', of: 'volume' },
        ],
        timeframes: ['1m'],
      });
      const own = await sharedCsv(file('minute'), { hasHeader: false });
      const expected = new Map(
        own.map(([ms, o, h, l, c, v]) => [
          midnightNs + millis(ms),
          [...[o, h, l, c].map(Number), decimalOf(v)] as Scalar[],
        ]),
      );
      minuteCount += own.length;
      equal += matches(bars.get('1m') ?? [], expected);
    }
    expect([minuteCount, equal]).toEqual([2819, 2819]);
  });
});
