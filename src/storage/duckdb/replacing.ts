import type { DuckDBConnection } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import type { StorageOp } from '../storage.ts';
import { appendRows } from './appending.ts';
import type { TableLayout } from './catalog.ts';
import { quoteName, tableName } from './sql-text.ts';
import type { PhysicalColumn } from './types.ts';

/**
 * Deletes the rows whose key is among the op's. The keys go to a temporary table and are joined. DuckDB
 * passes the least and greatest key down to the scan, so that zone maps leave most of a large table unread (measured
 * with 1,000 keys in 5 M rows of bars: 4 ms when they lie close together, 25 ms when scattered over the whole table).
 */
export async function replaceRows(
  connection: DuckDBConnection,
  table: TableLayout,
  op: Extract<StorageOp, { op: 'replace' }>,
): Promise<void> {
  if (op.rowCount === 0) return;
  const keys = op.key.map((name) => keyColumn(table, name));
  const definition = keys.map(({ name, sqlType }) => `${quoteName(name)} ${sqlType}`).join(', ');
  await connection.run(`CREATE TEMP TABLE replaced (${definition})`);
  await appendRows(connection, { schema: 'main', table: 'replaced', columns: keys }, op.columns, op.rowCount);
  const conditions = keys.map(({ name, source }) => {
    const column = quoteName(name);
    return `t.${column} ${table.columns[source].nullable ? 'IS NOT DISTINCT FROM' : '='} k.${column}`;
  });
  await connection.run(
    `DELETE FROM ${tableName(table.id)} t USING temp.replaced k WHERE ${conditions.join(' AND ')}`,
  );
  await connection.run('DROP TABLE temp.replaced');
}

function keyColumn(table: TableLayout, name: string): PhysicalColumn {
  const column = table.physical.find((physical) => physical.name === name);
  if (!column) throw new CandelaError('COLUMN_NOT_FOUND', `table ${table.id} has no column '${name}'`);
  return column;
}
