/** Bars made by SQL out of raw ticks: what the views over series numbers cost beside a plain table. */
import { open } from '../../src/engine/open.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import {
  createRawTicks,
  createTable,
  dayStartUs,
  type EvenTicks,
  evenTicks,
  writeTicks,
} from '../support/even-ticks.ts';
import { rawNumbers, sqlNumbers, withDuckDb } from '../support/plain-duckdb.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { timeFigures } from '../support/timing.ts';

const queries = 7;
/** 10,000 ticks a second. */
const stepUs = 100;

/** See the head of this file. */
export const sqlBarsScenario: Scenario = {
  name: 'sql-bars',
  title: '1-minute OHLCV of 1,000 symbols by SQL from raw ticks',
  rows: 5_000_000,
  target: '1.2 × the time of DuckDB',
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((directory) => ours(directory, rows)) },
    {
      name: 'DuckDB, plain table',
      run: ({ rows }) => withTemporaryDirectory((directory) => raw(directory, rows)),
    },
  ],
};

const sql = `SELECT count(*)::DOUBLE AS bars, sum(volume) AS volume, sum(high)::DOUBLE AS high FROM (
  SELECT time_bucket(INTERVAL '1 minute', time) AS minute, symbol, arg_min(price, time) AS open, max(price) AS high,
    min(price) AS low, arg_max(price, time) AS close, sum(size) AS volume FROM ticks GROUP BY minute, symbol)`;

async function ours(directory: string, rows: number): Promise<Figure[]> {
  const ticks = ticksOf(rows);
  const database = await open({ directory, durability: 'none' });
  await createTable(database, ticks);
  await writeTicks(database, ticks);
  await database.flush();
  const figures = await timed(ticks, () => sqlNumbers(database, sql));
  await database.close();
  return figures;
}

function raw(directory: string, rows: number): Promise<Figure[]> {
  const ticks = ticksOf(rows);
  return withDuckDb(directory, async (connection) => {
    await createRawTicks(connection, ticks);
    await connection.run('CHECKPOINT');
    return timed(ticks, () => rawNumbers(connection, sql));
  });
}

function ticksOf(rows: number): EvenTicks {
  return evenTicks('ticks', rows, dayStartUs, rows * stepUs);
}

async function timed({ count }: EvenTicks, run: () => Promise<number[][]>): Promise<Figure[]> {
  const minutes = Math.ceil((count * stepUs) / 60_000_000);
  return timeFigures('query', queries, async () => {
    const [[bars]] = await run();
    if (bars !== minutes * 1_000) throw new Error(`${bars} bars, not ${minutes * 1_000}`);
  });
}
