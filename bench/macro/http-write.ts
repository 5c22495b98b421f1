/** Durable writes over HTTP with bars live, server and client in processes of their own. */
import { encodeArrow } from '../../src/codecs/arrow/encode-arrow.ts';
import { encodeJsonColumns } from '../../src/codecs/encode/encode-json.ts';
import type { Batch, ColumnSet } from '../../src/market/columns.ts';
import type { Figure, Run, Scenario } from '../harness/scenario.ts';
import { quantile } from '../harness/statistics.ts';
import { httpClient, postJson } from '../support/http-client.ts';
import { type HttpProcess, startHttpProcess } from '../support/http-process.ts';
import { appendRaw, rawTicks } from '../support/raw-duckdb.ts';
import { rate, startStopwatch } from '../support/stopwatch.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { makeTicks, type Ticks, tickBatches, tradesCandles, tradesTable } from '../support/ticks.ts';

const batchRows = 65_536;
const connections = 4;

/** A form of rows a write may have. */
interface Form {
  contentType: string;
  encode: (set: ColumnSet) => Buffer;
}

const columnarJson: Form = {
  contentType: 'application/json',
  encode: (set) => Buffer.from(`{"columns":${[...encodeJsonColumns(set, 'ns')].join('')}}`),
};

const arrow: Form = {
  contentType: 'application/vnd.apache.arrow.stream',
  encode: (set) => Buffer.from(encodeArrow(set, 'stream')),
};

const raw: Run = {
  name: 'DuckDB appender in process, commit a batch',
  run: ({ rows }) =>
    withTemporaryDirectory(async (directory) => {
      const took = await appendRaw(directory, rawTicks(makeTicks(rows)), batchRows);
      return [rate('stored', rows, took.wallMs)];
    }),
};

/** Columnar JSON and Arrow. */
export const httpWriteScenarios: Scenario[] = [
  scenario('columns', 'columnar JSON', '1 M rows/s', columnarJson),
  scenario('arrow', 'Arrow', '2 M rows/s', arrow),
];

function scenario(name: string, title: string, target: string, form: Form): Scenario {
  return {
    name: `http-write-${name}`,
    title: `durable write over HTTP, ${title} of ${batchRows.toLocaleString('en')} rows, 1s/1m/1h/1d bars live`,
    rows: 4_000_000,
    target,
    runs: [ours(form), raw],
  };
}

function ours(form: Form): Run {
  return {
    name: `candela, ${connections} connections`,
    run: ({ rows }) =>
      withTemporaryDirectory(async (directory) => {
        const ticks = makeTicks(rows);
        for (const [i, price] of ticks.prices.entries()) ticks.prices[i] = Math.round(price * 100) / 100;
        const server = await startHttpProcess(directory);
        try {
          const post = httpClient(server.port, 1);
          await postJson(post, 'tables', tradesTable);
          await postJson(post, 'candles', tradesCandles);
          return await writeAll(server, ticks, form);
        } finally {
          await server.stop();
        }
      }),
  };
}

/** Each connection sends its next batch when its last is acknowledged. */
async function writeAll(server: HttpProcess, ticks: Ticks, form: Form): Promise<Figure[]> {
  const bodies = tickBatches(ticks, batchRows).map((batch) => form.encode(setOf(batch)));
  const post = httpClient(server.port, connections);
  const cpuBeforeMs = await server.cpuMs();
  const times: number[] = [];
  let next = 0;
  const elapsed = startStopwatch();
  const writer = async (): Promise<void> => {
    while (next < bodies.length) {
      const startMs = performance.now();
      await post('/api/v1/write/trades', form.contentType, bodies[next++]);
      times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, writer));
  const took = elapsed();
  const cpuMs = (await server.cpuMs()) - cpuBeforeMs;
  const counted = await postJson(post, 'sql', { sql: countSql });
  const stored = (JSON.parse(counted) as { rows: { n: number }[] }).rows[0].n;
  if (stored !== ticks.count) throw new Error(`the bars hold ${stored} ticks, not ${ticks.count}`);
  return [
    rate('acknowledged', ticks.count, took.wallMs),
    rate("of the server's processor time", ticks.count, cpuMs),
    { label: 'ack p50', value: quantile(times, 0.5), unit: 'ms' },
    { label: 'p99', value: quantile(times, 0.99), unit: 'ms' },
  ];
}

const countSql = 'SELECT sum(trades)::BIGINT AS n FROM trades_1d';

function setOf(batch: Batch): ColumnSet {
  return {
    rowCount: batch.rowCount,
    names: Object.keys(batch.columns),
    columns: Object.values(batch.columns),
  };
}
