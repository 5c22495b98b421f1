/** Deleting rows by series, time and values: see `Database.deleteRows`. */
import { CandelaError } from '../../core/errors.ts';
import { type ColumnData, columnOf, type Scalar } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { PlainEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { DeleteRequest, DeleteResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { checkRange, type Range } from '../read/range.ts';
import { matchSeries } from '../read/read-path.ts';
import { type RowsRead, readRows } from '../read/read-rows.ts';
import { columnKindOf } from '../write/admit.ts';
import { textOf } from '../write/row-text.ts';
import type { WritePath } from '../write/write-path.ts';
import { amend } from './amend.ts';
import { removal } from './amendment.ts';

/** Rows taken away at a time. */
const pageRows = 65_536;

/** See the head of this file. A page of rows at a time, each all or nothing. */
export async function deleteRows(
  path: WritePath,
  name: string,
  request: DeleteRequest,
): Promise<DeleteResult> {
  const { state } = path;
  const entry = state.catalog.find(name);
  if (entry.kind === 'rollup') {
    throw new CandelaError(
      'UNSUPPORTED',
      `'${name}' is a rollup: its bars go with the ticks of '${entry.def.source}'`,
      {
        help: 'Delete rows of the ticks table, or drop the rollup.',
      },
    );
  }
  const where = conditions(entry.def, request.where ?? {});
  if (entry.kind === 'plain') return deletePlain(path, entry, request, where);
  const series = matchSeries(entry, request.series);
  const { fromNs, toNs } = checkRange(request);
  const range: Range = { fromNs, toNs, order: 'asc', limit: pageRows, after: null };
  const result: DeleteResult = { lsn: state.appliedLsn, rowCount: 0 };
  for (let isMore = true; isMore; isMore = range.after !== null) {
    const page = await readRows(state.storage, entry.table, series, range);
    const rows = matching(entry, page, where);
    if (rows.series.length > 0) {
      const { lsn, rowCount } = await take(path, entry, rows);
      result.lsn = lsn;
      result.rowCount += rowCount;
    }
    range.after = page.next;
  }
  return result;
}

/** Takes rows away that were just read; those that went meanwhile do not count. */
function take(
  { state, flusher, gate, publisher }: WritePath,
  entry: RowsEntry,
  rows: RowsRead,
): Promise<DeleteResult> {
  return gate.exclusive(async () => {
    checkThere(state, entry);
    const { lsn, plan } = await amend(state, flusher, entry, removal(entry.table, rows));
    publisher.publishAmended(plan);
    publisher.publishAmendedBars(plan.levels);
    const rowCount = plan.amendment.series.length;
    state.counters.rowsDeleted += rowCount;
    return { lsn, rowCount };
  });
}

/** The table may have been dropped while we waited. */
function checkThere({ catalog }: EngineState, entry: RowsEntry | PlainEntry): void {
  if (catalog.get(entry.def.name) !== entry)
    throw new CandelaError('TABLE_NOT_FOUND', `table '${entry.def.name}' was dropped`);
}

/** A column, and the value that it must have, as a column of one row. */
interface Condition {
  index: number;
  name: string;
  value: ColumnData;
}

function conditions(def: TableDef, where: Record<string, Scalar>): Condition[] {
  return Object.entries(where).map(([name, value]) => {
    const index = def.columns.findIndex((column) => column.name === name);
    if (index < 0) throw new CandelaError('COLUMN_NOT_FOUND', `table '${def.name}' has no column '${name}'`);
    const kind = columnKindOf(def.columns[index].type);
    const scalar = kind === 'int64' && Number.isSafeInteger(value) ? BigInt(value as number) : value;
    if (scalar !== null && !isOfKind(kind, scalar)) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `where: column '${name}' of '${def.name}' holds ${kind} values, which ${typeof value} is not`,
      );
    }
    return { index, name, value: columnOf(kind, [scalar]) };
  });
}

function isOfKind(kind: ColumnData['kind'], value: Exclude<Scalar, null>): boolean {
  const types = { double: 'number', text: 'string', boolean: 'boolean', decimal: 'object' } as const;
  return typeof value === (kind in types ? types[kind as keyof typeof types] : 'bigint');
}

/** The rows that fulfil the conditions. */
function matching({ table }: RowsEntry, rows: RowsRead, where: readonly Condition[]): RowsRead {
  if (where.length === 0) return rows;
  const { columns } = table.columnSet(rows.series, rows.timesNs, rows.columns);
  const kept = Array.from(rows.series.keys()).filter((row) =>
    where.every(({ index, value }) => textOf([columns[index]], [0], row) === textOf([value], [0], 0)),
  );
  return {
    series: Int32Array.from(kept, (row) => rows.series[row]),
    timesNs: BigInt64Array.from(kept, (row) => rows.timesNs[row]),
    arrivals: BigInt64Array.from(kept, (row) => rows.arrivals[row]),
    columns: [],
    next: null,
  };
}

/** A plain table has neither series nor time. */
function deletePlain(
  { state, gate }: WritePath,
  entry: PlainEntry,
  { series, fromNs, toNs }: DeleteRequest,
  where: readonly Condition[],
): Promise<DeleteResult> {
  if (series !== undefined || fromNs !== undefined || toNs !== undefined) {
    throw new CandelaError(
      'UNSUPPORTED',
      `'${entry.def.name}' is a plain table: it has neither series nor time`,
      {
        help: 'Say which rows by `where`.',
      },
    );
  }
  const table = physicalId(entry.id, tableRole.rows);
  const names = where.length > 0 ? where.map(({ name }) => name) : [entry.def.columns[0].name];
  return gate.exclusive(() =>
    state.commits.run(async () => {
      checkThere(state, entry);
      const { columns, rowCount: all } = await state.storage.readAll(table, names);
      const isGone = (row: number): boolean =>
        where.every(({ value }, i) => textOf([columns[i]], [0], row) === textOf([value], [0], 0));
      let rowCount = 0;
      for (let row = 0; row < all; row++) if (isGone(row)) rowCount++;
      if (rowCount > 0) await state.storage.commit([plainOp(entry, table, where)]);
      state.counters.rowsDeleted += rowCount;
      return { lsn: 0, rowCount };
    }),
  );
}

function plainOp({ def }: PlainEntry, table: number, where: readonly Condition[]): StorageOp {
  if (where.length > 0) {
    const key = where.map(({ name }) => name);
    return { op: 'delete', table, key, columns: where.map(({ value }) => value), rowCount: 1 };
  }
  const columns = def.columns.map(({ type }) => columnOf(columnKindOf(type), []));
  return { op: 'rewrite', table, columns, rowCount: 0 };
}
