/**
 * The rollup cascade by itself: ticks folded into 1s bars, which are merged into 1m, 1h and 1d, open, high, low, close,
 * volume, vwap and count at each level, nothing stored. Beside it the least that any cascade does, as a ceiling.
 *
 * What a tick costs depends on how many share a bar and a batch: each batch leaves a partial bar for every symbol and
 * second in it. So there are small and large batches, of symbols that trade 10 and 100 times a second. What is measured
 * is the last of several passes over the ticks: a server does not compile its loops again for each batch.
 */

import { rowsBetween } from '../../src/engine/rollup/bar-intake.ts';
import { Partials } from '../../src/engine/rollup/partials.ts';
import { planRollup, type RollupPlan } from '../../src/engine/rollup/plan.ts';
import { RollupNode } from '../../src/engine/rollup/rollup-node.ts';
import { TickFold } from '../../src/engine/rollup/tick-fold.ts';
import type { Aggregate } from '../../src/market/schema.ts';
import { splitTimes } from '../../src/market/time.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { startStopwatch, threadRates } from '../support/stopwatch.ts';
import { firstTimeNs, makeTicks, symbolCount, type Ticks, tradesTable } from '../support/ticks.ts';
import { bareCascade } from './bare-cascade.ts';

/** How ticks come. */
interface Flow {
  batchRows: number;
  /** Of one symbol. */
  ticksPerSecond: number;
}

/** See the head of this file. */
export const cascadeScenarios: Scenario[] = [
  scenario({ batchRows: 8_192, ticksPerSecond: 10 }),
  scenario({ batchRows: 65_536, ticksPerSecond: 10 }),
  scenario({ batchRows: 8_192, ticksPerSecond: 100 }),
  scenario({ batchRows: 65_536, ticksPerSecond: 100 }),
];

function scenario(flow: Flow): Scenario {
  const { batchRows, ticksPerSecond } = flow;
  const market = `${symbolCount.toLocaleString('en')} symbols, ${ticksPerSecond} ticks a second each`;
  return {
    name: `cascade-${batchRows}-x${ticksPerSecond}`,
    title: `ticks into 1s/1m/1h/1d bars in memory, batches of ${batchRows.toLocaleString('en')}, ${market}`,
    rows: 4_000_000,
    target: '30 M rows/s',
    runs: [
      {
        name: 'candela',
        run: async ({ rows }) => warm(makeFlow(rows, flow), (ticks) => cascade(ticks, flow)),
      },
      {
        name: 'bare loop over arrays: no closed bars kept, no late ticks, plain sums',
        run: async ({ rows }) => warm(makeFlow(rows, flow), bareCascade),
      },
    ],
  };
}

function makeFlow(rows: number, { ticksPerSecond }: Flow): Ticks {
  return makeTicks(rows, firstTimeNs, ticksPerSecond * symbolCount);
}

/** The last of five passes. */
function warm(ticks: Ticks, pass: (ticks: Ticks) => Figure[]): Figure[] {
  for (let i = 0; i < 4; i++) pass(ticks);
  return pass(ticks);
}

function cascade(ticks: Ticks, { batchRows }: Flow): Figure[] {
  const rows = ticks.count;
  const nodes = makeNodes();
  const [root] = nodes;
  const fold = new TickFold(root.plan.bucketing, root.plan.slots);
  const t256 = new Float64Array(rows);
  const rest = new Uint8Array(rows);
  splitTimes(ticks.timesNs, t256, rest);
  const elapsed = startStopwatch();
  for (let from = 0; from < rows; from += batchRows) {
    const to = Math.min(from + batchRows, rows);
    const partials = fold.fold({
      count: to - from,
      group: ticks.symbols.subarray(from, to),
      t256: t256.subarray(from, to),
      rest: rest.subarray(from, to),
      firstArrival: from,
      arrivals: null,
      columns: [
        undefined,
        undefined,
        { kind: 'double', values: ticks.prices.subarray(from, to) },
        { kind: 'double', values: ticks.sizes.subarray(from, to) },
      ],
    });
    root.merge(partials, rowsBetween(0, partials.length), 1 + from / batchRows);
    for (const node of nodes) forgetClosed(node);
  }
  const took = elapsed();
  check(ticks, nodes[nodes.length - 1]);
  return threadRates(rows, took);
}

/** As after a flush that leaves nothing in memory. */
function forgetClosed({ closed }: RollupNode): void {
  closed.flushedRow = closed.nextRow;
  while (closed.blocks.length > 1 && closed.evictOldest());
}

function makeNodes(): RollupNode[] {
  const nodes: RollupNode[] = [];
  for (const timeframe of ['1s', '1m', '1h', '1d']) {
    const source = nodes.at(-1);
    const plan = planOf(timeframe, source?.plan);
    const node = new RollupNode(nodes.length, timeframe, plan, source ?? null);
    source?.children.push(node);
    nodes.push(node);
  }
  nodes[0].reserveGroups(symbolCount);
  return nodes;
}

function planOf(timeframe: string, source: RollupPlan | undefined): RollupPlan {
  const of = (column: string, own: string): string => (source ? own : column);
  const aggregates: Aggregate[] = [
    { name: 'open', fn: 'first', of: of('price', 'open') },
    { name: 'high', fn: 'max', of: of('price', 'high') },
    { name: 'low', fn: 'min', of: of('price', 'low') },
    { name: 'close', fn: 'last', of: of('price', 'close') },
    { name: 'volume', fn: 'sum', of: of('size', 'volume') },
    { name: 'vwap', fn: 'vwap', of: of('price', 'vwap'), weight: of('size', 'volume') },
    source ? { name: 'trades', fn: 'sum', of: 'trades' } : { name: 'trades', fn: 'count' },
  ];
  const def = { name: timeframe, source: 'trades', timeframe, aggregates };
  return planRollup(def, {
    name: 'trades',
    tickColumns: tradesTable.columns,
    time: tradesTable.columns[0],
    rollup: source,
  });
}

/** Each symbol's day bar, complete with what the lower levels hold open, against a plain loop over its ticks. */
function check({ symbols, prices, sizes, count }: Ticks, days: RollupNode): void {
  const live = new Partials(days.plan.slots, 1);
  const slotOf = (output: string): number => {
    const source = days.plan.outputs.find(({ name }) => name === output)?.source;
    return source?.from === 'slot' ? source.slot : -1;
  };
  const slotValue = (output: string): number => {
    const [column] = live.slots[slotOf(output)].store(Int32Array.of(0));
    return column.kind === 'double' ? column.values[0] : Number.NaN;
  };
  for (let symbol = 0; symbol < symbolCount; symbol += 97) {
    const rows: number[] = [];
    for (let i = 0; i < count; i++) if (symbols[i] === symbol) rows.push(i);
    if (!days.live(symbol, live, 0)) throw new Error(`symbol ${symbol} has no bar`);
    const expected = [
      prices[rows[0]],
      rows.reduce((most, i) => Math.max(most, prices[i]), Number.NEGATIVE_INFINITY),
      rows.reduce((least, i) => Math.min(least, prices[i]), Number.POSITIVE_INFINITY),
      prices[rows[rows.length - 1]],
      rows.reduce((sum, i) => sum + sizes[i], 0),
    ];
    const found = ['open', 'high', 'low', 'close', 'volume'].map(slotValue);
    if (live.rows[0] !== rows.length || found.some((value, i) => value !== expected[i]))
      throw new Error(
        `symbol ${symbol}: ${found} of ${live.rows[0]} ticks, not ${expected} of ${rows.length}`,
      );
  }
}
