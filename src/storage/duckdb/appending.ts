/**
 * Bulk append of columns to a table, inside the caller's transaction.
 *
 * DuckDB's appender runs on the calling thread, so the work is cut into slices of a few milliseconds with a turn of the
 * event loop between them, in which reads are answered. A transaction of more than five row groups compresses and
 * writes them as it goes: then a slice now and then takes tens of milliseconds.
 */
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { ColumnData } from '../../market/columns.ts';
import { type PhysicalColumn, vectorRows } from './types.ts';
import { vectorWriter } from './vector-writer.ts';

/** Where rows go: schema and table, and the columns to fill, in the table's order. */
export interface AppendTarget {
  schema: string;
  table: string;
  columns: readonly PhysicalColumn[];
}

/** Values (rows × columns) between two turns of the event loop; smaller slices cost throughput. */
const valuesPerSlice = 163_840;

/** Appends `rowCount` rows; `columns` are by the stored table's positions. */
export async function appendRows(
  connection: DuckDBConnection,
  target: AppendTarget,
  columns: readonly ColumnData[],
  rowCount: number,
): Promise<void> {
  const writers = target.columns.map((column) => vectorWriter(column, columns[column.source]));
  const chunk = DuckDBDataChunk.create(target.columns.map((column) => column.duckType));
  const vectors = target.columns.map((_, index) => duckdb.data_chunk_get_vector(chunk.chunk, index));
  const chunksPerSlice = Math.max(1, Math.floor(valuesPerSlice / vectorRows / target.columns.length));
  const appender = await connection.createAppender(target.table, target.schema);
  try {
    for (let done = 0, chunks = 1; done < rowCount; done += vectorRows, chunks++) {
      const count = Math.min(vectorRows, rowCount - done);
      chunk.reset();
      chunk.rowCount = count;
      for (let index = 0; index < writers.length; index++) writers[index](vectors[index], done, count);
      appender.appendDataChunk(chunk);
      if (chunks % chunksPerSlice === 0) {
        appender.flushSync();
        await nextTurn();
      }
    }
    appender.closeSync();
  } catch (error) {
    discard(appender);
    throw error;
  }
  if (rowCount > vectorRows) await nextTurn();
}

/**
 * An appender that failed keeps its rows, and would append them when it is collected, outside the transaction that was
 * rolled back: so they are taken from it. Closing it may fail for the reason that it failed for before.
 */
function discard(appender: DuckDBAppender): void {
  try {
    appender.clear();
    appender.closeSync();
  } catch {}
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
