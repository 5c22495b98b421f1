import { decodeNdjson } from '../../codecs/decode/decode-json.ts';
import { decodeUnbounded } from '../../codecs/decode/decoded-rows.ts';
import { CandelaError } from '../../core/errors.ts';
import { type FileColumn, type RowSource, sampleRowsMax, tableAsInFile } from './row-source.ts';
import { wholeLines } from './text-chunks.ts';

const chunkOptions = { bytesMin: 2 ** 21, bytesMax: 2 ** 26, quoted: false };

/** Opens NDJSON: an object a line. The columns are the names that appear in the first rows. */
export async function openNdjsonSource(bytes: AsyncIterable<Buffer>): Promise<RowSource> {
  const chunks = wholeLines(bytes, chunkOptions);
  const first = await chunks.next();
  if (first.done) throw new CandelaError('INVALID_ARGUMENT', 'the NDJSON file is empty');
  return {
    columns: sampleColumns(first.value),
    async *chunks(plan) {
      const table = tableAsInFile(plan);
      const unused = new Set(plan.unused);
      let rowsBefore = 0;
      for (
        let { value, done } = first as IteratorResult<Buffer>;
        !done;
        { value, done } = await chunks.next()
      ) {
        const bytes: Buffer = value;
        const decoded = decodeNdjson(table, bytes, decodeUnbounded, unused);
        let lines: string[] | undefined;
        const recordAt = (row: number): string => {
          lines ??= linesOf(bytes);
          return lines[row].trim();
        };
        yield { decoded, rowsBefore, recordAt };
        rowsBefore += decoded.sentRowCount;
      }
    },
  };
}

function sampleColumns(bytes: Buffer): FileColumn[] {
  const rows = linesOf(bytes).slice(0, sampleRowsMax).flatMap(objectOf);
  const names = new Set(rows.flatMap(Object.keys));
  return [...names].map((name) => ({ name, values: rows.map((row) => row[name] ?? null) }));
}

/** A line that is no object is no part of the sample; the decoder will name and refuse it. */
function objectOf(line: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? [value as Record<string, unknown>]
      : [];
  } catch {
    return [];
  }
}

/** Blank lines are no rows. */
function linesOf(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}
