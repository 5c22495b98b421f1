/**
 * TradingView's UDF data feed (`/udf/config`, `/symbols`, `/search`, `/history`, `/time`), so that its charting library
 * reads Candela directly. A symbol is `table:SYMBOL`, or just the symbol where one table has it.
 *
 * The protocol answers 200 with `{s: 'error', errmsg}` where other routes answer with a status.
 */
import type { FastifyInstance } from 'fastify';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import type { Database, TableInfo } from '../../../engine/database.ts';
import { type ColumnSet, columnNamed, valueAt } from '../../../market/columns.ts';
import { nsPerSecond } from '../../../market/time.ts';
import { type HttpContext, requires } from '../context.ts';
import { letRead } from '../cross-origin.ts';
import { answerOf, wireError } from '../error-map.ts';
import { rollupsOf, symbolFilter } from '../series-parameters.ts';
import { findSymbols } from './symbols.ts';
import { resolutionsFrom, timeframeOf } from './udf-resolutions.ts';

/** Bars of one answer at the most; the library asks again for older ones. */
const barsMax = 50_000;

interface HistoryQuery {
  symbol: string;
  resolution: string;
  from: number;
  to: number;
  countback?: number;
}

const text = { type: 'string' };
const unixSeconds = { type: 'integer', minimum: -9_214_560_000, maximum: 9_214_646_399 };

/** Registers the routes. */
export function udfRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database, clock, log } = context;
  letRead(app, context.allowedOrigins);
  // The library shows `errmsg`; the rest is what every other route answers.
  app.setErrorHandler((thrown, _request, reply) => {
    const { error, status } = answerOf(thrown);
    log.info({ code: error.code }, error.message);
    return reply.code(status).send({ s: 'error', errmsg: error.message, ...wireError(error) });
  });
  const options = (required: string[], properties: Record<string, object>) => ({
    onRequest: requires(context, 'read'),
    schema: { hide: true, querystring: { type: 'object', required, properties } },
  });
  // What goes wrong is told in the protocol's own form, and written to the log as on any other route.
  const orError = async (answer: () => unknown): Promise<unknown> => {
    try {
      return await answer();
    } catch (thrown) {
      const error = toCandelaError(thrown);
      if (error.kind === 'internal') log.error({ err: thrown }, 'UDF request failed');
      else log.info({ code: error.code }, error.message);
      return { s: 'error', errmsg: error.message };
    }
  };
  app.get('/config', options([], {}), async () => config(database));
  app.get('/time', options([], {}), async (_request, reply) =>
    reply.type('text/plain').send(String(Math.floor(clock.nowMs() / 1000))),
  );
  app.get<{ Querystring: { symbol: string } }>(
    '/symbols',
    options(['symbol'], { symbol: text }),
    ({ query }) => orError(() => symbolInfo(database, resolveSymbol(database, query.symbol))),
  );
  const searched = {
    query: text,
    type: text,
    exchange: text,
    limit: { type: 'integer', minimum: 1, maximum: 1_000 },
  };
  app.get<{ Querystring: { query?: string; exchange?: string; limit?: number } }>(
    '/search',
    options([], searched),
    async ({ query }) => search(database, query.query ?? '', query.exchange ?? '', query.limit ?? 30),
  );
  const ranged = {
    symbol: text,
    resolution: text,
    from: unixSeconds,
    to: unixSeconds,
    countback: { type: 'integer', minimum: 0 },
  };
  app.get<{ Querystring: HistoryQuery }>(
    '/history',
    options(['symbol', 'resolution', 'from', 'to'], ranged),
    ({ query }) => orError(() => history(database, query)),
  );
}

function config(database: Database): Record<string, unknown> {
  const tables = chartTables(database);
  return {
    supports_search: true,
    supports_group_request: false,
    supports_marks: false,
    supports_timescale_marks: false,
    supports_time: true,
    supported_resolutions: resolutionsFrom(tables.flatMap(({ timeframes }) => timeframes)),
    exchanges: tables.map(({ table: { name } }) => ({ value: name, name, desc: name })),
    symbols_types: [],
  };
}

/** A ticks table, and the timeframes of its rollups that hold prices to draw. */
interface ChartTable {
  table: TableInfo;
  timeframes: string[];
}

function chartTables(database: Database): ChartTable[] {
  const isDrawable = ({ columns }: TableInfo): boolean =>
    ['open', 'high', 'low', 'close'].every((wanted) => columns.some(({ name }) => name === wanted));
  return database
    .tables()
    .filter(({ kind, seriesKey }) => kind === 'ticks' && seriesKey.length > 0)
    .map((table) => {
      const rollups = rollupsOf(database, table).filter(({ info }) => isDrawable(info));
      return { table, timeframes: rollups.map(({ timeframe }) => timeframe) };
    })
    .filter(({ timeframes }) => timeframes.length > 0);
}

interface Symbol extends ChartTable {
  symbol: string;
}

function resolveSymbol(database: Database, wanted: string): Symbol {
  const tables = chartTables(database);
  const colon = wanted.indexOf(':');
  const named = colon < 0 ? undefined : tables.find(({ table }) => table.name === wanted.slice(0, colon));
  const symbol = named ? wanted.slice(colon + 1) : wanted;
  const found = (named ? [named] : tables).find(({ table }) =>
    database
      .series(table.name, symbolFilter(table, [symbol]))
      .some(({ key }) => String(key[table.seriesKey[0]]) === symbol),
  );
  if (found) return { ...found, symbol };
  throw new CandelaError('SERIES_NOT_FOUND', `unknown symbol '${wanted}'`);
}

function symbolInfo(database: Database, { table, timeframes, symbol }: Symbol): Record<string, unknown> {
  const supported = resolutionsFrom(timeframes);
  const latest = database.latest(table.name, symbolFilter(table, [symbol]));
  return {
    name: symbol,
    ticker: `${table.name}:${symbol}`,
    description: symbol,
    type: '',
    exchange: table.name,
    listed_exchange: table.name,
    session: '24x7',
    timezone: 'Etc/UTC',
    format: 'price',
    minmov: 1,
    pricescale: priceScale(latest),
    has_intraday: supported.some((name) => /^\d+S?$/.test(name)),
    has_seconds: supported.some((name) => name.endsWith('S')),
    has_daily: supported.some((name) => name.endsWith('D')),
    has_weekly_and_monthly: supported.some((name) => /[WM]$/.test(name)),
    supported_resolutions: supported,
    intraday_multipliers: supported.filter((name) => /^\d+$/.test(name)),
    seconds_multipliers: supported.flatMap((name) => (name.endsWith('S') ? [name.slice(0, -1)] : [])),
    data_status: 'streaming',
  };
}

/** Power of ten that shows the latest price whole, at least cents. */
function priceScale(latest: ColumnSet): number {
  const column = latest.columns.find(({ kind }) => kind === 'double' || kind === 'decimal');
  const price = column && latest.rowCount > 0 ? valueAt(column, 0) : null;
  const decimals =
    typeof price === 'object' && price !== null
      ? price.scale
      : typeof price === 'number'
        ? (String(price).split('.')[1]?.length ?? 0)
        : 2;
  return 10 ** Math.min(Math.max(decimals, 2), 8);
}

async function search(
  database: Database,
  wanted: string,
  exchange: string,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const { table } of chartTables(database)) {
    if ((exchange !== '' && table.name !== exchange) || found.length >= limit) continue;
    const { symbols } = await findSymbols(database, table.name, wanted, limit - found.length);
    for (const { symbol, name } of symbols) {
      const ticker = `${table.name}:${symbol}`;
      const description = name ?? symbol;
      found.push({ symbol, full_name: ticker, ticker, description, exchange: table.name, type: '' });
    }
  }
  return found;
}

async function history(database: Database, query: HistoryQuery): Promise<Record<string, unknown>> {
  const { table, timeframes, symbol } = resolveSymbol(database, query.symbol);
  const timeframe = supportedTimeframe(query.resolution, timeframes);
  const fromNs = BigInt(query.from) * nsPerSecond;
  const toNs = BigInt(query.to) * nsPerSecond;
  // The library finds gaps by itself, and holes are told it by `nextTime`.
  const gaps = 'none';
  const request = { table: table.name, timeframe, series: symbolFilter(table, [symbol]), gaps } as const;
  // `countback` outranks `from`: so many bars before `to`, however old.
  const count = Math.min(query.countback ?? 0, barsMax);
  const bars =
    count > 0
      ? await database.bars({ ...request, toNs, order: 'desc', limit: count })
      : await database.bars({ ...request, fromNs, toNs, limit: barsMax });
  if (bars.rowCount > 0) return historyAnswer(bars, table, count > 0);
  const before = await database.bars({ ...request, toNs: fromNs, order: 'desc', limit: 1 });
  if (before.rowCount === 0) return { s: 'no_data' };
  return { s: 'no_data', nextTime: seconds(before, table)[0] };
}

/** The resolution as a timeframe, if it is one of those that the configuration names. */
function supportedTimeframe(resolution: string, stored: readonly string[]): string {
  const supported = resolutionsFrom(stored);
  const timeframe = timeframeOf(resolution);
  if (timeframe !== undefined && supported.some((name) => timeframeOf(name) === timeframe)) return timeframe;
  throw new CandelaError(
    'TIMEFRAME_NOT_FOUND',
    `'${resolution}' is not a resolution here: there are ${supported.join(', ')}`,
  );
}

function historyAnswer(bars: ColumnSet, table: TableInfo, isReversed: boolean): Record<string, unknown> {
  const inOrder = <T>(values: T[]): T[] => (isReversed ? values.reverse() : values);
  const list = (name: string): (number | null)[] => inOrder(numbers(bars, name));
  const answer = { s: 'ok', t: inOrder(seconds(bars, table)) };
  const prices = { o: list('open'), h: list('high'), l: list('low'), c: list('close') };
  if (!columnNamed(bars, 'volume')) return { ...answer, ...prices };
  return { ...answer, ...prices, v: list('volume').map((volume) => volume ?? 0) };
}

function numbers(bars: ColumnSet, name: string): (number | null)[] {
  const column = columnNamed(bars, name);
  return Array.from({ length: bars.rowCount }, (_, row) => {
    const value = column ? valueAt(column, row) : null;
    if (value === null) return null;
    return typeof value === 'object' ? Number(value.coefficient) / 10 ** value.scale : Number(value);
  });
}

function seconds(bars: ColumnSet, table: TableInfo): number[] {
  const column = columnNamed(bars, table.timeColumn ?? '');
  return column?.kind === 'timestamp' ? Array.from(column.values, (time) => Number(time / nsPerSecond)) : [];
}
