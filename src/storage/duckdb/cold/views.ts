/** Views of tables whose rows have moved to files or back: they name the files, so they are made again. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { StoredView } from '../../storage.ts';
import type { Layouts } from '../catalog.ts';
import { viewSql } from '../view-sql.ts';

/** The views that show a table. */
export async function readViews(connection: DuckDBConnection, table: number): Promise<StoredView[]> {
  const result = await connection.runAndReadAll('SELECT definition FROM candela.views');
  const views = result.getRows().map(([definition]) => JSON.parse(String(definition)) as StoredView);
  return views.filter(({ tables }) => tables.includes(table));
}

/** Makes the views of a table again, of the tables as they are in `layouts`. */
export async function renewViews(
  connection: DuckDBConnection,
  table: number,
  layouts: Layouts,
): Promise<void> {
  for (const view of await readViews(connection, table)) await connection.run(viewSql(view, layouts));
}
