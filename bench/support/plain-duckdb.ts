import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Database } from '../../src/engine/database.ts';

/** Runs `work` with a connection to a new database file of DuckDB, the peer of what we do with it. */
export async function withDuckDb<T>(
  directory: string,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(`${directory}/raw.duckdb`, { threads: '2' });
  const connection = await instance.connect();
  try {
    return await work(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Runs a query for its rows of numbers, by DuckDB itself. */
export async function rawNumbers(connection: DuckDBConnection, sql: string): Promise<number[][]> {
  const rows = (await connection.runAndReadAll(sql)).getRows();
  return rows.map((row) => row.map(Number));
}

/** Runs a query for its rows of numbers; text and nulls become NaN. */
export async function sqlNumbers(database: Database, sql: string): Promise<number[][]> {
  const { rowCount, columns } = await database.sql(sql);
  return Array.from({ length: rowCount }, (_, row) =>
    columns.map((column) => ('values' in column ? Number(column.values[row]) : Number.NaN)),
  );
}
