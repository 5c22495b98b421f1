/** The physical tables a store holds, as it must know them to read and write: in `candela.tables`, and in memory. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import type { StoredTable } from '../storage.ts';
import { type ColdFile, type ColdFiles, coldSchemaSql, readColdFiles } from './cold/cold-files.ts';
import { quoteName, quoteText, tableName } from './sql-text.ts';
import { type PhysicalColumn, physicalColumns, physicalOf } from './types.ts';

/** A table and the DuckDB columns that hold it. */
export interface TableLayout extends StoredTable {
  physical: PhysicalColumn[];
  /** Files with rows of the table that are not in it. */
  cold: readonly ColdFile[];
}

/** Tables by number. */
export type Layouts = ReadonlyMap<number, TableLayout>;

/** Statements that make an empty database ours; harmless on one that is. */
export const schemaSql = `
  CREATE SCHEMA IF NOT EXISTS candela;
  CREATE TABLE IF NOT EXISTS candela.tables (id INTEGER, definition VARCHAR);
  CREATE TABLE IF NOT EXISTS candela.views (name VARCHAR, definition VARCHAR);
  CREATE TABLE IF NOT EXISTS candela.documents (key VARCHAR, value VARCHAR);
  ${coldSchemaSql}`;

/** Reads the tables kept in the database. */
export async function readLayouts(connection: DuckDBConnection): Promise<Map<number, TableLayout>> {
  const result = await connection.runAndReadAll('SELECT definition FROM candela.tables ORDER BY id');
  const tables = result.getRows().map(([definition]) => JSON.parse(definition as string) as StoredTable);
  const cold = await readColdFiles(connection);
  return new Map(tables.map((table) => [table.id, layoutOf(table, cold)]));
}

/** The layout of a definition. */
export function layoutOf(table: StoredTable, cold: ColdFiles = new Map()): TableLayout {
  return { ...table, physical: physicalColumns(table), cold: cold.get(table.id) ?? [] };
}

/** The table of that number. Throws `TABLE_NOT_FOUND`. */
export function mustLayout(layouts: Layouts, id: number): TableLayout {
  const layout = layouts.get(id);
  if (!layout) throw new CandelaError('TABLE_NOT_FOUND', `the store has no table ${id}`);
  return layout;
}

/** SQL that creates the table and records its definition. */
export function createTableSql(table: StoredTable): string {
  const columns = physicalColumns(table).map(
    ({ name, sqlType, source }) =>
      `${quoteName(name)} ${sqlType}${table.columns[source].nullable ? '' : ' NOT NULL'}`,
  );
  return `CREATE TABLE ${tableName(table.id)} (${columns.join(', ')}); ${recordSql(table)}`;
}

/** SQL that adds the last of the table's columns, which is nullable. */
export function addColumnSql(table: StoredTable): string {
  const source = table.columns.length - 1;
  const additions = physicalOf(table.columns[source], source).map(
    ({ name, sqlType }) => `ALTER TABLE ${tableName(table.id)} ADD COLUMN ${quoteName(name)} ${sqlType};`,
  );
  return `${additions.join(' ')} DELETE FROM candela.tables WHERE id = ${table.id}; ${recordSql(table)}`;
}

/** SQL that drops the table and its record. */
export function dropTableSql(id: number): string {
  return `DROP TABLE ${tableName(id)}; DELETE FROM candela.tables WHERE id = ${id}`;
}

function recordSql({ id, columns, roles }: StoredTable): string {
  return `INSERT INTO candela.tables VALUES (${id}, ${quoteText(JSON.stringify({ id, columns, roles }))})`;
}
