/** Ticks that come twelve hours late, one for each symbol: from the write until the corrected bar is read. */
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Batch } from '../../src/market/columns.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { quantile } from '../harness/statistics.ts';
import {
  createRawTicks,
  createTable,
  dayStartUs,
  dayUs,
  type EvenTicks,
  evenTicks,
  hourUs,
  writeTicks,
} from '../support/even-ticks.ts';
import { rawNumbers, withDuckDb } from '../support/plain-duckdb.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { symbolCount, symbolNames } from '../support/ticks.ts';
import { timesOf } from '../support/timing.ts';

const minuteUs = 60_000_000;
const lateUs = dayStartUs + 12 * hourUs;
/** Above every other price, so that the bar's high tells whether the tick is in it. */
const latePrice = 1_000;

/** See the head of this file. */
export const lateTickScenario: Scenario = {
  name: 'late-ticks',
  title: `durable write of a tick 12 hours late until its corrected 1m bar is read, ${symbolCount} symbols in turn`,
  rows: 2_000_000,
  target: '5 ms p99',
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((at) => ours(at, rows, 'always')) },
    {
      name: 'candela, not waiting for the disk',
      run: ({ rows }) => withTemporaryDirectory((at) => ours(at, rows, 'none')),
    },
    { name: 'DuckDB, from the ticks', run: ({ rows }) => withTemporaryDirectory((at) => raw(at, rows)) },
  ],
};

function ticksOf(rows: number): EvenTicks {
  return evenTicks('ticks', rows, dayStartUs, dayUs);
}

async function ours(directory: string, rows: number, durability: 'always' | 'none'): Promise<Figure[]> {
  const database = await open({ directory, durability });
  const ticks = ticksOf(rows);
  await createTable(database, ticks);
  await database.createCandles({
    source: 'ticks',
    price: 'price',
    volume: 'size',
    timeframes: ['1s', '1m', '1h', '1d'],
  });
  await writeTicks(database, ticks);
  await database.flush();
  const figures = await timed((symbol, timeUs) => correct(database, symbol, timeUs));
  await database.close();
  return figures;
}

async function correct(database: Database, symbol: string, timeUs: number): Promise<number> {
  await database.write('ticks', oneTick(symbol, timeUs));
  const { columns, names } = await database.bars({
    table: 'ticks',
    timeframe: '1m',
    series: { symbol },
    fromNs: BigInt(timeUs - (timeUs % minuteUs)) * 1000n,
    toNs: BigInt(timeUs - (timeUs % minuteUs) + minuteUs) * 1000n,
  });
  const high = columns[names.indexOf('high')];
  return 'values' in high ? Number(high.values[0]) : Number.NaN;
}

function oneTick(symbol: string, timeUs: number): Batch {
  return {
    rowCount: 1,
    columns: {
      time: { kind: 'timestamp', values: BigInt64Array.of(BigInt(timeUs) * 1000n) },
      symbol: { kind: 'text', dictionary: [symbol], codes: Int32Array.of(0) },
      price: { kind: 'double', values: Float64Array.of(latePrice) },
      size: { kind: 'double', values: Float64Array.of(1) },
    },
  };
}

function raw(directory: string, rows: number): Promise<Figure[]> {
  return withDuckDb(directory, async (connection) => {
    await createRawTicks(connection, ticksOf(rows));
    await connection.run('CHECKPOINT');
    return timed(async (symbol, timeUs) => {
      const start = timeUs - (timeUs % minuteUs);
      await connection.run(
        `INSERT INTO ticks VALUES (make_timestamptz(${timeUs}), '${symbol}', ${latePrice}, 1)`,
      );
      const [[high]] = await rawNumbers(
        connection,
        `SELECT max(price), arg_min(price, time), min(price), arg_max(price, time), sum(size) FROM ticks
         WHERE symbol = '${symbol}' AND time >= make_timestamptz(${start})
           AND time < make_timestamptz(${start + minuteUs})`,
      );
      return high;
    });
  });
}

async function timed(correctOne: (symbol: string, timeUs: number) => Promise<number>): Promise<Figure[]> {
  const times = await timesOf(symbolCount, async (i) => {
    const high = await correctOne(symbolNames[i], lateUs + i * 1_000);
    if (high !== latePrice) throw new Error(`the bar's high is ${high}: the late tick is not in it`);
  });
  return [
    { label: 'p99', value: quantile(times, 0.99), unit: 'ms' },
    { label: 'p50', value: quantile(times, 0.5), unit: 'ms' },
  ];
}
