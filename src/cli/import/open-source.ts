import { CandelaError } from '../../core/errors.ts';
import type { TextPart } from '../../feeds/replay/source.ts';
import { formatOf } from './import-format.ts';
import type { RowSource, SourceOptions } from './row-source.ts';

/** Opens a part of the file at `path`; reads as much of it as it takes to name the columns. */
export async function openSource(part: TextPart, path: string, options: SourceOptions): Promise<RowSource> {
  const format = options.format ?? formatOf(part.name);
  switch (format) {
    case 'csv':
      return (await import('./csv-source.ts')).openCsvSource(part.bytes, options);
    case 'ndjson':
      return (await import('./ndjson-source.ts')).openNdjsonSource(part.bytes);
    case 'arrow':
      return (await import('./arrow-source.ts')).openArrowSource(part.bytes);
    case 'parquet':
      return (await import('./parquet-source.ts')).openParquetSource(path);
    case null:
      throw new CandelaError('INVALID_ARGUMENT', `the format of ${part.name} is not known from its name`, {
        help: 'Say it with --format csv, ndjson, parquet or arrow.',
      });
  }
}
