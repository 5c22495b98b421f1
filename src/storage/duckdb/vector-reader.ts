/** Result chunks → columns, in bulk: the counterpart of `vector-writer.ts`. */
import type { DuckDBMaterializedResult } from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import type { ColumnData } from '../../market/columns.ts';
import { scaleInPlace, widenFromInt32 } from './int64-words.ts';
import { textReader } from './text-reader.ts';
import type { DecimalForm, VectorForm } from './types.ts';
import { type ColumnReader, isValid, NullBytes, validityOf } from './validity.ts';

/** Form of a column in a result: any but the companion scale, which its decimal reads along. */
export type ResultForm = Exclude<VectorForm, { kind: 'scale' }>;

/** How many columns of the result a form takes up. */
function widthOf(form: ResultForm): number {
  return form.kind === 'decimal' && form.ownScale ? 2 : 1;
}

/** Chunks of a result that are in memory: a whole materialised result, or some of a streamed one. */
export type ResultChunks = Pick<DuckDBMaterializedResult, 'rowCount' | 'chunkCount' | 'getChunk'>;

/** The columns of a result's chunks, by their forms in order; the arrays belong to the caller. */
export function readColumns(result: ResultChunks, forms: readonly ResultForm[]): ColumnData[] {
  const gathering = startGathering(result, forms);
  for (let index = 0; index < result.chunkCount; index++) gather(gathering, index);
  return gathering.readers.map((reader) => reader.finish());
}

/** Chunks read between two turns of the event loop: about a millisecond of plain columns. */
const chunksPerTurn = 64;

/** {@link readColumns} for results of any length: gives way to other work now and then. */
export async function readColumnsInTurns(
  result: ResultChunks,
  forms: readonly ResultForm[],
): Promise<ColumnData[]> {
  const gathering = startGathering(result, forms);
  for (let index = 0; index < result.chunkCount; index++) {
    gather(gathering, index);
    if (index % chunksPerTurn === chunksPerTurn - 1) await new Promise((resolve) => setImmediate(resolve));
  }
  return gathering.readers.map((reader) => reader.finish());
}

interface Gathering {
  result: ResultChunks;
  forms: readonly ResultForm[];
  readers: ColumnReader[];
  rowsRead: number;
}

function startGathering(result: ResultChunks, forms: readonly ResultForm[]): Gathering {
  return { result, forms, readers: forms.map((form) => columnReader(form, result.rowCount)), rowsRead: 0 };
}

function gather(gathering: Gathering, index: number): void {
  const { result, forms, readers, rowsRead } = gathering;
  const chunk = result.getChunk(index);
  const count = chunk.rowCount;
  for (let i = 0, column = 0; i < readers.length; column += widthOf(forms[i]), i++) {
    readers[i].read(chunk, column, rowsRead, count);
  }
  gathering.rowsRead = rowsRead + count;
}

function columnReader(form: ResultForm, rowCount: number): ColumnReader {
  switch (form.kind) {
    case 'double':
      return doubleReader(rowCount);
    case 'int64':
      return int64Reader('int64', rowCount, 1);
    case 'int32':
      return int32Reader(rowCount);
    case 'time-us':
      return int64Reader('timestamp', rowCount, 1000);
    case 'time-ns':
      return int64Reader('timestamp', rowCount, 1);
    case 'boolean':
      return booleanReader(rowCount);
    case 'text':
      return textReader(rowCount);
    case 'decimal':
      return decimalReader(form, rowCount);
  }
}

function doubleReader(rowCount: number): ColumnReader {
  const values = new Float64Array(rowCount);
  return {
    read(chunk, column, at, count) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      const bytes = duckdb.vector_get_data(vector, count * 8);
      values.set(new Float64Array(bytes.buffer, bytes.byteOffset, count), at);
      const validity = validityOf(vector, count);
      if (!validity) return;
      for (let i = 0; i < count; i++) if (!isValid(validity, i)) values[at + i] = Number.NaN;
    },
    finish: () => ({ kind: 'double', values }),
  };
}

function int64Reader(kind: 'int64' | 'timestamp', rowCount: number, factor: number): ColumnReader {
  const values = new BigInt64Array(rowCount);
  const nulls = new NullBytes(rowCount);
  return {
    read(chunk, column, at, count) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      const bytes = duckdb.vector_get_data(vector, count * 8);
      values.set(new BigInt64Array(bytes.buffer, bytes.byteOffset, count), at);
      nulls.read(vector, at, count);
    },
    finish() {
      if (factor !== 1) scaleInPlace(values, factor);
      nulls.forEach((row) => {
        values[row] = 0n;
      });
      return { kind, values, nulls: nulls.bytes };
    },
  };
}

function int32Reader(rowCount: number): ColumnReader {
  const values = new BigInt64Array(rowCount);
  const nulls = new NullBytes(rowCount);
  return {
    read(chunk, column, at, count) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      const bytes = duckdb.vector_get_data(vector, count * 4);
      widenFromInt32(new Int32Array(bytes.buffer, bytes.byteOffset, count), values, at);
      nulls.read(vector, at, count);
    },
    finish: () => ({ kind: 'int64', values, nulls: nulls.bytes }),
  };
}

function booleanReader(rowCount: number): ColumnReader {
  const values = new Uint8Array(rowCount);
  const nulls = new NullBytes(rowCount);
  return {
    read(chunk, column, at, count) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      values.set(duckdb.vector_get_data(vector, count), at);
      nulls.read(vector, at, count);
    },
    finish() {
      nulls.forEach((row) => {
        values[row] = 0;
      });
      return { kind: 'boolean', values, nulls: nulls.bytes };
    },
  };
}

function decimalReader(form: DecimalForm, rowCount: number): ColumnReader {
  const coefficients = new Array<bigint>(rowCount).fill(0n);
  const scales = new Uint8Array(rowCount);
  const nulls = new NullBytes(rowCount);
  return {
    read(chunk, column, at, count) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      readIntegers(vector, form.bits, coefficients, at, count);
      nulls.read(vector, at, count);
      if (!form.ownScale) return;
      scales.set(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, column + 1), count), at);
    },
    finish() {
      if (!form.ownScale) scales.fill(form.scale);
      nulls.forEach((row) => {
        coefficients[row] = 0n;
        scales[row] = 0;
      });
      if (form.ownScale) unscale(coefficients, scales, form.scale);
      return { kind: 'decimal', coefficients, scales, nulls: nulls.bytes };
    },
  };
}

function readIntegers(vector: Vector, bits: number, into: bigint[], at: number, count: number): void {
  const { buffer, byteOffset } = duckdb.vector_get_data(vector, (count * bits) / 8);
  if (bits === 128) {
    const words = new BigInt64Array(buffer, byteOffset, count * 2);
    for (let i = 0; i < count; i++) {
      const low = words[2 * i];
      const high = words[2 * i + 1];
      // Most coefficients fit 64 bits: the high half only repeats the sign.
      into[at + i] = high === low >> 63n ? low : (high << 64n) | BigInt.asUintN(64, low);
    }
    return;
  }
  if (bits === 64) {
    const values = new BigInt64Array(buffer, byteOffset, count);
    for (let i = 0; i < count; i++) into[at + i] = values[i];
    return;
  }
  const values =
    bits === 16 ? new Int16Array(buffer, byteOffset, count) : new Int32Array(buffer, byteOffset, count);
  for (let i = 0; i < count; i++) into[at + i] = BigInt(values[i]);
}

/** Coefficients at `scale` to each row's own scale, which is no larger. */
function unscale(coefficients: bigint[], scales: Uint8Array, scale: number): void {
  const divisors = Array.from({ length: scale + 1 }, (_, own) => 10n ** BigInt(scale - own));
  for (let row = 0; row < coefficients.length; row++) coefficients[row] /= divisors[scales[row]];
}
