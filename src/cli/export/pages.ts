/** What an export writes, a bounded page at a time. */
import { CandelaError } from '../../core/errors.ts';
import type { BarsRequest, Database, SeriesFilter, TableInfo } from '../../engine/database.ts';
import { type ColumnData, type ColumnSet, columnNamed, sliceColumn } from '../../market/columns.ts';
import type { ColumnDef, ColumnType, GapMode } from '../../market/schema.ts';

/** What of the engine an export needs. */
export type ExportSource = Pick<Database, 'table' | 'read' | 'bars' | 'sql'>;

/** Which rows. */
export interface ExportRequest {
  /** Null only for SQL. */
  table: string | null;
  /** Bars of this timeframe instead of the table's own rows. */
  timeframe: string | null;
  sql: string | null;
  /** Values of the first series key column, `*` allowed; null for all. */
  symbols: string[] | null;
  fromNs: bigint | null;
  toNs: bigint | null;
  /** Bars: see `ReadRequest`. */
  gaps?: GapMode;
  flags?: boolean;
  /** See `ReadRequest`. */
  adjust?: 'split' | 'all';
}

/** The columns, and the rows in pages; there is always one page, which may be empty. */
export interface ExportRows {
  columns: ColumnDef[];
  /** Columns by which a file of its own is best sorted: the series key, then the time, as cold files are. */
  order: string[];
  pages: AsyncIterable<ColumnSet>;
}

/** Rows of a page: some ten megabytes. */
const pageRowsDefault = 200_000;

/** A SQL result comes whole, so it is bounded. */
const sqlRowsMax = 5_000_000;

/** Begins to read, `pageRows` at a time. */
export async function openRows(
  source: ExportSource,
  request: ExportRequest,
  pageRows = pageRowsDefault,
): Promise<ExportRows> {
  if (request.sql !== null) return sqlRows(source, request.sql);
  const name = request.table ?? '';
  const table = source.table(name);
  if (!table) throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${name}'`);
  if (request.timeframe !== null) {
    return barRows(source, table, { ...request, timeframe: request.timeframe }, pageRows);
  }
  if (table.kind === 'ticks' || table.kind === 'bars') return tableRows(source, table, request, pageRows);
  if (request.symbols || request.fromNs !== null || request.toNs !== null) {
    throw new CandelaError(
      'UNSUPPORTED',
      `table '${name}' is of kind ${table.kind}: it is exported as a whole`,
      {
        help: 'Leave out --symbol, --from and --to, or say with --sql which rows.',
      },
    );
  }
  return { ...(await sqlRows(source, `SELECT * FROM "${name.replaceAll('"', '""')}"`)) };
}

function rangeOf(table: TableInfo, request: ExportRequest) {
  const [key] = table.seriesKey;
  if (request.symbols && key === undefined) {
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `table '${table.name}' has no series key that --symbol could pick from`,
    );
  }
  const series: SeriesFilter | undefined =
    request.symbols && key !== undefined ? { [key]: request.symbols } : undefined;
  return {
    ...(series ? { series } : {}),
    ...(request.fromNs === null ? {} : { fromNs: request.fromNs }),
    ...(request.toNs === null ? {} : { toNs: request.toNs }),
    ...(request.gaps === undefined ? {} : { gaps: request.gaps }),
    ...(request.flags === undefined ? {} : { flags: request.flags }),
    ...(request.adjust === undefined ? {} : { adjust: request.adjust }),
  };
}

async function tableRows(
  source: ExportSource,
  table: TableInfo,
  request: ExportRequest,
  pageRows: number,
): Promise<ExportRows> {
  const range = { table: table.name, ...rangeOf(table, request), limit: pageRows };
  const first = await source.read(range);
  async function* pages(): AsyncGenerator<ColumnSet> {
    yield first;
    for (let { cursor } = first; cursor !== null; ) {
      const page = await source.read({ ...range, cursor });
      yield page;
      cursor = page.cursor;
    }
  }
  return { columns: columnsOf(first, table), order: orderOf(first, table), pages: pages() };
}

/**
 * Bars have no cursor, so a page ends with a whole bucket: the bars of its last time are left to the next page, which
 * begins there. A bucket of more series than a page holds gets a larger page.
 */
async function barRows(
  source: ExportSource,
  table: TableInfo,
  request: ExportRequest & { timeframe: string },
  pageRows: number,
): Promise<ExportRows> {
  const range: BarsRequest = {
    table: table.name,
    timeframe: request.timeframe,
    ...rangeOf(table, request),
    limit: pageRows,
  };
  const first = await source.bars(range);
  const rollup = source.table(first.rollup);
  const timeColumn = rollup?.timeColumn ?? first.names[0];
  async function* pages(): AsyncGenerator<ColumnSet> {
    let limit = pageRows;
    for (let page: ColumnSet = first, from = range; ; page = await source.bars({ ...from, limit })) {
      if (page.rowCount < limit) {
        yield page;
        return;
      }
      const { times, wholeRows } = lastBucket(page, timeColumn);
      if (wholeRows === 0) limit *= 2;
      else {
        yield firstRows(page, wholeRows);
        from = { ...from, fromNs: times[wholeRows] };
      }
    }
  }
  return { columns: columnsOf(first, rollup), order: orderOf(first, rollup), pages: pages() };
}

function orderOf({ names }: ColumnSet, table: TableInfo | undefined): string[] {
  const wanted = [
    ...(table?.seriesKey ?? []),
    ...(table?.timeColumn === undefined ? [] : [table.timeColumn]),
  ];
  return wanted.filter((name) => names.includes(name));
}

function lastBucket(page: ColumnSet, timeColumn: string): { times: BigInt64Array; wholeRows: number } {
  const column = columnNamed(page, timeColumn);
  if (column?.kind !== 'timestamp')
    throw new CandelaError('INTERNAL', `bars without a time column '${timeColumn}'`);
  const { values: times } = column;
  let wholeRows = page.rowCount - 1;
  while (wholeRows > 0 && times[wholeRows - 1] === times[page.rowCount - 1]) wholeRows--;
  return { times, wholeRows };
}

function firstRows({ names, columns }: ColumnSet, rowCount: number): ColumnSet {
  return { rowCount, names, columns: columns.map((column) => sliceColumn(column, 0, rowCount)) };
}

async function sqlRows(source: ExportSource, sql: string): Promise<ExportRows> {
  const result = await source.sql(sql, { rowsMax: sqlRowsMax, timeoutMs: 600_000 });
  if (result.truncated) {
    throw new CandelaError('LIMIT_EXCEEDED', `the query has more than ${result.rowCount} rows`, {
      help: 'Export it in parts, by a range of time or of symbols.',
    });
  }
  async function* pages(): AsyncGenerator<ColumnSet> {
    yield result;
  }
  const columns = result.names.map((name, index) => ({
    name,
    type: typeOf(result.columns[index], result.types[index]),
  }));
  return { columns, order: [], pages: pages() };
}

/** The columns read, with the types the table declares for them. */
function columnsOf(page: ColumnSet, table: TableInfo | undefined): ColumnDef[] {
  return page.names.map((name, index) => {
    const declared = table?.columns.find((column) => column.name === name)?.type;
    const { kind } = page.columns[index];
    const fits = declared && (declared.kind === 'json' ? 'text' : declared.kind) === kind;
    return { name, type: fits ? declared : typeOf(page.columns[index]) };
  });
}

/** The type of a column nobody declared; `sqlType` is DuckDB's name of it, if known. */
function typeOf({ kind }: ColumnData, sqlType = ''): ColumnType {
  if (kind === 'timestamp') {
    return {
      kind,
      unit: /_NS$/.test(sqlType) || sqlType === '' ? 'ns' : 'us',
      zone: sqlType !== 'TIMESTAMP',
    };
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(sqlType);
  if (kind === 'decimal' && decimal)
    return { kind, precision: Number(decimal[1]), scale: Number(decimal[2]) };
  return { kind };
}
