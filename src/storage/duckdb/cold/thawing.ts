/**
 * Rows of cold files back into their table, or gone, because a commit changes them. All inside the commit's
 * transaction.
 */
import type { StorageOp } from '../../storage.ts';
import { mustLayout, type TableLayout } from '../catalog.ts';
import type { CommitContext } from '../committing.ts';
import { quoteName, tableName } from '../sql-text.ts';
import {
  type ColdBounds,
  type ColdFile,
  columnsOfFiles,
  filesWithin,
  forgetColdSql,
  parquetSql,
} from './cold-files.ts';
import { renewViews } from './views.ts';

type RowOp = Extract<StorageOp, { op: 'replace' | 'delete' | 'delete-range' | 'rewrite' }>;

/** Brings back what the step may change, and forgets files of which it leaves nothing. Call it before the step. */
export async function thawFor(context: CommitContext, op: RowOp): Promise<void> {
  const table = mustLayout(context.layouts, op.table);
  if (table.cold.length === 0) return;
  const isWhole = ({ fromNs, toNs }: ColdFile): boolean =>
    op.op === 'rewrite' || (op.op === 'delete-range' && fromNs >= op.fromNs && toNs <= op.toNs);
  const touched = filesWithin(table, boundsOf(table, op));
  if (touched.length === 0) return;
  for (const file of touched) if (!isWhole(file)) await thaw(context, table, file);
  await forget(context, table, touched);
  await renewViews(context.connection, table.id, context.layouts);
}

/** Forgets all files of a table that is dropped. */
export async function forgetCold(context: CommitContext, table: TableLayout): Promise<void> {
  await forget(context, table, table.cold);
}

/** Times that the step may touch. */
function boundsOf(table: TableLayout, op: RowOp): ColdBounds {
  if (op.op === 'delete-range') return op;
  if (op.op === 'rewrite' || op.rowCount === 0)
    return { fromNs: null, toNs: op.op === 'rewrite' ? null : -(2n ** 63n) };
  const time = table.roles?.time ?? '';
  const at =
    op.op === 'replace' ? table.columns.findIndex(({ name }) => name === time) : op.key.indexOf(time);
  const column = op.columns[at];
  if (!op.key.includes(time) || column?.kind !== 'timestamp') return { fromNs: null, toNs: null };
  let [least, greatest] = [column.values[0], column.values[0]];
  for (const value of column.values) {
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { fromNs: least, toNs: greatest + 1n };
}

async function thaw({ connection }: CommitContext, table: TableLayout, file: ColdFile): Promise<void> {
  const names = table.physical.map(({ name }) => quoteName(name)).join(', ');
  const columns = columnsOfFiles(table, file.columnCount);
  await connection.run(
    `INSERT INTO ${tableName(table.id)} (${names}) SELECT ${columns} FROM ${parquetSql([file])}`,
  );
}

async function forget(context: CommitContext, table: TableLayout, files: readonly ColdFile[]): Promise<void> {
  for (const { name } of files) await context.connection.run(forgetColdSql(name));
  context.layouts.set(table.id, { ...table, cold: table.cold.filter((file) => !files.includes(file)) });
  context.forgotten.push(...files);
}
