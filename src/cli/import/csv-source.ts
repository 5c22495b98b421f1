import { CsvError, parse } from 'csv-parse/sync';
import { csvParseOptions, decodeRecords } from '../../codecs/decode/decode-csv.ts';
import { decodeUnbounded } from '../../codecs/decode/decoded-rows.ts';
import { decodePlainLines, isPlainCsv } from '../../codecs/decode/plain-csv.ts';
import { CandelaError } from '../../core/errors.ts';
import { usageError } from '../terminal.ts';
import type { SourceOptions } from './row-source.ts';
import {
  type ImportPlan,
  type RowChunk,
  type RowSource,
  sampleRowsMax,
  tableAsInFile,
} from './row-source.ts';
import { wholeLines } from './text-chunks.ts';

const chunkOptions = { bytesMin: 2 ** 21, bytesMax: 2 ** 26, quoted: true };

/** Opens CSV text: with a header line, unless the columns' names are given. */
export async function openCsvSource(
  bytes: AsyncIterable<Buffer>,
  { columnNames, delimiter }: SourceOptions,
): Promise<RowSource> {
  if (Buffer.byteLength(delimiter) !== 1)
    throw usageError('--delimiter is not one character', 'Write , or ; or \\t.');
  const chunks = wholeLines(bytes, chunkOptions);
  const { value: first } = (await chunks.next()) as IteratorResult<Buffer, undefined>;
  const start = first ? withoutMark(first) : Buffer.alloc(0);
  const header = columnNames ?? parseRecords(start, delimiter, { to: 1 })[0]?.map((name) => name.trim());
  if (!header) throw new CandelaError('INVALID_ARGUMENT', 'the CSV file is empty');
  const headerLines = columnNames ? 0 : 1;
  const sample = parseRecords(start, delimiter, { to: sampleRowsMax + headerLines }).slice(headerLines);
  return {
    columns: header.map((name, cell) => ({ name, values: sample.map((record) => record[cell] ?? '') })),
    async *chunks(plan) {
      let rowsBefore = 0;
      let next: Buffer | undefined = columnNames ? start : behindFirstRecord(start, delimiter);
      while (next) {
        const chunk = decodeChunk(next, { header, delimiter, plan, rowsBefore });
        yield chunk;
        rowsBefore += chunk.decoded.sentRowCount;
        next = (await chunks.next()).value as Buffer | undefined;
      }
    },
  };
}

interface ChunkContext {
  header: readonly string[];
  delimiter: string;
  plan: ImportPlan;
  rowsBefore: number;
}

function decodeChunk(bytes: Buffer, { header, delimiter, plan, rowsBefore }: ChunkContext): RowChunk {
  const table = tableAsInFile(plan);
  const wanted = header.map((name) => (plan.unused.includes(name) ? null : name));
  let records: string[][] | undefined;
  const recordAt = (row: number): string => {
    records ??= parseRecords(bytes, delimiter);
    return records[row].join(delimiter);
  };
  if (isPlainCsv(bytes)) {
    const decoded = decodePlainLines(table, wanted, bytes, delimiter.charCodeAt(0), decodeUnbounded);
    return { decoded, rowsBefore, recordAt };
  }
  records = parseRecords(bytes, delimiter);
  return { decoded: decodeRecords(table, wanted, records, decodeUnbounded), rowsBefore, recordAt };
}

const byteOrderMark = Buffer.from('\ufeff');

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
}

/** The bytes behind the header, which may span lines when its names are quoted. */
function behindFirstRecord(bytes: Buffer, delimiter: string): Buffer {
  const [{ info }] = parse(bytes, { ...csvParseOptions, delimiter, to: 1, info: true }) as unknown as [
    { info: { bytes: number } },
  ];
  return bytes.subarray(info.bytes);
}

function parseRecords(bytes: Buffer, delimiter: string, bounds: { to?: number } = {}): string[][] {
  try {
    return parse(bytes, { ...csvParseOptions, delimiter, ...bounds });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new CandelaError('SYNTAX', `CSV: ${cause.message}`, { cause });
  }
}
