import type { DuckDBConnection } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import type { ColumnData } from '../../market/columns.ts';
import { appendRows } from './appending.ts';
import type { TableLayout } from './catalog.ts';
import { quoteName, tableName } from './sql-text.ts';
import type { PhysicalColumn } from './types.ts';

/** Keys of rows to be deleted; each key column says which of `columns` it is taken from. */
export interface KeyRows {
  keys: KeyColumn[];
  columns: ColumnData[];
  rowCount: number;
}

/** A physical column that is part of a key; the column may hold nulls. */
export interface KeyColumn extends PhysicalColumn {
  nullable: boolean;
}

/**
 * Deletes the rows whose key is among these. The keys go to a temporary table and are joined. DuckDB
 * passes the least and greatest key down to the scan, so that zone maps leave most of a large table unread (measured
 * with 1,000 keys in 5 M rows of bars: 4 ms when they lie close together, 25 ms when scattered over the whole table).
 */
export async function deleteKeys(
  connection: DuckDBConnection,
  table: TableLayout,
  { keys, columns, rowCount }: KeyRows,
): Promise<void> {
  if (rowCount === 0) return;
  const definition = keys.map(({ name, sqlType }) => `${quoteName(name)} ${sqlType}`).join(', ');
  await connection.run(`CREATE TEMP TABLE replaced (${definition})`);
  await appendRows(connection, { schema: 'main', table: 'replaced', columns: keys }, columns, rowCount);
  const conditions = keys.map(({ name, nullable }) => {
    const column = quoteName(name);
    return `t.${column} ${nullable ? 'IS NOT DISTINCT FROM' : '='} k.${column}`;
  });
  await connection.run(
    `DELETE FROM ${tableName(table.id)} t USING temp.replaced k WHERE ${conditions.join(' AND ')}`,
  );
  await connection.run('DROP TABLE temp.replaced');
}

/** The keys of rows that hold all of the table's columns. */
export function keysOfRows(table: TableLayout, names: readonly string[]): KeyColumn[] {
  return names.map((name) => keyColumn(table, name));
}

/** The keys where `columns[i]` holds the values of `names[i]`. */
export function keysAlone(table: TableLayout, names: readonly string[]): KeyColumn[] {
  return names.map((name, source) => ({ ...keyColumn(table, name), source }));
}

function keyColumn(table: TableLayout, name: string): KeyColumn {
  const column = table.physical.find((physical) => physical.name === name);
  if (!column) throw new CandelaError('COLUMN_NOT_FOUND', `table ${table.id} has no column '${name}'`);
  return { ...column, nullable: table.columns[column.source].nullable };
}
