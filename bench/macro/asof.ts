/** An as-of join by SQL as a user types it: 100,000 trades, each with the last quote of its symbol before it. */
import { open } from '../../src/engine/open.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import {
  createRawTicks,
  createTable,
  dayStartUs,
  dayUs,
  type EvenTicks,
  evenTicks,
  hourUs,
  priceAt,
  symbolAt,
  writeTicks,
} from '../support/even-ticks.ts';
import { rawNumbers, sqlNumbers, withDuckDb } from '../support/plain-duckdb.ts';
import { sealAtOnce, sealed } from '../support/sealing.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { symbolCount } from '../support/ticks.ts';
import { timeFigures } from '../support/timing.ts';

const tradeCount = 100_000;
const joins = 7;
/** Tables of trades, and what their figures are called. */
const labels = { hour: 'trades of an hour', day: 'of the whole day' };
type Trades = keyof typeof labels;

/** A day of quotes; trades of the hour from noon; trades of the whole day. No trade has the time of a quote. */
function tables(quotes: number): Record<'quotes' | Trades, EvenTicks> {
  return {
    quotes: evenTicks('quotes', quotes, dayStartUs, dayUs),
    hour: evenTicks('hour', tradeCount, dayStartUs + 12 * hourUs + 5, hourUs),
    day: evenTicks('day', tradeCount, dayStartUs + 5, dayUs),
  };
}

/** See the head of this file. */
export const asOfScenario: Scenario = {
  name: 'asof-join',
  title: `SQL as-of join of ${tradeCount.toLocaleString('en')} trades with quotes of 1,000 symbols over a day`,
  rows: 5_000_000,
  target: 'trades of one hour: 40 ms',
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((at) => joinOurs(at, rows, false)) },
    { name: 'candela, sealed', run: ({ rows }) => withTemporaryDirectory((at) => joinOurs(at, rows, true)) },
    { name: 'DuckDB', run: ({ rows }) => withTemporaryDirectory((at) => joinRaw(at, rows)) },
  ],
};

async function joinOurs(directory: string, rows: number, isSealed: boolean): Promise<Figure[]> {
  const all = tables(rows);
  const database = await open({ directory, sealing: isSealed ? sealAtOnce : {}, durability: 'none' });
  for (const ticks of Object.values(all)) {
    await createTable(database, ticks);
    await writeTicks(database, ticks);
  }
  await database.flush();
  if (isSealed) await sealed(database, rows);
  const figures = await timeJoins(all, (sql) => sqlNumbers(database, sql));
  await database.close();
  return figures;
}

function joinRaw(directory: string, rows: number): Promise<Figure[]> {
  const all = tables(rows);
  return withDuckDb(directory, async (connection) => {
    for (const ticks of Object.values(all)) await createRawTicks(connection, ticks);
    await connection.run('CHECKPOINT');
    return timeJoins(all, (sql) => rawNumbers(connection, sql));
  });
}

async function timeJoins(
  all: ReturnType<typeof tables>,
  run: (sql: string) => Promise<number[][]>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const trades of Object.keys(labels) as Trades[]) {
    const expected = expectedOf(all.quotes, all[trades]);
    const took = await timeFigures(labels[trades], joins, async () => {
      const [found] = await run(
        `SELECT count(*)::DOUBLE AS n, sum(q.price) AS s FROM "${trades}" t
         ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time`,
      );
      if (String(found) !== String(expected)) throw new Error(`count and sum are ${found}, not ${expected}`);
    });
    figures.push(...took);
  }
  return figures;
}

/** Count and sum of the prices that the trades meet, by walking along both. */
function expectedOf(quotes: EvenTicks, trades: EvenTicks): [number, number] {
  const last = new Array<number | undefined>(symbolCount);
  let [count, sum, quote] = [0, 0, 0];
  for (let i = 0; i < trades.count; i++) {
    const timeUs = trades.fromUs + i * trades.stepUs;
    for (; quote < quotes.count && quotes.fromUs + quote * quotes.stepUs <= timeUs; quote++)
      last[symbolAt(quote)] = priceAt(quote);
    const price = last[symbolAt(i)];
    if (price === undefined) continue;
    count++;
    sum += price;
  }
  return [count, sum];
}
