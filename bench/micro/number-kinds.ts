/** What a number kind costs: the same ticks folded into 1s bars with prices and sizes as double, int64 and decimal. */
import { planRollup } from '../../src/engine/rollup/plan.ts';
import { TickFold } from '../../src/engine/rollup/tick-fold.ts';
import type { ColumnData } from '../../src/market/columns.ts';
import type { ColumnDef, ColumnType } from '../../src/market/schema.ts';
import { splitTimes } from '../../src/market/time.ts';
import type { Figure, Run, Scenario } from '../harness/scenario.ts';
import { startStopwatch, threadRates } from '../support/stopwatch.ts';
import { makeTicks, symbolCount } from '../support/ticks.ts';

const batchRows = 8_192;

const kinds: { name: string; type: ColumnType; column(values: Float64Array): ColumnData }[] = [
  { name: 'double', type: { kind: 'double' }, column: (values) => ({ kind: 'double', values }) },
  {
    name: 'int64',
    type: { kind: 'int64' },
    column: (values) => ({
      kind: 'int64',
      values: BigInt64Array.from(values, (value) => BigInt(Math.round(value * 100))),
    }),
  },
  {
    name: 'decimal(18,2)',
    type: { kind: 'decimal', precision: 18, scale: 2 },
    column: (values) => ({
      kind: 'decimal',
      coefficients: Array.from(values, (value) => BigInt(Math.round(value * 100))),
      scales: new Uint8Array(values.length).fill(2),
    }),
  },
];

function foldRun({ name, type, column }: (typeof kinds)[number]): Run {
  const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } };
  const tickColumns: ColumnDef[] = [
    { name: 'price', type },
    { name: 'size', type },
  ];
  const aggregates = [
    { name: 'open', fn: 'first', of: 'price' },
    { name: 'high', fn: 'max', of: 'price' },
    { name: 'low', fn: 'min', of: 'price' },
    { name: 'close', fn: 'last', of: 'price' },
    { name: 'volume', fn: 'sum', of: 'size' },
  ] as const;
  const def = { name: 'bars', source: 'ticks', timeframe: '1s', aggregates: [...aggregates] };
  const plan = planRollup(def, { name: 'ticks', tickColumns, time, rollup: undefined });
  return {
    name,
    async run({ rows }): Promise<Figure[]> {
      const ticks = makeTicks(rows);
      const t256 = new Float64Array(rows);
      const rest = new Uint8Array(rows);
      splitTimes(ticks.timesNs, t256, rest);
      const batches = Array.from({ length: Math.ceil(rows / batchRows) }, (_, i) => {
        const [from, to] = [i * batchRows, Math.min(rows, (i + 1) * batchRows)];
        const columns = [column(ticks.prices.subarray(from, to)), column(ticks.sizes.subarray(from, to))];
        return { from, to, columns };
      });
      const fold = new TickFold(plan.bucketing, plan.slots);
      let folded = 0;
      const elapsed = startStopwatch();
      for (const { from, to, columns } of batches) {
        const partials = fold.fold({
          count: to - from,
          group: ticks.symbols.subarray(from, to),
          t256: t256.subarray(from, to),
          rest: rest.subarray(from, to),
          firstArrival: from,
          arrivals: null,
          columns,
        });
        for (let row = 0; row < partials.length; row++) folded += partials.rows[row];
      }
      const took = elapsed();
      if (folded !== rows) throw new Error(`${folded} ticks in the bars, not ${rows}`);
      return threadRates(rows, took);
    },
  };
}

const [double, ...others] = kinds.map(foldRun);

/** See the head of this file. */
export const numberKindsScenario: Scenario = {
  name: 'number-kinds',
  title: `fold into 1s bars by number kind, ${symbolCount} symbols`,
  rows: 2_000_000,
  runs: [double, ...others],
};
