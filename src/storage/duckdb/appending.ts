/**
 * Bulk append of columns to a table, inside the caller's transaction.
 *
 * DuckDB's appender runs on the calling thread, so the work is cut into slices of about a millisecond with a turn of
 * the event loop between them. A transaction that appends more than five row groups to one table starts compressing
 * and writing them at once, 50 ms at a time and on this thread; so beyond half a million rows they go to a temporary
 * table first and are moved by an INSERT … SELECT, which runs on DuckDB's threads.
 */
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { ColumnData } from '../../market/columns.ts';
import { quoteName } from './sql-text.ts';
import { type PhysicalColumn, vectorRows } from './types.ts';
import { vectorWriter } from './vector-writer.ts';

/** Where rows go: schema and table, and the columns to fill, in the table's order. */
export interface AppendTarget {
  schema: string;
  table: string;
  columns: readonly PhysicalColumn[];
}

/** Values (rows × columns) between two turns of the event loop: about a millisecond of appending. */
const valuesPerSlice = 40_960;

/** Most rows appended directly: a little under the five row groups at which DuckDB begins to write. */
const directRowsMax = 500_000;

/**
 * Appends `rowCount` rows; `columns` are by the stored table's positions. `rowsBefore` counts rows this transaction
 * appended already.
 */
export async function appendRows(
  connection: DuckDBConnection,
  target: AppendTarget,
  columns: readonly ColumnData[],
  rowCount: number,
  rowsBefore = 0,
): Promise<void> {
  if (rowsBefore + rowCount <= directRowsMax) {
    await appendDirectly(connection, null, target, columns, 0, rowCount);
    return;
  }
  const staging = quoteName(`staging_${target.table}`);
  const name = `${target.schema}.${quoteName(target.table)}`;
  await connection.run(`CREATE TEMP TABLE ${staging} AS FROM ${name} LIMIT 0`);
  for (let from = 0; from < rowCount; from += directRowsMax) {
    const count = Math.min(directRowsMax, rowCount - from);
    const stage = { schema: 'main', table: `staging_${target.table}`, columns: target.columns };
    await appendDirectly(connection, 'temp', stage, columns, from, count);
    await connection.run(`INSERT INTO ${name} FROM temp.${staging}`);
    await connection.run(`TRUNCATE temp.${staging}`);
  }
  await connection.run(`DROP TABLE temp.${staging}`);
}

async function appendDirectly(
  connection: DuckDBConnection,
  catalog: 'temp' | null,
  target: AppendTarget,
  columns: readonly ColumnData[],
  from: number,
  rowCount: number,
): Promise<void> {
  const writers = target.columns.map((column) => vectorWriter(column, columns[column.source]));
  const chunk = DuckDBDataChunk.create(target.columns.map((column) => column.duckType));
  const vectors = target.columns.map((_, index) => duckdb.data_chunk_get_vector(chunk.chunk, index));
  const chunksPerSlice = Math.max(1, Math.floor(valuesPerSlice / vectorRows / target.columns.length));
  const appender = await connection.createAppender(target.table, target.schema, catalog);
  try {
    for (let done = 0, chunks = 1; done < rowCount; done += vectorRows, chunks++) {
      const count = Math.min(vectorRows, rowCount - done);
      chunk.reset();
      chunk.rowCount = count;
      for (let index = 0; index < writers.length; index++) writers[index](vectors[index], from + done, count);
      appender.appendDataChunk(chunk);
      if (chunks % chunksPerSlice === 0) {
        appender.flushSync();
        await nextTurn();
      }
    }
  } catch (error) {
    discard(appender);
    throw error;
  }
  appender.closeSync();
}

/** Closing an appender after a failure fails for the same reason; the transaction is rolled back anyway. */
function discard(appender: DuckDBAppender): void {
  try {
    appender.clear();
    appender.closeSync();
  } catch {}
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
