/** The steps of a commit, run on the writer connection inside one transaction. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import { type ColumnData, lengthOf, textColumn } from '../../market/columns.ts';
import type { StorageOp } from '../storage.ts';
import { appendRows } from './appending.ts';
import {
  addColumnSql,
  createTableSql,
  dropTableSql,
  layoutOf,
  mustLayout,
  type TableLayout,
} from './catalog.ts';
import type { ColdFile } from './cold/cold-files.ts';
import { forgetCold, thawFor } from './cold/thawing.ts';
import { deleteKeys, keysAlone, keysOfRows } from './replacing.ts';
import { rangeCondition } from './scan-sql.ts';
import { tableName } from './sql-text.ts';
import { bind, ParameterList } from './statements.ts';
import { physicalOf } from './types.ts';
import { dropViewSql, viewSql } from './view-sql.ts';

/** What a commit works on. `layouts` is a copy that becomes the store's when the commit succeeds. */
export interface CommitContext {
  connection: DuckDBConnection;
  layouts: Map<number, TableLayout>;
  /** Cold files of which this commit leaves nothing. */
  forgotten: ColdFile[];
}

/** Runs the ops in order. Documents go last, together: they are independent of the rest. */
export async function runOps(context: CommitContext, ops: readonly StorageOp[]): Promise<void> {
  const documents = new Map<string, string | null>();
  for (const op of ops) {
    if (op.op === 'put-doc') documents.set(op.key, op.value);
    else if (op.op === 'delete-doc') documents.set(op.key, null);
    else await runOp(context, op);
  }
  if (documents.size > 0) await writeDocuments(context.connection, documents);
}

type TableOp = Exclude<StorageOp, { op: 'put-doc' | 'delete-doc' }>;

async function runOp(context: CommitContext, op: TableOp): Promise<void> {
  const { connection, layouts } = context;
  switch (op.op) {
    case 'create-table':
      if (layouts.has(op.table.id)) {
        throw new CandelaError('TABLE_EXISTS', `the store has a table ${op.table.id}`);
      }
      await connection.run(createTableSql(op.table));
      layouts.set(op.table.id, layoutOf(op.table));
      return;
    case 'drop-table':
      await forgetCold(context, mustLayout(layouts, op.table));
      await connection.run(dropTableSql(op.table));
      layouts.delete(op.table);
      return;
    case 'add-column': {
      const { id, columns, roles, cold } = mustLayout(layouts, op.table);
      const table = { id, roles, columns: [...columns, { ...op.column, nullable: true }] };
      await connection.run(addColumnSql(table));
      layouts.set(id, layoutOf(table, new Map([[id, [...cold]]])));
      return;
    }
    case 'put-view':
      await connection.run(viewSql(op.view, layouts));
      return;
    case 'drop-view':
      await connection.run(dropViewSql(op.name));
      return;
    case 'append':
      return append(context, mustLayout(layouts, op.table), op);
    case 'replace': {
      const table = mustLayout(layouts, op.table);
      checkShape(table, op);
      await thawFor(context, op);
      await deleteKeys(connection, table, { ...op, keys: keysOfRows(table, op.key) });
      return append(context, table, op);
    }
    case 'delete': {
      const table = mustLayout(layouts, op.table);
      await thawFor(context, op);
      return deleteKeys(connection, table, { ...op, keys: keysAlone(table, op.key) });
    }
    case 'delete-range': {
      const table = mustLayout(layouts, op.table);
      await thawFor(context, op);
      const parameters = new ParameterList();
      const where = rangeCondition(table, op, parameters);
      const statement = await connection.prepare(`DELETE FROM ${tableName(table.id)} t WHERE ${where}`);
      try {
        bind(statement, parameters.parameters);
        await statement.run();
      } finally {
        statement.destroySync();
      }
      return;
    }
    case 'rewrite':
      await thawFor(context, op);
      await connection.run(`DELETE FROM ${tableName(op.table)}`);
      return append(context, mustLayout(layouts, op.table), op);
  }
}

interface Rows {
  columns: ColumnData[];
  rowCount: number;
}

async function append({ connection }: CommitContext, table: TableLayout, rows: Rows): Promise<void> {
  checkShape(table, rows);
  if (rows.rowCount === 0) return;
  const target = { schema: 'candela', table: `t${table.id}`, columns: table.physical };
  await appendRows(connection, target, rows.columns, rows.rowCount);
}

function checkShape(table: TableLayout, { columns, rowCount }: Rows): void {
  const wrong = columns.findIndex((column) => lengthOf(column) !== rowCount);
  if (columns.length === table.columns.length && wrong < 0) return;
  throw new CandelaError(
    'INVALID_ARGUMENT',
    wrong < 0
      ? `table ${table.id} has ${table.columns.length} columns, not ${columns.length}`
      : `column ${wrong} of table ${table.id} has ${lengthOf(columns[wrong])} rows, not ${rowCount}`,
  );
}

const documentTarget = {
  schema: 'candela',
  table: 'documents',
  columns: ['key', 'value'].flatMap((name, source) =>
    physicalOf({ name, type: { kind: 'text' }, nullable: false }, source),
  ),
};

async function writeDocuments(
  connection: DuckDBConnection,
  documents: Map<string, string | null>,
): Promise<void> {
  const remove = await connection.prepare(
    'DELETE FROM candela.documents WHERE key IN (SELECT unnest($1::JSON::VARCHAR[]))',
  );
  try {
    remove.bindVarchar(1, JSON.stringify([...documents.keys()]));
    await remove.run();
  } finally {
    remove.destroySync();
  }
  const kept = [...documents].filter((entry): entry is [string, string] => entry[1] !== null);
  if (kept.length === 0) return;
  const columns = [textColumn(kept.map(([key]) => key)), textColumn(kept.map(([, value]) => value))];
  await appendRows(connection, documentTarget, columns, kept.length);
}
