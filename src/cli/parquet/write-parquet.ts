/**
 * Parquet files, written with a DuckDB of their own. Parquet keeps its index at the end and DuckDB writes a file only
 * as a whole, so pages gather in a scratch database beside the target; memory stays bounded whatever their number.
 */
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ColumnSet } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { appendRows } from '../../storage/duckdb/appending.ts';
import { quoteName, quoteText } from '../../storage/duckdb/sql-text.ts';
import { physicalOf } from '../../storage/duckdb/types.ts';

/** A Parquet file being written. */
export interface ParquetWriter {
  /** Columns in the order of the definitions. */
  write(page: ColumnSet): Promise<void>;
  /** Brings the file into place; it is not there before. */
  finish(): Promise<void>;
  /** Removes what is left over; to be called in any case. */
  close(): Promise<void>;
}

/**
 * Begins a file whose rows will be sorted by the columns named, and else as they come. Decimals without a precision
 * become DECIMAL(38,20).
 */
export async function createParquet(
  path: string,
  defs: readonly ColumnDef[],
  order: readonly string[] = [],
): Promise<ParquetWriter> {
  const scratch = mkdtempSync(join(dirname(path), '.candela-export-'));
  const instance = await DuckDBInstance.create(join(scratch, 'pages.duckdb'), {
    threads: '2',
    memory_limit: '512MiB',
  });
  const connection = await instance.connect();
  const columns = defs.flatMap(({ name, type }, index) => physicalOf({ name, type, nullable: true }, index));
  const declared = columns.map(({ name, sqlType }) => `${quoteName(name)} ${sqlType}`).join(', ');
  await connection.run(`SET TimeZone = 'UTC'; CREATE TABLE pages (${declared})`);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    connection.closeSync();
    instance.closeSync();
    rmSync(scratch, { recursive: true, force: true });
  };
  return {
    async write({ columns: page, rowCount }) {
      await appendRows(connection, { schema: 'main', table: 'pages', columns }, page, rowCount);
    },
    async finish() {
      const names = defs.map(({ name }) => quoteName(name)).join(', ');
      const file = join(scratch, 'pages.parquet');
      const sorted = order.length === 0 ? '' : ` ORDER BY ${[...order.map(quoteName), 'rowid'].join(', ')}`;
      await connection.run(
        `COPY (SELECT ${names} FROM pages${sorted}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      renameSync(file, path);
      await close();
    },
    close,
  };
}
