/**
 * The naive store: arrays of rows in memory, every operation a plain loop. It is the tests' oracle, so it is written
 * to be obviously right, not to be quick. It knows no SQL.
 */
import { CandelaError } from '../../core/errors.ts';
import {
  type ColumnData,
  type ColumnSet,
  columnOf,
  lengthOf,
  type Scalar,
  valueAt,
} from '../../market/columns.ts';
import type {
  CountRequest,
  LastRowsOf,
  LookupRequest,
  ScanRequest,
  Storage,
  StorageOp,
  StoredTable,
  TimeCount,
  TimeRange,
} from '../storage.ts';
import { kindOf, sameValue, storedValue } from './stored-value.ts';

type Row = Scalar[];

interface State {
  tables: Map<number, { table: StoredTable; rows: Row[] }>;
  views: Set<string>;
  documents: Map<string, string>;
}

/** Opens an empty store; its content is gone when it is closed. */
export function openMemoryStorage(): Storage {
  let state: State = { tables: new Map(), views: new Set(), documents: new Map() };
  let closed = false;
  const open = (): State => {
    if (closed) throw new CandelaError('STOPPING', 'the store is closed');
    return state;
  };
  return {
    documents: async () => new Map(open().documents),
    commit: async (ops) => {
      const next = copyOf(open());
      for (const op of ops) apply(next, op);
      state = next;
    },
    scan: async (request) => scan(open(), request),
    lookup: async (request) => lookup(open(), request),
    readAll: async (table, columns) => {
      const { rows } = tableOf(open(), table);
      return project(open(), table, rows, columns);
    },
    lastRows: async (table, columns, of) => lastRows(open(), table, columns, of),
    countByTime: async (request) => countByTime(open(), request),
    seal: async (range, signal) => (signal?.aborted ? 0 : seal(open(), range)),
    tier: async (range, signal) => (signal?.aborted ? 0 : tier(open(), range)),
    tablesOf: async () => unsupported(),
    snapshot: async () => unsupported(),
    image: async () => {
      throw new CandelaError('UNSUPPORTED', 'a store in memory has no files');
    },
    stats: async () => ({ bytesOnDisk: open() && 0 }),
    close: async () => {
      closed = true;
    },
  };
}

function unsupported(): never {
  throw new CandelaError('UNSUPPORTED', 'the in-memory store knows no SQL', { help: 'Open a DuckDB store.' });
}

function copyOf(state: State): State {
  return {
    tables: new Map([...state.tables].map(([id, { table, rows }]) => [id, { table, rows: [...rows] }])),
    views: new Set(state.views),
    documents: new Map(state.documents),
  };
}

function tableOf(state: State, id: number): { table: StoredTable; rows: Row[] } {
  const found = state.tables.get(id);
  if (!found) throw new CandelaError('TABLE_NOT_FOUND', `the store has no table ${id}`);
  return found;
}

function positionOf(table: StoredTable, name: string): number {
  const position = table.columns.findIndex((column) => column.name === name);
  if (position < 0) throw new CandelaError('COLUMN_NOT_FOUND', `table ${table.id} has no column '${name}'`);
  return position;
}

function rolesOf(table: StoredTable): { series: number; time: number; version: number } {
  if (!table.roles)
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `table ${table.id} has no series, so it can only be read whole`,
    );
  const { series, time, version } = table.roles;
  return {
    series: positionOf(table, series),
    time: positionOf(table, time),
    version: positionOf(table, version),
  };
}

function apply(state: State, op: StorageOp): void {
  switch (op.op) {
    case 'create-table':
      if (state.tables.has(op.table.id))
        throw new CandelaError('TABLE_EXISTS', `the store has a table ${op.table.id}`);
      state.tables.set(op.table.id, { table: op.table, rows: [] });
      return;
    case 'drop-table':
      tableOf(state, op.table);
      state.tables.delete(op.table);
      return;
    case 'add-column': {
      const { table, rows } = tableOf(state, op.table);
      const columns = [...table.columns, { ...op.column, nullable: true }];
      state.tables.set(op.table, { table: { ...table, columns }, rows: rows.map((row) => [...row, null]) });
      return;
    }
    case 'put-view':
      for (const table of op.view.tables) tableOf(state, table);
      state.views.add(op.view.name);
      return;
    case 'drop-view':
      if (!state.views.delete(op.name))
        throw new CandelaError('TABLE_NOT_FOUND', `the store has no view '${op.name}'`);
      return;
    case 'delete-range': {
      const found = tableOf(state, op.table);
      const { time } = rolesOf(found.table);
      found.rows = found.rows.filter(
        (row) => (row[time] as bigint) < op.fromNs || (row[time] as bigint) >= op.toNs,
      );
      return;
    }
    case 'put-doc':
      state.documents.set(op.key, op.value);
      return;
    case 'delete-doc':
      state.documents.delete(op.key);
      return;
    case 'delete':
      deleteRows(state, op);
      return;
    default:
      applyRows(state, op);
  }
}

function deleteRows(state: State, op: Extract<StorageOp, { op: 'delete' }>): void {
  const found = tableOf(state, op.table);
  const key = op.key.map((name) => positionOf(found.table, name));
  const gone = Array.from({ length: op.rowCount }, (_, row) =>
    op.columns.map((column, i) => storedValue(found.table.columns[key[i]], valueAt(column, row))),
  );
  const isGone = (row: Row): boolean =>
    gone.some((values) => key.every((position, i) => sameValue(row[position], values[i])));
  found.rows = found.rows.filter((row) => !isGone(row));
}

type RowsOp = Extract<StorageOp, { op: 'append' | 'replace' | 'rewrite' }>;

function applyRows(state: State, op: RowsOp): void {
  const found = tableOf(state, op.table);
  const incoming = rowsOf(found.table, op.columns, op.rowCount);
  if (op.op === 'rewrite') found.rows = [];
  if (op.op === 'replace') {
    const key = op.key.map((name) => positionOf(found.table, name));
    const replaced = (row: Row): boolean =>
      incoming.some((other) => key.every((position) => sameValue(row[position], other[position])));
    found.rows = found.rows.filter((row) => !replaced(row));
  }
  for (const row of incoming) found.rows.push(row);
}

function rowsOf(table: StoredTable, columns: ColumnData[], rowCount: number): Row[] {
  const wrong =
    columns.some((column) => lengthOf(column) !== rowCount) || columns.length !== table.columns.length;
  if (wrong) throw new CandelaError('INVALID_ARGUMENT', `rows of another shape than table ${table.id}`);
  table.columns.forEach((column, index) => {
    if (columns[index].kind === kindOf(column)) return;
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `column '${column.name}' takes ${kindOf(column)} values, not ${columns[index].kind}`,
    );
  });
  return Array.from({ length: rowCount }, (_, row) =>
    table.columns.map((column, index) => storedValue(column, valueAt(columns[index], row))),
  );
}

function project(state: State, id: number, rows: Row[], names: string[]): ColumnSet {
  const { table } = tableOf(state, id);
  const columns = names.map((name) => {
    const position = positionOf(table, name);
    return columnOf(
      kindOf(table.columns[position]),
      rows.map((row) => row[position]),
    );
  });
  return { rowCount: rows.length, names: [...names], columns };
}

function scan(state: State, request: ScanRequest): ColumnSet {
  const { table, rows } = tableOf(state, request.table);
  const { series, time, version } = rolesOf(table);
  const { fromNs, toNs, versionBelow, after, order, limit } = request;
  const wanted = request.series === null ? null : new Set(request.series);
  // Sorting is stable, so rows equal in both keep the order they were appended in.
  const sorted =
    order === 'any'
      ? rows
      : [...rows].sort((a, b) => compare(a[time], b[time]) || compare(a[version], b[version]));
  if (order === 'desc') sorted.reverse();
  const sign = order === 'asc' ? 1 : -1;
  const selected = sorted.filter((row) => {
    const at = row[time] as bigint;
    if (wanted !== null && !wanted.has(Number(row[series]))) return false;
    if (fromNs !== null && at < fromNs) return false;
    if (toNs !== null && at >= toNs) return false;
    if (versionBelow !== null && (row[version] as bigint) >= versionBelow) return false;
    if (after === null) return true;
    const beyond = compare(at, after.timeNs) || compare(row[version], after.version);
    return beyond * sign > 0;
  });
  return project(state, request.table, limit === null ? selected : selected.slice(0, limit), request.columns);
}

function lookup(state: State, request: LookupRequest): ColumnSet {
  const { table, rows } = tableOf(state, request.table);
  const { series, time } = rolesOf(table);
  const pairs = new Set(Array.from(request.series, (number, i) => `${number} ${request.timesNs[i]}`));
  const found = rows.filter((row) => pairs.has(`${row[series]} ${row[time]}`));
  return project(state, request.table, found, request.columns);
}

function lastRows(state: State, id: number, columns: string[], of?: LastRowsOf): ColumnSet {
  const { table, rows } = tableOf(state, id);
  const { series, time, version } = rolesOf(table);
  const last = new Map<Scalar, Row>();
  const wanted = of?.series ? new Set(of.series) : null;
  for (const row of rows) {
    if (wanted !== null && !wanted.has(Number(row[series]))) continue;
    if (of && (row[time] as bigint) >= of.toNs) continue;
    const present = last.get(row[series]);
    const later = present && (compare(row[time], present[time]) || compare(row[version], present[version]));
    if (later === undefined || later >= 0) last.set(row[series], row);
  }
  const bySeries = [...last.values()].sort((a, b) => compare(a[series], b[series]));
  return project(state, id, bySeries, columns);
}

function countByTime(state: State, request: CountRequest): TimeCount[] {
  const { table, rows } = tableOf(state, request.table);
  const { time, version } = rolesOf(table);
  const counts = new Map<bigint, number>();
  for (const row of rows) {
    const [at, number] = [row[time] as bigint, row[version] as bigint];
    if (at < request.fromNs || at >= request.toNs) continue;
    if (request.hotOnly && moved.has(row)) continue;
    if (number < request.versionFrom || number >= request.versionBelow) continue;
    const startNs = at - (((at % request.widthNs) + request.widthNs) % request.widthNs);
    counts.set(startNs, (counts.get(startNs) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => compare(a, b)).map(([startNs, rowCount]) => ({ startNs, rowCount }));
}

function seal(state: State, { table: id, fromNs, toNs }: TimeRange): number {
  const found = tableOf(state, id);
  const { series, time, version } = rolesOf(found.table);
  const isIn = (row: Row): boolean => (row[time] as bigint) >= fromNs && (row[time] as bigint) < toNs;
  const sealed = found.rows.filter(isIn);
  const order = [series, time, version];
  sealed.sort((a, b) => order.map((column) => compare(a[column], b[column])).find((sign) => sign !== 0) ?? 0);
  found.rows = [...found.rows.filter((row) => !isIn(row)), ...sealed];
  return sealed.length;
}

/** Rows that were moved: nothing but counts can tell. */
const moved = new WeakSet<Row>();

function tier(state: State, { table: id, fromNs, toNs }: TimeRange): number {
  const { table, rows } = tableOf(state, id);
  const { time } = rolesOf(table);
  const isIn = (row: Row): boolean => (row[time] as bigint) >= fromNs && (row[time] as bigint) < toNs;
  const wanted = rows.filter((row) => isIn(row) && !moved.has(row));
  for (const row of wanted) moved.add(row);
  return wanted.length;
}

/** Of two values that are not null: below 0, 0 or above 0. */
function compare(a: Scalar, b: Scalar): number {
  const [x, y] = [a as bigint, b as bigint];
  return x < y ? -1 : x > y ? 1 : 0;
}
