/**
 * Ticks evenly spread over a time, of any number: computed from their index alone, so that nothing need be kept, and
 * alike in TypeScript and in SQL.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Database } from '../../src/engine/database.ts';
import type { Batch } from '../../src/market/columns.ts';
import { symbolCount, symbolNames, tradesTable } from './ticks.ts';

/** 2023-11-15T00:00:00Z in microseconds. */
export const dayStartUs = 1_700_006_400_000_000;
/** Microseconds. */
export const hourUs = 3_600_000_000;
/** Microseconds. */
export const dayUs = 24 * hourUs;

/** The i-th of `count` ticks is at `fromUs` + i × `stepUs`, of symbol {@link symbolAt}. */
export interface EvenTicks {
  table: string;
  count: number;
  fromUs: number;
  stepUs: number;
}

/** Spreads ticks over a time; steps are whole tens of microseconds. */
export function evenTicks(table: string, count: number, fromUs: number, spanUs: number): EvenTicks {
  return { table, count, fromUs, stepUs: Math.max(10, Math.floor(spanUs / count / 10) * 10) };
}

/** Index of the i-th tick's symbol: in each thousand of ticks every symbol once, in an order that changes. */
export function symbolAt(i: number): number {
  return (i * 7_919 + Math.floor(i / symbolCount) * 10_473) % symbolCount;
}

/** The i-th tick's price. */
export function priceAt(i: number): number {
  return 100 + (i % 977) / 8;
}

/** The i-th tick's size. */
export function sizeAt(i: number): number {
  return 1 + (i % 500);
}

const batchRows = 65_536;

/** Creates the table in a database, with the columns of `tradesTable`. */
export async function createTable(database: Database, { table }: EvenTicks): Promise<void> {
  await database.createTable({ ...tradesTable, name: table });
}

/** Writes all ticks, in batches. */
export async function writeTicks(database: Database, ticks: EvenTicks): Promise<void> {
  for (let from = 0; from < ticks.count; from += batchRows) {
    await database.write(ticks.table, batchOf(ticks, from, Math.min(from + batchRows, ticks.count)));
  }
}

function batchOf({ fromUs, stepUs }: EvenTicks, from: number, to: number): Batch {
  const rowCount = to - from;
  const timesNs = new BigInt64Array(rowCount);
  const codes = new Int32Array(rowCount);
  const prices = new Float64Array(rowCount);
  const sizes = new Float64Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const i = from + row;
    timesNs[row] = BigInt(fromUs + i * stepUs) * 1000n;
    codes[row] = symbolAt(i);
    prices[row] = priceAt(i);
    sizes[row] = sizeAt(i);
  }
  return {
    rowCount,
    columns: {
      time: { kind: 'timestamp', values: timesNs },
      symbol: { kind: 'text', dictionary: symbolNames, codes },
      price: { kind: 'double', values: prices },
      size: { kind: 'double', values: sizes },
    },
  };
}

/** Makes a plain DuckDB table of the same ticks, symbols as text. */
export async function createRawTicks(connection: DuckDBConnection, ticks: EvenTicks): Promise<void> {
  const { table, count, fromUs, stepUs } = ticks;
  await connection.run(
    `CREATE TABLE "${table}" AS SELECT make_timestamptz(${fromUs} + i * ${stepUs}) AS time,
       'SYM' || lpad(((i * 7919 + i // ${symbolCount} * 10473) % ${symbolCount})::VARCHAR, 4, '0') AS symbol,
       100 + (i % 977) / 8 AS price, (1 + i % 500)::DOUBLE AS size FROM range(${count}) t(i)`,
  );
}
