/** Any split of a bar's ticks into parts, merged in any order, through the store or not, is the same bar. */
import { expect, it } from 'vitest';
import { createPrng, type Prng } from '../../core/prng.ts';
import { createBucketing } from '../../market/bucketing.ts';
import { type ColumnData, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { Aggregate, ColumnDef } from '../../market/schema.ts';
import { splitTimes } from '../../market/time.ts';
import { naiveBars } from '../../testing/naive-bars.ts';
import { nothingBefore, outputColumns } from './outputs.ts';
import type { Partials } from './partials.ts';
import { planRollup, type RollupPlan } from './plan.ts';
import { fromStored, toStored } from './stored-bars.ts';
import { TickFold } from './tick-fold.ts';

const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } };
const columns: ColumnDef[] = [
  { name: 'price', type: { kind: 'double' } },
  { name: 'lots', type: { kind: 'int64' } },
  { name: 'exact', type: { kind: 'decimal' } },
  { name: 'note', type: { kind: 'text' } },
  { name: 'size', type: { kind: 'double' } },
];
const functions = ['first', 'last', 'min', 'max', 'sum', 'avg', 'count'] as const;
const aggregates: Aggregate[] = [
  ...functions.flatMap((fn) => ['price', 'lots', 'exact'].map((of) => ({ name: `${fn} ${of}`, fn, of }))),
  { name: 'vwap', fn: 'vwap', of: 'price', weight: 'size' },
  { name: 'least note', fn: 'min', of: 'note' },
  { name: 'first note', fn: 'first', of: 'note' },
  { name: 'began', fn: 'first-time' },
  { name: 'ended', fn: 'last-time' },
  { name: 'ticks', fn: 'count' },
];
const def = { name: 'bars', source: 'ticks', timeframe: '1d', aggregates };
const plan: RollupPlan = planRollup(def, { name: 'ticks', tickColumns: columns, time, rollup: undefined });

interface Tick {
  timeNs: bigint;
  values: Scalar[];
}

function randomTick(prng: Prng): Tick {
  const orNull = (value: Scalar): Scalar => (prng.below(5) === 0 ? null : value);
  const scale = prng.below(3);
  return {
    timeNs: BigInt(prng.below(4) === 0 ? 500 : prng.below(1000)),
    values: [
      orNull(prng.below(4096) / 64),
      orNull(BigInt(prng.below(9)) * 10n ** BigInt(prng.below(19))),
      orNull({ coefficient: BigInt(prng.below(20)) * 10n ** BigInt(scale), scale }),
      orNull(['a', 'b', ''][prng.below(3)]),
      orNull(prng.below(64) / 16),
    ],
  };
}

/** The ticks with these arrival numbers, ascending, as one partial bar. */
function fold(ticks: readonly Tick[], arrivals: readonly number[]): Partials {
  const t256 = new Float64Array(arrivals.length);
  const rest = new Uint8Array(arrivals.length);
  const timesNs = BigInt64Array.from(arrivals, (arrival) => ticks[arrival].timeNs);
  splitTimes(timesNs, t256, rest);
  const kinds = columns.map(({ type }) => type.kind as ColumnData['kind']);
  const partials = new TickFold(createBucketing('1d'), plan.slots).fold({
    count: arrivals.length,
    group: new Int32Array(arrivals.length),
    t256,
    rest,
    firstArrival: 0,
    arrivals: Float64Array.from(arrivals),
    columns: kinds.map((kind, i) =>
      columnOf(
        kind,
        arrivals.map((arrival) => ticks[arrival].values[i]),
      ),
    ),
  });
  expect(partials.length).toBe(1);
  return partials;
}

const own = Int32Array.from(plan.slots, (_, i) => i);

/** Through the form in which bars are stored. */
function stored(part: Partials): Partials {
  return fromStored(plan, toStored(part, Int32Array.of(0), 1), 1).partials;
}

function mergeAll(prng: Prng, parts: Partials[]): Partials {
  while (parts.length > 1) {
    const [taken] = parts.splice(prng.below(parts.length), 1);
    const into = prng.below(parts.length);
    if (prng.below(3) === 0) parts[into] = stored(parts[into]);
    parts[into].mergeRow(prng.below(3) === 0 ? stored(taken) : taken, 0, 0, own);
  }
  return parts[0];
}

it.each([11, 12, 13])('seed %i', (seed) => {
  const prng = createPrng(seed);
  for (let round = 0; round < 150; round++) {
    const ticks = Array.from({ length: 1 + prng.below(12) }, () => randomTick(prng));
    const split = Array.from({ length: 1 + prng.below(5) }, (): number[] => []);
    for (const arrival of ticks.keys()) split[prng.below(split.length)].push(arrival);
    const parts = split.filter((arrivals) => arrivals.length > 0).map((arrivals) => fold(ticks, arrivals));
    const merged = mergeAll(prng, parts);
    const shown = outputColumns(plan, merged, Int32Array.of(0), nothingBefore).columns;
    const naive = ticks.map(({ timeNs, values }, arrival) => ({
      timeNs,
      arrival,
      values: Object.fromEntries(columns.map(({ name }, i) => [name, values[i]])),
    }));
    const [expected] = naiveBars(naive, { timeframe: '1d', groupBy: [], aggregates });
    expect(shown.map((column) => valueAt(column, 0))).toEqual(expected.values);
  }
});
