/** The least that a cascade of bars does: an accumulator a symbol and level, handed on when its bucket is over. */
import { splitTimes } from '../../src/market/time.ts';
import type { Figure } from '../harness/scenario.ts';
import { startStopwatch, threadRates } from '../support/stopwatch.ts';
import { symbolCount, type Ticks } from '../support/ticks.ts';

const widthsNs = [1e9, 60e9, 3_600e9, 86_400e9];

/** The open bars of one level. */
interface Level {
  widthNs: number;
  start: Float64Array;
  open: Float64Array;
  high: Float64Array;
  low: Float64Array;
  close: Float64Array;
  volume: Float64Array;
  amount: Float64Array;
  count: Float64Array;
}

/** Runs the ticks through four levels and checks that none is missing. */
export function bareCascade(ticks: Ticks): Figure[] {
  const levels = widthsNs.map(makeLevel);
  const t256 = new Float64Array(ticks.count);
  splitTimes(ticks.timesNs, t256, new Uint8Array(ticks.count));
  const elapsed = startStopwatch();
  fold(levels, ticks, t256);
  const took = elapsed();
  const counted = levels.reduce((sum, { count }) => sum + count.reduce((a, b) => a + b, 0), 0);
  if (counted !== ticks.count) throw new Error(`the bars hold ${counted} ticks, not ${ticks.count}`);
  return threadRates(ticks.count, took);
}

function makeLevel(widthNs: number): Level {
  const column = (): Float64Array => new Float64Array(symbolCount);
  const [open, high, low, close] = [column(), column(), column(), column()];
  const [volume, amount, count] = [column(), column(), column()];
  return { widthNs, start: column(), open, high, low, close, volume, amount, count };
}

function fold(levels: Level[], { symbols, prices, sizes }: Ticks, t256: Float64Array): void {
  const { widthNs, start, open, high, low, close, volume, amount, count } = levels[0];
  for (let i = 0; i < t256.length; i++) {
    const s = symbols[i];
    const price = prices[i];
    if (t256[i] >= start[s] + widthNs) {
      if (count[s] > 0) handOn(levels, 0, s);
      start[s] = Math.floor(t256[i] / widthNs) * widthNs;
      open[s] = price;
      high[s] = price;
      low[s] = price;
      volume[s] = 0;
      amount[s] = 0;
      count[s] = 0;
    }
    if (price > high[s]) high[s] = price;
    if (price < low[s]) low[s] = price;
    close[s] = price;
    volume[s] += sizes[i];
    amount[s] += price * sizes[i];
    count[s]++;
  }
}

/** Merges a symbol's bar into the level above. */
function handOn(levels: Level[], level: number, s: number): void {
  const from = levels[level];
  const into = levels[level + 1];
  if (!into) return;
  if (from.start[s] >= into.start[s] + into.widthNs) {
    if (into.count[s] > 0) handOn(levels, level + 1, s);
    into.start[s] = Math.floor(from.start[s] / into.widthNs) * into.widthNs;
    into.open[s] = from.open[s];
    into.high[s] = from.high[s];
    into.low[s] = from.low[s];
    into.volume[s] = 0;
    into.amount[s] = 0;
    into.count[s] = 0;
  }
  into.high[s] = Math.max(into.high[s], from.high[s]);
  into.low[s] = Math.min(into.low[s], from.low[s]);
  into.close[s] = from.close[s];
  into.volume[s] += from.volume[s];
  into.amount[s] += from.amount[s];
  into.count[s] += from.count[s];
}
