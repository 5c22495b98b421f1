import { describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../core/prng.ts';
import { columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { Aggregate, ColumnDef } from '../../market/schema.ts';
import { splitTimes } from '../../market/time.ts';
import { type NaiveTick, naiveBars } from '../../testing/naive-bars.ts';
import { rowsBetween } from './bar-intake.ts';
import { nothingBefore, outputColumns } from './outputs.ts';
import { Partials } from './partials.ts';
import { planRollup } from './plan.ts';
import { RollupNode } from './rollup-node.ts';
import { TickFold } from './tick-fold.ts';

const groupCount = 5;
const timeframes = ['1s', '5s', '1m'];
const columns: ColumnDef[] = [
  { name: 'symbol', type: { kind: 'text' } },
  { name: 'price', type: { kind: 'double' } },
  { name: 'size', type: { kind: 'int64' } },
  { name: 'venue', type: { kind: 'text' } },
];
const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } };
/** Over the ticks; the rollups above continue the columns by the same functions. */
const aggregates: Aggregate[] = [
  { name: 'open', fn: 'first', of: 'price' },
  { name: 'high', fn: 'max', of: 'price' },
  { name: 'low', fn: 'min', of: 'price' },
  { name: 'close', fn: 'last', of: 'price' },
  { name: 'sum', fn: 'sum', of: 'price' },
  { name: 'volume', fn: 'sum', of: 'size' },
  { name: 'largest', fn: 'max', of: 'size' },
  { name: 'venue', fn: 'last', of: 'venue' },
  { name: 'vwap', fn: 'vwap', of: 'price', weight: 'size' },
  { name: 'mean', fn: 'avg', of: 'price' },
];

function makeNodes(): RollupNode[] {
  const nodes: RollupNode[] = [];
  for (const timeframe of timeframes) {
    const source = nodes.at(-1);
    const continued = aggregates.map((aggregate) =>
      aggregate.fn === 'vwap'
        ? { ...aggregate, of: 'vwap', weight: 'volume' }
        : { ...aggregate, of: aggregate.name },
    ) as Aggregate[];
    const def = { name: timeframe, source: 'ticks', timeframe, aggregates: source ? continued : aggregates };
    const plan = planRollup(def, { name: 'ticks', tickColumns: columns, time, rollup: source?.plan });
    const node = new RollupNode(nodes.length, timeframe, plan, source ?? null);
    source?.children.push(node);
    nodes.push(node);
  }
  nodes[0].reserveGroups(groupCount);
  return nodes;
}

/** Mostly ascending, some at one time, some late by seconds or minutes; prices and sizes whole, so sums are exact. */
function randomTick(prng: Prng, arrival: number, nowNs: bigint): NaiveTick {
  const lateBy = prng.below(8) === 0 ? BigInt(prng.below(prng.below(4) === 0 ? 100_000 : 3_000)) : 0n;
  return {
    timeNs: nowNs - lateBy * 1_000_000n + BigInt(prng.below(3)),
    arrival,
    values: {
      symbol: String(prng.below(groupCount)),
      price: prng.below(20) === 0 ? null : prng.below(1000),
      size: prng.below(20) === 0 ? null : BigInt(prng.below(100)),
      venue: prng.below(10) === 0 ? null : `V${prng.below(5)}`,
    },
  };
}

function randomTicks(prng: Prng, count: number): NaiveTick[] {
  let nowNs = 1_700_000_000_000_000_000n;
  return Array.from({ length: count }, (_, arrival) => {
    if (prng.below(3) === 0) nowNs += BigInt(prng.below(prng.below(50) === 0 ? 20_000 : 800)) * 1_000_000n;
    return randomTick(prng, arrival, nowNs);
  });
}

/** Runs the ticks through the cascade in batches of random length. */
function run(ticks: readonly NaiveTick[], prng: Prng): RollupNode[] {
  const nodes = makeNodes();
  const fold = new TickFold(nodes[0].plan.bucketing, nodes[0].plan.slots);
  for (let from = 0; from < ticks.length; ) {
    const batch = ticks.slice(from, from + 1 + prng.below(60));
    const t256 = new Float64Array(batch.length);
    const rest = new Uint8Array(batch.length);
    splitTimes(
      BigInt64Array.from(batch, ({ timeNs }) => timeNs),
      t256,
      rest,
    );
    const values = (name: string): Scalar[] => batch.map((tick) => tick.values[name]);
    const partials = fold.fold({
      count: batch.length,
      group: Int32Array.from(values('symbol'), Number),
      t256,
      rest,
      firstArrival: from,
      arrivals: null,
      columns: [
        undefined,
        columnOf('double', values('price')),
        columnOf('int64', values('size')),
        columnOf('text', values('venue')),
      ],
    });
    nodes[0].merge(partials, rowsBetween(0, partials.length), from + 1);
    from += batch.length;
  }
  return nodes;
}

/** Every bar of a level by `group:start`: its closed rows and late parts and its live bars, merged. */
function barsOf(node: RollupNode): Map<string, Scalar[]> {
  const all = new Partials(node.plan.slots, 16);
  const rowOf = new Map<string, number>();
  const take = (from: Partials, row: number): void => {
    const key = `${from.group[row]}:${from.start[row]}`;
    const known = rowOf.get(key);
    if (known === undefined) rowOf.set(key, all.push(from, row, node.ownSlots));
    else all.mergeRow(from, row, known, node.ownSlots);
  };
  for (const block of node.closed.blocks)
    for (let at = 0; at < block.length; at++) take(block.payload.partials, at);
  const live = new Partials(node.plan.slots, 1);
  for (let group = 0; group < groupCount; group++) if (node.live(group, live, 0)) take(live, 0);
  const set = outputColumns(node.plan, all, rowsBetween(0, all.length), nothingBefore);
  return new Map(
    [...rowOf].map(([key, row]) => [
      key,
      [all.rows[row], ...set.columns.map((column) => valueAt(column, row))],
    ]),
  );
}

function expectedBars(ticks: readonly NaiveTick[], timeframe: string): Map<string, Scalar[]> {
  const counted: Aggregate[] = [{ name: 'ticks', fn: 'count' }, ...aggregates];
  const bars = naiveBars(ticks, { timeframe, groupBy: ['symbol'], aggregates: counted });
  return new Map(
    bars.map(({ startNs, group, values: [count, ...values] }) => [
      `${group[0]}:${Number(startNs)}`,
      [Number(count), ...values],
    ]),
  );
}

describe('a cascade', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'gives the bars of a naive recomputation at every level, seed %i',
    (seed) => {
      const prng = createPrng(seed);
      const ticks = randomTicks(prng, 1_500);
      for (const node of run(ticks, prng)) {
        const found = barsOf(node);
        const expected = expectedBars(ticks, node.name);
        expect(found.size).toBe(expected.size);
        for (const [key, values] of expected)
          expect([key, ...(found.get(key) ?? [])]).toEqual([key, ...values]);
      }
    },
  );

  it('holds whole bars of a group in ascending order, each before its late parts', () => {
    const prng = createPrng(99);
    for (const { closed } of run(randomTicks(prng, 3_000), prng)) {
      const newest = new Float64Array(groupCount).fill(Number.NEGATIVE_INFINITY);
      for (const { series, t, length, payload } of closed.blocks) {
        for (let at = 0; at < length; at++) {
          const group = series[at];
          if (payload.late[at] === 0) {
            expect(t[at]).toBeGreaterThan(newest[group]);
            newest[group] = t[at];
          }
        }
      }
    }
  });
});
