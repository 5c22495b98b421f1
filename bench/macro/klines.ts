/** Questions over long times answered from K-lines, beside DuckDB scanning the ticks for them. */
import { open } from '../../src/engine/open.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import {
  createRawTicks,
  createTable,
  dayStartUs,
  dayUs,
  evenTicks,
  writeTicks,
} from '../support/even-ticks.ts';
import { rawNumbers, sqlNumbers, withDuckDb } from '../support/plain-duckdb.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { timeFigures } from '../support/timing.ts';

const queries = 21;

interface Question {
  name: string;
  title: string;
  days: number;
  rows: number;
  target: string;
  timeframe: string;
  /**
   * Over the K-lines, and over the ticks: rows of a time and a value. DuckDB's own `time_bucket` of a day takes twenty
   * times as long as a division, so the peer divides.
   */
  ours: string;
  raw: string;
}

const hourlyMaximum: Question = {
  name: 'klines-hourly-max',
  title: 'hourly maximum over 7 days by SQL from K-lines of 1,000 symbols',
  days: 7,
  rows: 10_000_000,
  target: 'with 100,000,000 rows: 300 × as good as DuckDB, and 5 ms',
  timeframe: '1h',
  ours: 'SELECT time, max(high) AS v FROM bars GROUP BY time ORDER BY time',
  raw: 'SELECT epoch_us(time) // 3600000000 AS t, max(price) AS v FROM ticks GROUP BY t ORDER BY t',
};

const dailyAverage: Question = {
  name: 'klines-daily-avg',
  title: 'daily average over 1 year by SQL from K-lines of 1,000 symbols',
  days: 365,
  rows: 10_000_000,
  target: 'with 1,000,000,000 rows: 600 × as good as DuckDB, and 20 ms',
  timeframe: '1d',
  ours: 'SELECT time, sum(average * ticks) / sum(ticks) AS v FROM bars GROUP BY time ORDER BY time',
  raw: 'SELECT epoch_us(time) // 86400000000 AS t, avg(price) AS v FROM ticks GROUP BY t ORDER BY t',
};

/** One for each question. */
export const klineScenarios: Scenario[] = [hourlyMaximum, dailyAverage].map((question) => ({
  ...question,
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((at) => askOurs(at, question, rows)) },
    {
      name: 'DuckDB, from the ticks',
      run: ({ rows }) => withTemporaryDirectory((at) => askRaw(at, question, rows)),
    },
  ],
}));

async function askOurs(directory: string, question: Question, rows: number): Promise<Figure[]> {
  const ticks = evenTicks('ticks', rows, dayStartUs, question.days * dayUs);
  const database = await open({ directory, durability: 'none' });
  await createTable(database, ticks);
  await database.createRollup({
    name: 'bars',
    source: 'ticks',
    timeframe: question.timeframe,
    groupBy: ['symbol'],
    aggregates: [
      { name: 'high', fn: 'max', of: 'price' },
      { name: 'average', fn: 'avg', of: 'price' },
      { name: 'ticks', fn: 'count' },
    ],
  });
  await writeTicks(database, ticks);
  await database.flush();
  const figures = await timed(question, queries, () => sqlNumbers(database, question.ours));
  await database.close();
  return figures;
}

function askRaw(directory: string, question: Question, rows: number): Promise<Figure[]> {
  return withDuckDb(directory, async (connection) => {
    await createRawTicks(connection, evenTicks('ticks', rows, dayStartUs, question.days * dayUs));
    await connection.run('CHECKPOINT');
    return timed(question, 3, () => rawNumbers(connection, question.raw));
  });
}

async function timed(question: Question, count: number, run: () => Promise<number[][]>): Promise<Figure[]> {
  const buckets = question.timeframe === '1h' ? question.days * 24 : question.days;
  return timeFigures('query', count, async () => {
    const found = await run();
    const isRight = found.length === buckets && found.every(([, v]) => v > 100 && v <= 222);
    if (!isRight) throw new Error(`${found.length} buckets, not ${buckets}, or a value that cannot be`);
  });
}
