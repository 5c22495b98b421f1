import type { DuckDBVarCharVector } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type ColumnReader, NullBytes } from './validity.ts';

/** Longest string that DuckDB keeps inside its 16-byte reference. */
const inlineBytesMax = 12;

/**
 * Gathers a text column into a dictionary and codes. A row whose reference equals the row before's (common in
 * sorted or repetitive data) costs a comparison; other short strings one decode, long ones a call into the binding.
 */
export function textReader(rowCount: number): ColumnReader {
  const codes = new Int32Array(rowCount);
  const dictionary: string[] = [];
  const codeOf = new Map<string, number>();
  const nulls = new NullBytes(rowCount);
  const encode = (text: string): number => {
    let code = codeOf.get(text);
    if (code === undefined) {
      code = dictionary.push(text) - 1;
      codeOf.set(text, code);
    }
    return code;
  };
  return {
    read(chunk, column, at, count) {
      const raw = duckdb.data_chunk_get_vector(chunk.chunk, column);
      nulls.read(raw, at, count);
      const bytes = duckdb.vector_get_data(raw, count * 16);
      const references = Buffer.from(bytes.buffer, bytes.byteOffset, count * 16);
      const words = new Int32Array(bytes.buffer, bytes.byteOffset, count * 4);
      const strings = chunk.getColumnVector(column) as DuckDBVarCharVector;
      let previous = -1;
      for (let i = 0, w = 0; i < count; i++, w += 4) {
        if (nulls.bytes?.[at + i]) {
          codes[at + i] = -1;
          continue;
        }
        if (previous >= 0 && sameWords(words, w, previous * 4)) {
          codes[at + i] = codes[at + previous];
          continue;
        }
        const length = words[w];
        codes[at + i] = encode(
          length <= inlineBytesMax
            ? references.toString('utf8', i * 16 + 4, i * 16 + 4 + length)
            : (strings.getItem(i) as string),
        );
        previous = i;
      }
    },
    finish: () => ({ kind: 'text', dictionary, codes }),
  };
}

function sameWords(words: Int32Array, a: number, b: number): boolean {
  return (
    words[a] === words[b] &&
    words[a + 1] === words[b + 1] &&
    words[a + 2] === words[b + 2] &&
    words[a + 3] === words[b + 3]
  );
}
