/** The ticks that every scenario writes: 1,000 symbols in random order, mostly 10 ticks each a second, random walks. */
import { createPrng } from '../../src/core/prng.ts';
import type { Batch } from '../../src/market/columns.ts';
import type { CandlesDef, TableDef } from '../../src/market/schema.ts';

/** How many symbols trade. */
export const symbolCount = 1_000;
/** Ticks a second of the whole market, unless a scenario says otherwise. */
const ticksPerSecondDefault = 10_000;
/** Time of the first tick: 2023-11-14T22:13:20Z. */
export const firstTimeNs = 1_700_000_000_000_000_000n;

/** Their names. */
export const symbolNames = Array.from({ length: symbolCount }, (_, i) => `SYM${String(i).padStart(4, '0')}`);

/** Four columns of ticks; `symbols` are indexes of `symbolNames`. */
export interface Ticks {
  count: number;
  timesNs: BigInt64Array;
  symbols: Int32Array;
  prices: Float64Array;
  sizes: Float64Array;
}

/** `count` ticks from `fromNs` on; the same every time. */
export function makeTicks(
  count: number,
  fromNs = firstTimeNs,
  ticksPerSecond = ticksPerSecondDefault,
): Ticks {
  const stepNs = BigInt(1e9 / ticksPerSecond);
  const prng = createPrng(20_330);
  const ticks: Ticks = {
    count,
    timesNs: new BigInt64Array(count),
    symbols: new Int32Array(count),
    prices: new Float64Array(count),
    sizes: new Float64Array(count),
  };
  const price = Float64Array.from({ length: symbolCount }, () => 50 + prng.below(10_000) / 100);
  for (let i = 0; i < count; i++) {
    const symbol = prng.below(symbolCount);
    price[symbol] += (prng.below(11) - 5) / 100;
    ticks.timesNs[i] = fromNs + BigInt(i) * stepNs;
    ticks.symbols[i] = symbol;
    ticks.prices[i] = price[symbol];
    ticks.sizes[i] = 1 + prng.below(500);
  }
  return ticks;
}

/** Ticks `from` … `to`-1 as a batch for the table of `tradesTable`: views, not copies. */
export function tickBatch(ticks: Ticks, from: number, to: number): Batch {
  return {
    rowCount: to - from,
    columns: {
      time: { kind: 'timestamp', values: ticks.timesNs.subarray(from, to) },
      symbol: { kind: 'text', dictionary: symbolNames, codes: ticks.symbols.subarray(from, to) },
      price: { kind: 'double', values: ticks.prices.subarray(from, to) },
      size: { kind: 'double', values: ticks.sizes.subarray(from, to) },
    },
  };
}

/** All ticks in batches of `batchRows`. */
export function tickBatches(ticks: Ticks, batchRows: number): Batch[] {
  const batches: Batch[] = [];
  for (let from = 0; from < ticks.count; from += batchRows)
    batches.push(tickBatch(ticks, from, Math.min(from + batchRows, ticks.count)));
  return batches;
}

/** The table that takes them. */
export const tradesTable: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'double' } },
  ],
};

/** Its bars. */
export const tradesCandles: CandlesDef = {
  source: 'trades',
  price: 'price',
  volume: 'size',
  timeframes: ['1s', '1m', '1h', '1d'],
};
