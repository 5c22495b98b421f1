/** Reads that a chart or a watch list makes: a past day of one symbol's 1m bars, the latest tick of every symbol. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import { formatTimeNs } from '../../src/market/time.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { quantile } from '../harness/statistics.ts';
import { startHttpProcess } from '../support/http-process.ts';
import { sealAtOnce, sealed } from '../support/sealing.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  symbolCount,
  symbolNames,
  type Ticks,
  tickBatches,
  tradesCandles,
  tradesTable,
} from '../support/ticks.ts';

const dayNs = 86_400_000_000_000n;
/** A midnight, so that the day read is one of bars that are all closed. */
const dayStartNs = 1_700_006_400_000_000_000n;
const reads = 300;

/** Ticks of every symbol every minute of a day and a bit: enough for 1,440 bars each. */
function dayOfTicks(rows: number): Ticks {
  const minutes = Math.ceil(rows / symbolCount);
  const count = minutes * symbolCount;
  return {
    count,
    timesNs: BigInt64Array.from({ length: count }, (_, i) => {
      const minute = Math.floor(i / symbolCount);
      return dayStartNs + BigInt(minute) * 60_000_000_000n + BigInt(i % symbolCount) * 1_000_000n;
    }),
    symbols: Int32Array.from({ length: count }, (_, i) => i % symbolCount),
    prices: Float64Array.from({ length: count }, (_, i) => 50 + (i % 977) / 100),
    sizes: Float64Array.from({ length: count }, (_, i) => 1 + (i % 500)),
  };
}

/** See the head of this file. */
export const readScenario: Scenario = {
  name: 'reads',
  title: `p50 of ${reads} reads, two of sealed bars after a restart, ${symbolCount} symbols, a tick a minute each`,
  rows: 1_500_000,
  target: 'day of 1m bars: engine 1 ms, HTTP 3 ms; latest of 1,000 symbols 1 ms',
  runs: [
    {
      name: 'candela',
      run: ({ rows }) => withTemporaryDirectory((directory) => readEngine(directory, rows)),
    },
    { name: 'DuckDB, from the ticks', run: ({ rows }) => withTemporaryDirectory((at) => readRaw(at, rows)) },
  ],
};

async function readEngine(directory: string, rows: number): Promise<Figure[]> {
  const data = `${directory}/data`;
  const filled = await open({ directory: data, memoryBytesMax: 2 ** 31, sealing: sealAtOnce });
  await filled.createTable(tradesTable);
  await filled.createCandles(tradesCandles);
  for (const batch of tickBatches(dayOfTicks(rows), 50_000)) await filled.write('trades', batch);
  const inMemory = await readDays(filled, rows);
  await sealed(filled, rows);
  await filled.close();
  const database = await open({ directory: data });
  const stored = await readDays(database, rows);
  const latest = await timed(async () => {
    const { rowCount } = database.latest('trades');
    if (rowCount !== symbolCount) throw new Error(`${rowCount} latest rows`);
  });
  await database.close();
  return [
    { label: 'day of 1m bars', value: stored, unit: 'ms' },
    { label: 'over HTTP', value: await readHttp(directory, rows), unit: 'ms' },
    { label: 'from memory', value: inMemory, unit: 'ms' },
    { label: 'latest of all', value: latest, unit: 'ms' },
  ];
}

function readDays(database: Database, rows: number): Promise<number> {
  const range = { fromNs: dayStartNs, toNs: dayStartNs + dayNs };
  return timed(async (i) => {
    const series = { symbol: symbolNames[(i * 37) % symbolCount] };
    const { rowCount } = await database.bars({ table: 'trades', timeframe: '1m', series, ...range });
    if (rowCount !== Math.min(1440, rows / symbolCount)) throw new Error(`${rowCount} bars`);
  });
}

async function readHttp(directory: string, rows: number): Promise<number> {
  const server = await startHttpProcess(`${directory}/data`);
  const from = formatTimeNs(dayStartNs);
  const to = formatTimeNs(dayStartNs + dayNs);
  const took = await timed(async (i) => {
    const symbol = symbolNames[(i * 37) % symbolCount];
    const query = `table=trades&timeframe=1m&symbol=${symbol}&from=${from}&to=${to}&limit=2000&format=columns`;
    const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/bars?${query}`);
    const { rowCount } = (await answer.json()) as { rowCount: number };
    if (rowCount !== Math.min(1440, rows / symbolCount)) throw new Error(`${rowCount} bars over HTTP`);
  });
  await server.stop();
  return took;
}

/** The same answers out of a plain table of the ticks. */
async function readRaw(directory: string, rows: number): Promise<Figure[]> {
  const instance = await DuckDBInstance.create(`${directory}/raw.duckdb`, { threads: '2' });
  const connection = await instance.connect();
  await connection.run(
    `CREATE TABLE ticks AS SELECT make_timestamp(${dayStartNs / 1000n} + (i // ${symbolCount}) * 60000000) AS time,
       (i % ${symbolCount})::INTEGER AS symbol, 50 + (i % 977) / 100 AS price, (1 + i % 500)::DOUBLE AS size
     FROM range(${rows}) t(i)`,
  );
  const bars = await timed(async (i) => {
    const result = await connection.runAndReadAll(
      `SELECT time_bucket(INTERVAL 1 minute, time) AS minute, arg_min(price, time), max(price), min(price),
         arg_max(price, time), sum(size) FROM ticks
       WHERE symbol = ${(i * 37) % symbolCount} AND time < make_timestamp(${(dayStartNs + dayNs) / 1000n})
       GROUP BY minute ORDER BY minute`,
    );
    if (result.currentRowCount !== Math.min(1440, rows / symbolCount))
      throw new Error('wrong number of bars');
  });
  const latest = await timed(async () => {
    const sql =
      'SELECT symbol, max(time), arg_max(price, time), arg_max(size, time) FROM ticks GROUP BY symbol';
    const result = await connection.runAndReadAll(sql);
    if (result.currentRowCount !== symbolCount) throw new Error('wrong number of latest rows');
  }, 20);
  connection.closeSync();
  instance.closeSync();
  return [
    { label: 'day of 1m bars', value: bars, unit: 'ms' },
    { label: 'latest of all', value: latest, unit: 'ms' },
  ];
}

/** Median time of a read, after a tenth to warm up. */
async function timed(read: (index: number) => Promise<void>, count = reads): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await read(i);
    times.push(performance.now() - startMs);
  }
  return quantile(times.slice(Math.ceil(count / 10)), 0.5);
}
