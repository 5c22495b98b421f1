/** A query's result, taken from DuckDB chunk by chunk, so that it can be stopped when it becomes too large. */
import type { DuckDBDataChunk, DuckDBPreparedStatement } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { CandelaError } from '../../../core/errors.ts';
import { isValid, validityOf } from '../validity.ts';
import type { ResultChunks, ResultForm } from '../vector-reader.ts';

/** A whole result, and how much memory it takes, about. */
export interface FetchedResult extends ResultChunks {
  bytes: number;
}

/** Runs a statement, its parameters bound. Throws `LIMIT_EXCEEDED` if the result is larger than `bytesMax`. */
export async function fetchResult(
  statement: DuckDBPreparedStatement,
  forms: readonly ResultForm[],
  bytesMax: number,
): Promise<FetchedResult> {
  const result = await statement.stream();
  const chunks: DuckDBDataChunk[] = [];
  let rowCount = 0;
  let bytes = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) break;
    chunks.push(chunk);
    rowCount += chunk.rowCount;
    bytes += bytesOf(chunk, forms);
    if (bytes > bytesMax) throw tooLarge(bytesMax, rowCount);
  }
  return { rowCount, bytes, chunkCount: chunks.length, getChunk: (index) => chunks[index] };
}

/** Of a text that is longer, its reference holds only the address. */
const textInsideMax = 12;
const referenceBytes = 16;

function bytesOf(chunk: DuckDBDataChunk, forms: readonly ResultForm[]): number {
  return forms.reduce((bytes, form, column) => {
    if (form.kind === 'text') return bytes + chunk.rowCount * referenceBytes + textBytes(chunk, column);
    return bytes + chunk.rowCount * (form.kind === 'decimal' ? form.bits / 8 : 8);
  }, 0);
}

function textBytes(chunk: DuckDBDataChunk, column: number): number {
  const count = chunk.rowCount;
  const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
  const references = duckdb.vector_get_data(vector, count * referenceBytes);
  const words = new Int32Array(references.buffer, references.byteOffset, count * 4);
  const validity = validityOf(vector, count);
  let bytes = 0;
  for (let row = 0; row < count; row++) {
    if (words[row * 4] > textInsideMax && (!validity || isValid(validity, row))) bytes += words[row * 4];
  }
  return bytes;
}

function tooLarge(bytesMax: number, rowCount: number): CandelaError {
  const mebibytes = Math.floor(bytesMax / 2 ** 20);
  return new CandelaError(
    'LIMIT_EXCEEDED',
    `the result is larger than ${mebibytes} MiB after ${rowCount} rows`,
    {
      help: 'Ask for fewer rows or columns (LIMIT, WHERE), export them, or raise the memory budget.',
    },
  );
}
