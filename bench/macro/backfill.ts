/** Candles made over stored history: how fast they are filled, and how long a writer waits meanwhile. */
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Figure, Run, Scenario } from '../harness/scenario.ts';
import { rate, startStopwatch } from '../support/stopwatch.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import {
  makeTicks,
  type Ticks,
  tickBatch,
  tickBatches,
  tradesCandles,
  tradesTable,
} from '../support/ticks.ts';

/** Rows of the batch that a writer sends again and again. */
const besideRows = 100;

/** 1s/1m/1h/1d candles over stored ticks. */
export const backfillScenario: Scenario = {
  name: 'backfill',
  title: '1s/1m/1h/1d candles of 1,000 symbols made over stored ticks',
  rows: 8_000_000,
  target: '1 M ticks/s; no write waits longer than 50 ms for a page',
  runs: [fill('candela, at rest', false), fill('candela, beside a writer', true)],
};

function fill(name: string, isBesideWrites: boolean): Run {
  return {
    name,
    run: ({ rows }) =>
      withTemporaryDirectory(async (directory) => {
        const ticks = makeTicks(rows + 1_000_000);
        const database = await open({ directory });
        await database.createTable(tradesTable);
        const history = { ...ticks, count: rows };
        for (const batch of tickBatches(history, 65_536)) await database.write('trades', batch);
        await database.flush();
        const elapsed = startStopwatch();
        const filling = { isDone: false };
        const writing = isBesideWrites ? writeBeside(database, ticks, rows, filling) : Promise.resolve([]);
        await database.createCandles(tradesCandles);
        const took = elapsed();
        filling.isDone = true;
        const figures = await writing;
        await check(database);
        await database.close();
        return [rate('filled', rows, took.wallMs), rate('of processor time', rows, took.cpuMs), ...figures];
      }),
  };
}

/** A small batch every 5 ms until the candles are filled. */
async function writeBeside(
  database: Database,
  ticks: Ticks,
  firstRow: number,
  filling: { isDone: boolean },
): Promise<Figure[]> {
  const times: number[] = [];
  for (let row = firstRow; !filling.isDone && row + besideRows <= ticks.timesNs.length; row += besideRows) {
    const startMs = performance.now();
    await database.write('trades', tickBatch(ticks, row, row + besideRows));
    times.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  times.sort((a, b) => a - b);
  const at = (q: number): number => times[Math.min(times.length - 1, Math.floor(q * times.length))];
  return [
    { label: 'ack p50', value: at(0.5), unit: 'ms' },
    { label: 'p99', value: at(0.99), unit: 'ms' },
    { label: 'longest', value: at(1), unit: 'ms' },
  ];
}

/** Every level must hold every tick. */
async function check(database: Database): Promise<void> {
  const count = async (text: string): Promise<number> => {
    const { columns } = await database.sql(text);
    return Number((columns[0] as { values: BigInt64Array }).values[0]);
  };
  const ticks = await count('SELECT count(*) FROM trades');
  for (const timeframe of tradesCandles.timeframes) {
    const bars = await count(`SELECT sum(trades)::BIGINT FROM trades_${timeframe}`);
    if (bars !== ticks) throw new Error(`the ${timeframe} bars hold ${bars} ticks, not ${ticks}`);
  }
}
