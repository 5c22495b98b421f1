/**
 * A running server in place of an open database: the same calls, over HTTP. Commands that work on either are written
 * once, against the calls both have.
 *
 * ```ts
 * const database = await connect({ url: 'http://127.0.0.1:20330' });
 * await database.write('trades', batch);
 * ```
 */
import { encodeNdjson } from '../codecs/encode/encode-json.ts';
import type { RowRejection } from '../core/errors.ts';
import type {
  BarsResult,
  Database,
  GapsResult,
  ReadResult,
  SqlResult,
  TableInfo,
  WriteOptions,
  WriteResult,
} from '../engine/database.ts';
import { type Batch, type ColumnKind, sliceColumn } from '../market/columns.ts';
import type { WireColumnsResult, WireTable, WireTables, WireWriteResult } from '../protocols/http/wire.ts';
import { type ApiCaller, createCaller, type ServerAddress } from './http-caller.ts';
import { deleteQuery, gapsQuery, rangeQuery, timesQuery } from './range-query.ts';
import { columnsFromWire, kindOfSqlType } from './wire-columns.ts';

/** The calls of a database that work over HTTP. */
export type RemoteDatabase = Pick<
  Database,
  | 'table'
  | 'tables'
  | 'createTable'
  | 'alterTable'
  | 'dropTable'
  | 'createCandles'
  | 'write'
  | 'deleteRows'
  | 'refresh'
  | 'read'
  | 'bars'
  | 'gaps'
  | 'sql'
  | 'backup'
  | 'close'
>;

/** Rows sent in one request; a larger batch goes in several, and is then no longer all or nothing. */
const rowsPerRequest = 200_000;

/**
 * Connects: asks for the tables, so that a wrong address or user shows at once. `tables()` and `table()` answer from
 * what is known since the last call that changed tables. Every call throws `SERVER_UNREACHABLE` when nobody answers,
 * and otherwise what the engine throws.
 */
export async function connect(address: ServerAddress): Promise<RemoteDatabase> {
  const call = createCaller(address);
  const known = new Map<string, TableInfo>();
  const refresh = async (): Promise<void> => {
    const { tables } = await call<WireTables>({ path: '/tables' });
    known.clear();
    for (const table of tables) known.set(table.name, tableOf(table));
  };
  const change = async <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<T> => {
    const answer = await call<T>({ method, path, ...(body ? { body: JSON.stringify(body) } : {}) });
    await refresh();
    return answer;
  };
  await refresh();
  return {
    tables: () => [...known.values()],
    table: (name) => known.get(name),
    createTable: async (def) => tableOf(await change<WireTable>('POST', '/tables', def)),
    alterTable: async (name, tableChange) =>
      tableOf(await change<WireTable>('PATCH', `/tables/${encodeURIComponent(name)}`, tableChange)),
    dropTable: (name) => change('DELETE', `/tables/${encodeURIComponent(name)}`),
    createCandles: async (def) => (await change<WireTables>('POST', '/candles', def)).tables.map(tableOf),
    write: (table, batch, options = {}) => write(call, table, batch, options),
    deleteRows: (table, request) =>
      call({ method: 'DELETE', path: `/tables/${encodeURIComponent(table)}/rows?${deleteQuery(request)}` }),
    refresh: (request) =>
      call({
        method: 'POST',
        path: `/tables/${encodeURIComponent(request.table)}/refresh?${timesQuery(request)}`,
      }),
    async read(request): Promise<ReadResult> {
      const answer = await call<WireColumnsResult>({ path: `/ticks?${rangeQuery(request)}` });
      return { ...columnsOf(answer, known.get(request.table)), cursor: answer.cursor };
    },
    async bars(request): Promise<BarsResult> {
      const answer = await call<WireColumnsResult & BarsFacts>({ path: `/bars?${rangeQuery(request)}` });
      const { timeframe, rollup, rollupTimeframe } = answer;
      // Bars may be of a rollup made since the tables were asked for.
      if (!known.has(rollup)) await refresh();
      const rows = columnsOf(answer, known.get(rollup));
      return { ...rows, timeframe, rollup, rollupTimeframe, cursor: answer.cursor };
    },
    async gaps(request): Promise<GapsResult> {
      const path = `/tables/${encodeURIComponent(request.table)}/gaps?${gapsQuery(request)}`;
      const answer = await call<WireColumnsResult & GapsFacts>({ path });
      const { timeframe, source, timeZone } = answer;
      const rows = columnsOf(answer, known.get(request.table), gapKinds);
      return { ...rows, timeframe, source, timeZone, cursor: answer.cursor };
    },
    sql: (text, { parameters = [], rowsMax, timeoutMs } = {}) =>
      sql(call, { sql: text, parameters: [...parameters], rowsMax, timeoutMs }),
    // The server names only the folder, and tells nothing until it is done.
    backup: (name) => call({ method: 'POST', path: '/backup', body: JSON.stringify({ name }) }),
    close: async () => undefined,
  };
}

function tableOf({ backfill, ...table }: WireTable): TableInfo {
  return { ...table, backfill: backfill && { doneDownToNs: BigInt(backfill.doneDownToNs) } };
}

type BarsFacts = Pick<BarsResult, 'timeframe' | 'rollup' | 'rollupTimeframe'>;

type GapsFacts = Pick<GapsResult, 'timeframe' | 'source' | 'timeZone'>;

/** Of the columns that no table declares. */
const gapKinds: Readonly<Record<string, ColumnKind>> = {
  gap_from: 'timestamp',
  gap_to: 'timestamp',
  buckets: 'int64',
  missing_seconds: 'double',
};

function columnsOf(
  { columns, rowCount, kinds: told = {} }: WireColumnsResult,
  table: TableInfo | undefined,
  others: Readonly<Record<string, ColumnKind>> = {},
) {
  const names = Object.keys(columns);
  const kinds = names.map((name): ColumnKind | null => {
    const known = told[name] ?? others[name];
    if (known) return known;
    const kind = table?.columns.find((column) => column.name === name)?.type.kind;
    return kind === 'json' ? 'text' : (kind ?? null);
  });
  return { rowCount, names, columns: columnsFromWire(columns, names, kinds) };
}

async function sql(call: ApiCaller, request: object): Promise<SqlResult> {
  const body = JSON.stringify({ ...request, format: 'columns', time: 'ns' });
  type Answer = WireColumnsResult & { names: string[]; types: string[]; truncated: boolean };
  const { columns, names, types, truncated, rowCount } = await call<Answer>({
    method: 'POST',
    path: '/sql',
    body,
  });
  return {
    rowCount,
    names,
    types,
    truncated,
    columns: columnsFromWire(columns, names, types.map(kindOfSqlType)),
  };
}

async function write(
  call: ApiCaller,
  table: string,
  batch: Batch,
  { onInvalid = 'fail', batchId }: WriteOptions,
): Promise<WriteResult> {
  const result: WriteResult = {
    lsn: 0,
    rowCount: 0,
    duplicates: 0,
    corrected: 0,
    repeated: false,
    rejected: [],
  };
  for (let from = 0; from < batch.rowCount; from += rowsPerRequest) {
    const part = sliceBatch(batch, from, Math.min(batch.rowCount, from + rowsPerRequest));
    const query = new URLSearchParams({ onInvalid });
    // Each request is a batch of its own.
    if (batchId !== undefined) query.set('batchId', from === 0 ? batchId : `${batchId} from ${from}`);
    const path = `/write/${encodeURIComponent(table)}?${query}`;
    const answer = await call<WireWriteResult>({ method: 'POST', path, ...(await encodeRows(part)) });
    result.lsn = answer.lsn;
    result.rowCount += answer.rowCount;
    result.duplicates += answer.duplicates;
    result.corrected += answer.corrected;
    result.repeated ||= answer.repeated;
    result.rejected.push(...answer.rejected.map((row): RowRejection => ({ ...row, row: row.row + from })));
  }
  return result;
}

function sliceBatch({ rowCount, columns }: Batch, from: number, to: number): Batch {
  if (from === 0 && to === rowCount) return { rowCount, columns };
  const parts = Object.entries(columns).map(([name, column]) => [name, sliceColumn(column, from, to)]);
  return { rowCount: to - from, columns: Object.fromEntries(parts) as Batch['columns'] };
}

/** Arrow, which costs both sides least; NDJSON where decimals must keep each their own scale, which Arrow cannot. */
async function encodeRows({ rowCount, columns }: Batch) {
  const set = { rowCount, names: Object.keys(columns), columns: Object.values(columns) };
  if (set.columns.some(({ kind }) => kind === 'decimal')) {
    return { body: [...encodeNdjson(set, 'ns')].join(''), contentType: 'application/x-ndjson' };
  }
  const { encodeArrow } = await import('../codecs/arrow/encode-arrow.ts');
  const body = encodeArrow(set, 'stream') as Uint8Array<ArrayBuffer>;
  return { body, contentType: 'application/vnd.apache.arrow.stream' };
}
