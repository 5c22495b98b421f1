/** Durable appends through the embedded API with bars live, beside DuckDB's appender. */

import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Batch } from '../../src/market/columns.ts';
import type { Figure, Run, Scenario } from '../harness/scenario.ts';
import { appendRaw, rawTicks } from '../support/raw-duckdb.ts';
import { rate, startStopwatch } from '../support/stopwatch.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { makeTicks, type Ticks, tickBatches, tradesCandles, tradesTable } from '../support/ticks.ts';

/** Scenarios for batches of 8,192 and of 65,536 rows. */
export const appendScenarios: Scenario[] = [appendScenario(8_192), appendScenario(65_536)];

function appendScenario(batchRows: number): Scenario {
  return {
    name: `append-${batchRows}`,
    title: `durable append of ${batchRows.toLocaleString('en')}-row batches, 1s/1m/1h/1d bars live`,
    rows: 8_000_000,
    target: '2.5 M rows/s; 0.5 × DuckDB appender with one commit',
    runs: [
      ours('candela, 4 writers', batchRows, 4),
      ours('candela, 1 writer', batchRows, 1),
      raw('DuckDB appender, one commit', null),
      raw('DuckDB appender, commit a batch', batchRows),
    ],
  };
}

function ours(name: string, batchRows: number, writers: number): Run {
  return {
    name,
    run: ({ rows }) =>
      withTemporaryDirectory(async (directory) => {
        const ticks = makeTicks(rows);
        const database = await open({ directory });
        await database.createTable(tradesTable);
        await database.createCandles(tradesCandles);
        const batches = tickBatches(ticks, batchRows);
        const elapsed = startStopwatch();
        const ackMs = await writeAll(database, batches, writers);
        const acknowledged = elapsed();
        await database.flush();
        const stored = elapsed();
        await check(database, ticks);
        await database.close();
        return [
          rate('acknowledged', rows, acknowledged.wallMs),
          rate('stored', rows, stored.wallMs),
          rate('of processor time', rows, stored.cpuMs),
          ...ackMs,
        ];
      }),
  };
}

function raw(name: string, batchRows: number | null): Run {
  return {
    name,
    run: ({ rows }) =>
      withTemporaryDirectory(async (directory) => {
        const took = await appendRaw(directory, rawTicks(makeTicks(rows)), batchRows);
        return [rate('stored', rows, took.wallMs), rate('of processor time', rows, took.cpuMs)];
      }),
  };
}

/** Each writer sends its next batch when its last is acknowledged. */
async function writeAll(database: Database, batches: Batch[], writers: number): Promise<Figure[]> {
  let next = 0;
  const times: number[] = [];
  const writer = async (): Promise<void> => {
    while (next < batches.length) {
      const startMs = performance.now();
      await database.write('trades', batches[next++]);
      times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  times.sort((a, b) => a - b);
  const at = (q: number): number => times[Math.min(times.length - 1, Math.floor(q * times.length))];
  return [
    { label: 'ack p50', value: at(0.5), unit: 'ms' },
    { label: 'p99', value: at(0.99), unit: 'ms' },
  ];
}

/** The bars of all days must hold every tick and all the volume. */
async function check(database: Database, ticks: Ticks): Promise<void> {
  const days = await database.sql('SELECT sum(trades)::BIGINT AS n, sum(volume) AS v FROM trades_1d');
  const seconds = await database.sql('SELECT sum(trades)::BIGINT AS n, sum(volume) AS v FROM trades_1s');
  const volume = ticks.sizes.reduce((sum, size) => sum + size, 0);
  for (const { columns } of [days, seconds]) {
    const [n, v] = columns.map((column) => ('values' in column ? Number(column.values[0]) : Number.NaN));
    if (n !== ticks.count || v !== volume)
      throw new Error(`the bars hold ${n} ticks and volume ${v}, not ${ticks.count} and ${volume}`);
  }
}
