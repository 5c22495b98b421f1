/** The peer of every append: DuckDB's own appender fed with typed arrays, nothing else around it. */
import { join } from 'node:path';
import { DOUBLE, DuckDBDataChunk, DuckDBInstance, INTEGER, TIMESTAMP } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type Elapsed, startStopwatch } from './stopwatch.ts';
import type { Ticks } from './ticks.ts';

const vectorRows = 2_048;

/** What DuckDB takes in place of text and nanoseconds: dictionary numbers and microseconds, made beforehand. */
export interface RawTicks {
  count: number;
  columns: [BigInt64Array, Int32Array, Float64Array, Float64Array];
}

/** Ticks as DuckDB takes them. */
export function rawTicks({ count, timesNs, symbols, prices, sizes }: Ticks): RawTicks {
  return { count, columns: [timesNs.map((ns) => ns / 1000n), symbols, prices, sizes] };
}

/**
 * Appends the ticks to a table in a new database file and returns the time from the first chunk to the last commit.
 * `batchRows` null: one transaction for all; else one for each batch, which makes each batch durable as ours is.
 */
export async function appendRaw(
  directory: string,
  ticks: RawTicks,
  batchRows: number | null,
): Promise<Elapsed> {
  const instance = await DuckDBInstance.create(join(directory, 'raw.duckdb'), { threads: '2' });
  const connection = await instance.connect();
  await connection.run('CREATE TABLE ticks (time TIMESTAMP, symbol INTEGER, price DOUBLE, size DOUBLE)');
  const elapsed = startStopwatch();
  const step = batchRows ?? ticks.count;
  for (let from = 0; from < ticks.count; from += step) {
    await connection.run('BEGIN');
    const appender = await connection.createAppender('ticks');
    appendChunks(appender, ticks, from, Math.min(from + step, ticks.count));
    appender.closeSync();
    await connection.run('COMMIT');
  }
  const took = elapsed();
  const reader = await connection.runAndReadAll('SELECT count(*)::INTEGER, sum(size) FROM ticks');
  const [[count, size]] = reader.getRows();
  const expected = ticks.columns[3].reduce((sum, value) => sum + value, 0);
  if (count !== ticks.count || size !== expected) throw new Error(`DuckDB holds ${count} rows, size ${size}`);
  connection.closeSync();
  instance.closeSync();
  return took;
}

interface Appender {
  appendDataChunk(chunk: DuckDBDataChunk): void;
}

function appendChunks(appender: Appender, { columns }: RawTicks, from: number, to: number): void {
  const chunk = DuckDBDataChunk.create([TIMESTAMP, INTEGER, DOUBLE, DOUBLE]);
  const vectors = columns.map((_, index) => duckdb.data_chunk_get_vector(chunk.chunk, index));
  for (let at = from; at < to; at += vectorRows) {
    const count = Math.min(vectorRows, to - at);
    chunk.reset();
    chunk.rowCount = count;
    for (const [index, values] of columns.entries()) {
      const width = values.BYTES_PER_ELEMENT;
      const start = values.byteOffset + at * width;
      duckdb.copy_data_to_vector(vectors[index], 0, values.buffer as ArrayBuffer, start, count * width);
    }
    appender.appendDataChunk(chunk);
  }
}
