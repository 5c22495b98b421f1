/** Export formats: pages of columns to bytes. */
import { encodeCsv } from '../../codecs/encode/encode-csv.ts';
import { encodeNdjson } from '../../codecs/encode/encode-json.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { usageError } from '../terminal.ts';
import { fileOutput, type Output, standardOutput } from './output.ts';

/** The formats `candela export` writes. */
export const exportFormats = ['csv', 'ndjson', 'parquet', 'arrow'] as const;

/** One of {@link exportFormats}. */
export type ExportFormat = (typeof exportFormats)[number];

/** Takes pages and makes a file of them. */
export interface ExportWriter {
  write(page: ColumnSet): Promise<void>;
  /** After the last page: a file comes into place. */
  finish(): Promise<void>;
  /** Removes what was not finished; to be called in any case. */
  close(): Promise<void>;
}

/** A writer to the file at `path`, or to standard output when it is `-`; only Parquet takes an order. */
export async function createWriter(
  format: ExportFormat,
  path: string,
  columns: readonly ColumnDef[],
  order: readonly string[] = [],
): Promise<ExportWriter> {
  if (format === 'parquet') {
    if (path === '-')
      throw usageError('Parquet cannot be written to standard output', 'Name a file with --output.');
    return (await import('../parquet/write-parquet.ts')).createParquet(path, columns, order);
  }
  const output = path === '-' ? standardOutput : await fileOutput(path);
  if (format === 'arrow') return (await import('./arrow-writer.ts')).createArrowWriter(output, columns);
  return textWriter(output, format === 'csv' ? csvPages() : (page) => encodeNdjson(page, 'iso'));
}

function textWriter(output: Output, encode: (page: ColumnSet) => Iterable<string>): ExportWriter {
  return {
    async write(page) {
      for (const piece of encode(page)) await output.write(piece);
    },
    finish: () => output.finish(),
    close: () => output.close(),
  };
}

/** The header stands before the first page only. */
function csvPages(): (page: ColumnSet) => Iterable<string> {
  let isFirst = true;
  return function* (page) {
    let headerLength = isFirst ? 0 : csvHeader(page).length;
    isFirst = false;
    for (const piece of encodeCsv(page, 'iso')) {
      yield piece.slice(headerLength);
      headerLength = 0;
    }
  };
}

function csvHeader({ names }: ColumnSet): string {
  return [...encodeCsv({ rowCount: 0, names, columns: [] }, 'iso')].join('');
}
