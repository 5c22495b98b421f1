import { CsvError, parse } from 'csv-parse/sync';
import { csvParseOptions, decodeRecords } from '../../codecs/decode/decode-csv.ts';
import { decodeUnbounded } from '../../codecs/decode/decoded-rows.ts';
import { CandelaError } from '../../core/errors.ts';
import {
  type ImportPlan,
  type RowChunk,
  type RowSource,
  type SourceOptions,
  sampleRowsMax,
  tableAsInFile,
} from './row-source.ts';
import { wholeLines } from './text-chunks.ts';

const chunkOptions = { bytesMin: 2 ** 21, bytesMax: 2 ** 26, quoted: true };

/** Opens CSV text: with a header line, unless the columns' names are given. */
export async function openCsvSource(
  bytes: AsyncIterable<Buffer>,
  options: SourceOptions,
): Promise<RowSource> {
  const chunks = wholeLines(bytes, chunkOptions);
  const first = await nextRecords(chunks, options.delimiter);
  const header = options.columnNames ?? first.shift()?.map((name) => name.trim());
  if (!header) throw new CandelaError('INVALID_ARGUMENT', 'the CSV file is empty');
  const sample = first.slice(0, sampleRowsMax);
  return {
    columns: header.map((name, cell) => ({ name, values: sample.map((record) => record[cell] ?? '') })),
    async *chunks(plan) {
      let rowsBefore = 0;
      for (let records = first; records.length > 0; records = await nextRecords(chunks, options.delimiter)) {
        yield chunkOf(records, header, rowsBefore, plan, options.delimiter);
        rowsBefore += records.length;
      }
    },
  };
}

function chunkOf(
  records: string[][],
  header: readonly string[],
  rowsBefore: number,
  plan: ImportPlan,
  delimiter: string,
): RowChunk {
  const wanted = header.map((name) => (plan.unused.includes(name) ? null : name));
  return {
    decoded: decodeRecords(tableAsInFile(plan), wanted, records, decodeUnbounded),
    rowsBefore,
    recordAt: (row) => records[row].join(delimiter),
  };
}

/** The records of the next chunk that holds any; none at the end. */
async function nextRecords(chunks: AsyncGenerator<Buffer>, delimiter: string): Promise<string[][]> {
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) return [];
    const records = parseRecords(value, delimiter);
    if (records.length > 0) return records;
  }
}

function parseRecords(bytes: Buffer, delimiter: string): string[][] {
  try {
    return parse(bytes, { ...csvParseOptions, delimiter });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw new CandelaError('SYNTAX', `CSV: ${cause.message}`, { cause });
  }
}
