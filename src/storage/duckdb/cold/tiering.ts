/**
 * Tiering: the rows of a range of time out of the table and into a Parquet file, in (series, time, version) order. It
 * runs as sealing does, in a transaction of the connection that is for both:
 *
 * ```
 *   beside commits     BEGIN · find the rows · COPY them to a file, sorted · sync it
 *   between commits    DELETE them · record the file · renew the views · COMMIT
 * ```
 *
 * The file has the table's own columns, hidden ones too, and those of the series key beside the series number, so that
 * it can be read without the database.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api';
import { assert } from '../../../core/assert.ts';
import { nodeFileSystem } from '../../../core/file-system.ts';
import type { StoredView, TimeRange } from '../../storage.ts';
import { type Layouts, mustLayout, type TableLayout } from '../catalog.ts';
import { rangeCondition, sealedOrder, timesNsSql } from '../scan-sql.ts';
import { hasRoom, inTransaction, runStatement, type SealContext } from '../sealing.ts';
import { quoteName, quoteText, tableName } from '../sql-text.ts';
import { ParameterList, withLiterals } from '../statements.ts';
import { type ColdFile, coldFolder, recordColdSql } from './cold-files.ts';
import { readViews, renewViews } from './views.ts';

/** Rows of a row group: small enough that one series' rows of a day are read without most of the others'. */
const rowGroupRows = 20_480;
/** Of zstd: 7 % less than the default of 3 (measured), for a thing that is done once. */
const compressionLevel = 9;

/** What tiering works on. */
export interface TierContext extends SealContext {
  directory: string;
  layouts(): Layouts;
  /** Takes the tables as they are once the transaction is committed; called just before that. */
  onCommit(layouts: Map<number, TableLayout>): void;
}

/** See `Storage.tier`. One at a time, and none beside sealing. */
export async function tierRange(
  context: TierContext,
  range: TimeRange,
  signal: AbortSignal,
): Promise<number> {
  const { directory, connection, log } = context;
  const folder = join(directory, coldFolder);
  await nodeFileSystem.makeDirectory(folder);
  // Never a name that there was before: what DuckDB keeps of a file in memory goes by its name.
  const name = `t${range.table}-${range.fromNs}-${randomUUID()}.parquet`;
  const path = join(folder, name);
  const what = `move rows of table ${range.table} to ${path}`;
  const rowCount = await inTransaction(connection, log, { what, signal }, () =>
    move(context, range, { name, path }, signal),
  );
  if (rowCount === 0 && (await nodeFileSystem.list(folder)).includes(name)) await nodeFileSystem.remove(path);
  return rowCount;
}

async function move(
  context: TierContext,
  range: TimeRange,
  { name, path }: Pick<ColdFile, 'name' | 'path'>,
  signal: AbortSignal,
): Promise<number> {
  const { connection, log, betweenCommits } = context;
  const table = mustLayout(context.layouts(), range.table);
  const hot = tableName(table.id);
  const run = (write: (where: string, parameters: ParameterList) => string): Promise<DuckDBResultReader> => {
    const parameters = new ParameterList();
    return runStatement(connection, write(rangeCondition(table, range, parameters), parameters), parameters);
  };
  const times = timesNsSql(table);
  const found = await run(
    (where) =>
      `SELECT count(*), max(t.rowid), min(${times})::BIGINT, max(${times})::BIGINT FROM ${hot} t WHERE ${where}`,
  );
  const [rowCount, lastRow, leastNs, greatestNs] = found.getRows()[0] as (bigint | null)[];
  if (lastRow === null || leastNs === null || greatestNs === null) return 0;
  if (!(await hasRoom(context, Number(rowCount)))) return 0;
  const views = await readViews(connection, table.id);
  const parameters = new ParameterList();
  const where = rangeCondition(table, range, parameters);
  const literal = withLiterals({ sql: where, parameters: parameters.parameters });
  await copyRows(connection, table, { where: literal, views, path }, context.layouts());
  const bytes = await synced(path);
  return betweenCommits(async () => {
    if (signal.aborted) return 0;
    const deleted = await run(
      (where, parameters) =>
        `DELETE FROM ${hot} t WHERE ${where} AND t.rowid <= ${parameters.add({ type: 'int64', value: lastRow })}`,
    );
    assert(
      deleted.rowsChanged === Number(rowCount),
      `tiering deleted ${deleted.rowsChanged} of ${rowCount} rows`,
    );
    const bounds = { fromNs: leastNs, toNs: greatestNs + 1n };
    const columnCount = table.physical.length;
    const file: ColdFile = { name, path, ...bounds, rowCount: Number(rowCount), bytes, columnCount };
    await connection.run(recordColdSql(table.id, file));
    // Columns or views may have been added meanwhile; then DuckDB refuses the views or the commit.
    const layouts = new Map(context.layouts());
    const present = mustLayout(layouts, table.id);
    layouts.set(table.id, { ...present, cold: [...present.cold, file] });
    await renewViews(connection, table.id, layouts);
    log.debug({ step: 'tier-commit', rowCount: deleted.rowsChanged }, 'committing rows moved to a cold file');
    context.onCommit(layouts);
    await connection.run('COMMIT');
    return Number(rowCount);
  });
}

interface Copy {
  where: string;
  views: readonly StoredView[];
  path: string;
}

/** Writes the rows with the columns of the series key, from the dictionary of a view that shows the table. */
async function copyRows(
  connection: DuckDBConnection,
  table: TableLayout,
  { where, views, path }: Copy,
  layouts: Layouts,
): Promise<void> {
  const dictionaryId = views.find(({ seriesTable }) => seriesTable !== null)?.seriesTable ?? null;
  const dictionary = dictionaryId === null ? undefined : mustLayout(layouts, dictionaryId);
  const keys = dictionary?.physical.slice(1).map(({ name }) => `s.${quoteName(name)}`) ?? [];
  const own = table.physical.map(({ name }) => `t.${quoteName(name)}`);
  const [series] = table.physical;
  const number = dictionary ? `s.${quoteName(dictionary.physical[0].name)}` : '';
  const join = dictionary
    ? `LEFT JOIN ${tableName(dictionary.id)} s ON t.${quoteName(series.name)} = ${number}`
    : '';
  await connection.run(
    `COPY (SELECT ${[...own, ...keys].join(', ')} FROM ${tableName(table.id)} t ${join} WHERE ${where} ` +
      `ORDER BY ${sealedOrder(table)}) TO ${quoteText(path)} ` +
      `(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL ${compressionLevel}, ROW_GROUP_SIZE ${rowGroupRows})`,
  );
}

/** Makes the file durable and returns its size. */
async function synced(path: string): Promise<number> {
  const file = await nodeFileSystem.open(path, 'existing');
  try {
    await file.sync();
    return await file.size();
  } finally {
    await file.close();
    await nodeFileSystem.syncDirectory(join(path, '..'));
  }
}
