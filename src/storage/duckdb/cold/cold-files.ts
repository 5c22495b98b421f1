/**
 * Cold files: rows of a table that lie in Parquet files beside the database, in `cold/`, and no longer in it.
 *
 * `candela.cold` names the files; a file that it does not name is nobody's and goes at the next start. A file is
 * written and synced before the transaction that records it and deletes its rows, and is never changed. So whoever
 * reads in a transaction finds each row in the table or in a file that the transaction knows.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { TableLayout } from '../catalog.ts';
import { quoteName, quoteText, tableName } from '../sql-text.ts';

/** Name of the folder in the data directory. */
export const coldFolder = 'cold';

/** One file. */
export interface ColdFile {
  name: string;
  path: string;
  /** Times of its rows: `fromNs` ≤ time < `toNs`. */
  fromNs: bigint;
  toNs: bigint;
  rowCount: number;
  bytes: number;
  /** Physical columns that the table had then; those added since are null. */
  columnCount: number;
}

/** The files of each table, by its number. */
export type ColdFiles = ReadonlyMap<number, ColdFile[]>;

/** SQL that makes the record, if it is not there. */
export const coldSchemaSql = `
  CREATE TABLE IF NOT EXISTS candela.cold (table_id INTEGER, name VARCHAR, path VARCHAR, from_ns BIGINT, to_ns BIGINT,
    row_count BIGINT, bytes BIGINT, column_count INTEGER);`;

/** Reads the record, oldest files first. */
export async function readColdFiles(connection: DuckDBConnection): Promise<Map<number, ColdFile[]>> {
  const result = await connection.runAndReadAll(
    'SELECT table_id, name, path, from_ns, to_ns, row_count, bytes, column_count FROM candela.cold ' +
      'ORDER BY from_ns, name',
  );
  const files = new Map<number, ColdFile[]>();
  for (const row of result.getRows()) {
    const [table, name, path, fromNs, toNs, rowCount, bytes, columnCount] = row as [
      number,
      string,
      string,
      ...bigint[],
    ];
    const file = { name, path, fromNs, toNs, rowCount: Number(rowCount), bytes: Number(bytes) };
    const known = files.get(table) ?? [];
    files.set(table, [...known, { ...file, columnCount: Number(columnCount) }]);
  }
  return files;
}

/** SQL that records a file. */
export function recordColdSql(table: number, file: ColdFile): string {
  const { name, path, fromNs, toNs, rowCount, bytes, columnCount } = file;
  const values = [quoteText(name), quoteText(path), fromNs, toNs, rowCount, bytes, columnCount];
  return `INSERT INTO candela.cold VALUES (${table}, ${values.join(', ')})`;
}

/** SQL that forgets a file. */
export function forgetColdSql(name: string): string {
  return `DELETE FROM candela.cold WHERE name = ${quoteText(name)}`;
}

/** What is asked for of a table: times `fromNs` ≤ time < `toNs`; null: no bound. */
export interface ColdBounds {
  fromNs: bigint | null;
  toNs: bigint | null;
}

/** The files that may have rows within the bounds. */
export function filesWithin({ cold }: TableLayout, { fromNs, toNs }: ColdBounds): ColdFile[] {
  return cold.filter(
    (file) => (fromNs === null || file.toNs > fromNs) && (toNs === null || file.fromNs < toNs),
  );
}

const everything: ColdBounds = { fromNs: null, toNs: null };

/**
 * What stands for the table in a FROM: the table, or its union with the files that may have rows within the bounds.
 * Rows of files have the `rowid` -1.
 */
export function relationSql(table: TableLayout, bounds: ColdBounds = everything): string {
  const files = filesWithin(table, bounds);
  if (files.length === 0) return tableName(table.id);
  const names = table.physical.map(({ name }) => quoteName(name)).join(', ');
  const parts = [`SELECT ${names}, rowid AS rowid FROM ${tableName(table.id)}`];
  for (const columnCount of new Set(files.map((file) => file.columnCount))) {
    const alike = files.filter((file) => file.columnCount === columnCount);
    parts.push(`SELECT ${columnsOfFiles(table, columnCount)}, -1::BIGINT AS rowid FROM ${parquetSql(alike)}`);
  }
  return `(${parts.join(' UNION ALL ')})`;
}

/** The table's physical columns from files written when it had so many. */
export function columnsOfFiles({ physical }: TableLayout, columnCount: number): string {
  return physical
    .map(({ name, sqlType }, i) =>
      i < columnCount ? quoteName(name) : `NULL::${sqlType} AS ${quoteName(name)}`,
    )
    .join(', ');
}

/** The files as a table function. */
export function parquetSql(files: readonly ColdFile[]): string {
  return `read_parquet([${files.map(({ path }) => quoteText(path)).join(', ')}])`;
}
