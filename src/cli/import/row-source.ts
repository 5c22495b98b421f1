/** What every format of file looks like to the import: named columns, then rows in chunks. */

import type { DecodedRows } from '../../codecs/decode/decoded-rows.ts';
import type { ColumnType, TableDef } from '../../market/schema.ts';
import type { ImportFormat } from './import-format.ts';
import type { TimeReader } from './zone-time.ts';

/** A column of a file: a sample of its first values, as far as the format needs one to tell the type. */
export interface FileColumn {
  name: string;
  /** Known to formats that carry types. */
  type?: ColumnType;
  values: readonly unknown[];
}

/** Which columns of a file fill which columns of a table. */
export interface ImportPlan {
  table: TableDef;
  /** Table column → file column. */
  sources: ReadonlyMap<string, string>;
  /** File columns that fill nothing. */
  unused: readonly string[];
  /** Table column → the same text for every row. */
  constants: ReadonlyMap<string, string>;
  /** Reads the time column's texts; null: as they are, UTC where no zone is given. */
  readTime: TimeReader | null;
}

/** Some rows of a file, decoded for the plan's table. */
export interface RowChunk {
  decoded: DecodedRows;
  /** Number of the chunk's first row in the file, from 0. */
  rowsBefore: number;
  /** The row as it stands in the file, by its number in the chunk; null where the format is not text. */
  recordAt(row: number): string | null;
}

/** A file (or a file in a zip) opened for reading. */
export interface RowSource {
  columns: readonly FileColumn[];
  chunks(plan: ImportPlan): AsyncIterable<RowChunk>;
}

/** How to read text formats. */
export interface SourceOptions {
  /** Instead of what the file's name tells. */
  format: ImportFormat | null;
  /** Names of the columns of a CSV file without a header line. */
  columnNames: string[] | null;
  /** Between the cells of a CSV file. */
  delimiter: string;
}

/** Rows looked at to tell the types of columns. */
export const sampleRowsMax = 10_000;

/** The plan's table with its columns named as the file names them: what a decoder that goes by names is given. */
export function tableAsInFile({ table, sources, readTime }: ImportPlan): TableDef {
  const nameOf = (name: string): string => sources.get(name) ?? name;
  const columns = table.columns
    .filter(({ name }) => sources.has(name))
    .map((column) => ({ ...column, name: nameOf(column.name), type: decodedType(column.name, column.type) }));
  function decodedType(name: string, type: ColumnType): ColumnType {
    return readTime && name === table.timeColumn ? { kind: 'text' } : type;
  }
  return { ...table, columns, seriesKey: table.seriesKey.map(nameOf) };
}
