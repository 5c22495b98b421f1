/** Parquet files, read with a DuckDB of their own: nothing of it touches a data directory. */
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import { quoteName, quoteText } from '../../storage/duckdb/sql-text.ts';
import { decimalBits } from '../../storage/duckdb/types.ts';
import { type ResultForm, readColumns } from '../../storage/duckdb/vector-reader.ts';

/** A column of a Parquet file. */
export interface ParquetColumn {
  name: string;
  /** The type of ours that holds its values. */
  type: ColumnType;
}

/** An open Parquet file. */
export interface ParquetFile {
  columns: ParquetColumn[];
  /** The rows in the file's order, some ten thousand at a time, with the columns named. */
  pages(names: readonly string[]): AsyncIterable<ColumnSet>;
  close(): void;
}

const pageRows = 65_536;

/** How a column is selected: DuckDB's own types are many, ours few. */
interface Selection extends ParquetColumn {
  sql: string;
  form: ResultForm;
}

/** Opens a file. Throws `INVALID_ARGUMENT` if it is not Parquet. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  const connection = await instance.connect();
  const close = (): void => {
    connection.closeSync();
    instance.closeSync();
  };
  const source = `read_parquet(${quoteText(path)})`;
  try {
    await connection.run("SET TimeZone = 'UTC'");
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${source}`);
    const selections = described.getRows().map(([name, type]) => selectionOf(String(name), String(type)));
    return { columns: selections, pages: (names) => pagesOf(connection, source, selections, names), close };
  } catch (cause) {
    close();
    throw unreadable(path, cause);
  }
}

async function* pagesOf(
  connection: DuckDBConnection,
  source: string,
  all: readonly Selection[],
  names: readonly string[],
): AsyncGenerator<ColumnSet> {
  const selections = all.filter(({ name }) => names.includes(name));
  const forms = selections.map(({ form }) => form);
  const result = await connection.stream(
    `SELECT ${selections.map(({ sql }) => sql).join(', ')} FROM ${source}`,
  );
  let chunks: DuckDBDataChunk[] = [];
  let rowCount = 0;
  const page = (): ColumnSet => {
    const held = chunks;
    const columns = readColumns(
      { rowCount, chunkCount: held.length, getChunk: (index) => held[index] },
      forms,
    );
    const set = { rowCount, names: selections.map(({ name }) => name), columns };
    chunks = [];
    rowCount = 0;
    return set;
  };
  for (
    let chunk = await result.fetchChunk();
    chunk && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    chunks.push(chunk);
    rowCount += chunk.rowCount;
    if (rowCount >= pageRows) yield page();
  }
  if (rowCount > 0) yield page();
}

function selectionOf(name: string, duckType: string): Selection {
  const quoted = quoteName(name);
  const as = (sqlType: string, type: ColumnType, form: ResultForm): Selection => ({
    name,
    type,
    sql: `CAST(${quoted} AS ${sqlType})`,
    form,
  });
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(duckType);
  if (decimal) return decimalSelection(name, duckType, Number(decimal[1]), Number(decimal[2]));
  switch (duckType) {
    case 'BOOLEAN':
      return as('BOOLEAN', { kind: 'boolean' }, { kind: 'boolean' });
    case 'FLOAT':
    case 'DOUBLE':
      return as('DOUBLE', { kind: 'double' }, { kind: 'double' });
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
      return as('BIGINT', { kind: 'int64' }, { kind: 'int64' });
    case 'UBIGINT':
    case 'HUGEINT':
      return decimalSelection(name, 'DECIMAL(38,0)', 38, 0);
    case 'TIMESTAMP_NS':
      return as('TIMESTAMP_NS', { kind: 'timestamp', unit: 'ns', zone: true }, { kind: 'time-ns' });
    case 'TIMESTAMP':
    case 'TIMESTAMP_S':
    case 'TIMESTAMP_MS':
    case 'DATE':
      return as('TIMESTAMP', { kind: 'timestamp', unit: 'us', zone: true }, { kind: 'time-us' });
    case 'TIMESTAMP WITH TIME ZONE':
      return as(
        'TIMESTAMP WITH TIME ZONE',
        { kind: 'timestamp', unit: 'us', zone: true },
        { kind: 'time-us' },
      );
    default:
      return /^(STRUCT|MAP|JSON)|\[\d*\]$/.test(duckType)
        ? as('JSON', { kind: 'json' }, { kind: 'text' })
        : as('VARCHAR', { kind: 'text' }, { kind: 'text' });
  }
}

function decimalSelection(name: string, sqlType: string, precision: number, scale: number): Selection {
  return {
    name,
    type: { kind: 'decimal', precision, scale },
    sql: `CAST(${quoteName(name)} AS ${sqlType})`,
    form: { kind: 'decimal', bits: decimalBits(precision), precision, scale, ownScale: false },
  };
}

function unreadable(path: string, cause: unknown): CandelaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CandelaError('INVALID_ARGUMENT', `${path} cannot be read as Parquet: ${reason}`, { cause });
}
