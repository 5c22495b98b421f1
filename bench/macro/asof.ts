/** An as-of join by SQL as a user types it: 100,000 trades, each with the last quote of its symbol before it. */
import { DuckDBInstance } from '@duckdb/node-api';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Batch } from '../../src/market/columns.ts';
import type { TableDef } from '../../src/market/schema.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { sealAtOnce, sealed } from '../support/sealing.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { symbolCount, symbolNames } from '../support/ticks.ts';
import { medianMs } from '../support/timing.ts';

const dayStartUs = 1_700_006_400_000_000;
const dayUs = 86_400_000_000;
const hourUs = 3_600_000_000;
const tradeCount = 100_000;
const batchRows = 65_536;
const joins = 11;

/** Rows evenly spread over a time: the i-th at `fromUs` + i × `stepUs`, of symbol ({@link symbolAt}), at {@link priceAt}. */
interface Rows {
  table: string;
  count: number;
  fromUs: number;
  stepUs: number;
}

function symbolAt(i: number): number {
  return (i * 7_919 + Math.floor(i / symbolCount) * 10_473) % symbolCount;
}

function priceAt(i: number): number {
  return 100 + (i % 977);
}

/** A day of quotes; trades of the hour from noon; trades of the whole day. No trade has the time of a quote. */
function tables(quotes: number): Rows[] {
  const step = (spanUs: number, count: number): number => Math.floor(spanUs / count / 10) * 10;
  return [
    { table: 'quotes', count: quotes, fromUs: dayStartUs, stepUs: step(dayUs, quotes) },
    {
      table: 'hour',
      count: tradeCount,
      fromUs: dayStartUs + 12 * hourUs + 5,
      stepUs: step(hourUs, tradeCount),
    },
    { table: 'day', count: tradeCount, fromUs: dayStartUs + 5, stepUs: step(dayUs, tradeCount) },
  ];
}

/** Count and sum of the prices that the trades of a table meet, by walking along both. */
function expectedOf([quotes, ...others]: Rows[], table: string): [number, number] {
  const trades = others.find((rows) => rows.table === table) ?? quotes;
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

function joinSql(trades: string): string {
  return `SELECT count(*)::DOUBLE AS n, sum(q.price) AS s FROM "${trades}" t
    ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time`;
}

/** See the head of this file. */
export const asOfScenario: Scenario = {
  name: 'asof-join',
  title: `SQL as-of join of ${tradeCount.toLocaleString('en')} trades with quotes of 1,000 symbols over a day`,
  rows: 5_000_000,
  target: 'trades of one hour: 40 ms',
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((at) => joinOurs(at, tables(rows), false)) },
    {
      name: 'candela, sealed',
      run: ({ rows }) => withTemporaryDirectory((at) => joinOurs(at, tables(rows), true)),
    },
    { name: 'DuckDB', run: ({ rows }) => withTemporaryDirectory((at) => joinRaw(at, tables(rows))) },
  ],
};

function definition(name: string): TableDef {
  return {
    name,
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  };
}

function batch({ count, fromUs, stepUs }: Rows, from: number): Batch {
  const rowCount = Math.min(batchRows, count - from);
  const indexes = Array.from({ length: rowCount }, (_, i) => from + i);
  return {
    rowCount,
    columns: {
      time: {
        kind: 'timestamp',
        values: BigInt64Array.from(indexes, (i) => BigInt(fromUs + i * stepUs) * 1000n),
      },
      symbol: { kind: 'text', dictionary: symbolNames, codes: Int32Array.from(indexes, symbolAt) },
      price: { kind: 'double', values: Float64Array.from(indexes, priceAt) },
    },
  };
}

async function joinOurs(directory: string, all: Rows[], isSealed: boolean): Promise<Figure[]> {
  const database = await open({ directory, sealing: isSealed ? sealAtOnce : {}, durability: 'none' });
  for (const rows of all) {
    await database.createTable(definition(rows.table));
    for (let from = 0; from < rows.count; from += batchRows)
      await database.write(rows.table, batch(rows, from));
  }
  await database.flush();
  if (isSealed) await sealed(database, all[0].count);
  const figures = [await timeOurs(database, all, 'hour'), await timeOurs(database, all, 'day')];
  await database.close();
  return figures;
}

async function timeOurs(database: Database, all: Rows[], trades: string): Promise<Figure> {
  const expected = expectedOf(all, trades);
  const value = await medianMs(joins, async () => {
    const { columns } = await database.sql(joinSql(trades));
    check(
      expected,
      columns.map((column) => ('values' in column ? Number(column.values[0]) : Number.NaN)),
    );
  });
  return { label: labels[trades], value, unit: 'ms' };
}

const labels: Record<string, string> = { hour: 'trades of an hour', day: 'of the whole day' };

function check([expectedCount, expectedSum]: [number, number], [count, sum]: number[]): void {
  if (count !== expectedCount || sum !== expectedSum)
    throw new Error(`${count} trades met quotes of ${sum} in all, not ${expectedCount} of ${expectedSum}`);
}

async function joinRaw(directory: string, all: Rows[]): Promise<Figure[]> {
  const instance = await DuckDBInstance.create(`${directory}/raw.duckdb`, { threads: '2' });
  const connection = await instance.connect();
  for (const { table, count, fromUs, stepUs } of all) {
    await connection.run(
      `CREATE TABLE "${table}" AS SELECT make_timestamptz(${fromUs} + i * ${stepUs}) AS time,
         'SYM' || lpad(((i * 7919 + i // ${symbolCount} * 10473) % ${symbolCount})::VARCHAR, 4, '0') AS symbol,
         (100 + i % 977)::DOUBLE AS price FROM range(${count}) t(i)`,
    );
  }
  await connection.run('CHECKPOINT');
  const figures: Figure[] = [];
  for (const trades of ['hour', 'day']) {
    const expected = expectedOf(all, trades);
    const value = await medianMs(joins, async () => {
      const [row] = (await connection.runAndReadAll(joinSql(trades))).getRows();
      check(expected, row.map(Number));
    });
    figures.push({ label: labels[trades], value, unit: 'ms' });
  }
  connection.closeSync();
  instance.closeSync();
  return figures;
}
