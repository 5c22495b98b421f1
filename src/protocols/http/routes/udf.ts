/**
 * TradingView's UDF data feed (`/udf/config`, `/symbols`, `/search`, `/history`, `/time`), so that its charting library
 * reads Candela directly. A symbol is `table:SYMBOL`, or just the symbol where one table has it.
 */
import type { FastifyInstance } from 'fastify';
import { toCandelaError } from '../../../core/errors.ts';
import type { Database, TableInfo } from '../../../engine/database.ts';
import type { ColumnSet } from '../../../market/columns.ts';
import { columnNamed, valueAt } from '../../../market/columns.ts';
import { nsPerSecond } from '../../../market/time.ts';
import { parseTimeframe } from '../../../market/timeframe.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { symbolFilter, timeframesOf } from '../series-parameters.ts';
import { findSymbols } from './tables.ts';

interface HistoryQuery {
  symbol: string;
  resolution: string;
  from: string;
  to: string;
  countback?: string;
}

/** What the library calls a resolution, as a timeframe: minutes, or with a letter seconds, days, weeks, months. */
function timeframeOf(resolution: string): string {
  const parts = /^(\d*)([SDWM]?)$/.exec(resolution.toUpperCase());
  const unit = { S: 's', D: 'd', W: 'w', M: 'mo', '': 'm' }[parts?.[2] ?? ''] ?? 'm';
  return `${parts?.[1] || '1'}${unit}`;
}

/** The inverse; null for timeframes that the library has no name for. */
function resolutionOf(timeframe: string): string | null {
  const { text, widthNs, months } = parseTimeframe(timeframe);
  if (months > 0) return `${months}M`;
  if (text.endsWith('w')) return `${Number.parseInt(text, 10)}W`;
  if (text.endsWith('d')) return `${Number.parseInt(text, 10)}D`;
  const seconds = widthNs / 1e9;
  if (seconds % 60 === 0) return String(seconds / 60);
  return Number.isInteger(seconds) ? `${seconds}S` : null;
}

/** Registers the routes. */
export function udfRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database, clock } = context;
  const options = { onRequest: requires(context, 'read'), schema: { hide: true } };
  app.get('/config', options, async () => ({
    supports_search: true,
    supports_group_request: false,
    supports_marks: false,
    supports_timescale_marks: false,
    supports_time: true,
    supported_resolutions: resolutions(database, chartTables(database)),
    exchanges: chartTables(database).map(({ name }) => ({ value: name, name, desc: name })),
    symbols_types: [],
  }));
  app.get('/time', options, async (_request, reply) =>
    reply.type('text/plain').send(String(Math.floor(clock.nowMs() / 1000))),
  );
  app.get<{ Querystring: { symbol: string } }>('/symbols', options, async ({ query }, reply) => {
    const found = resolveSymbol(database, query.symbol ?? '');
    return found ? symbolInfo(database, found) : reply.send({ s: 'error', errmsg: 'unknown_symbol' });
  });
  app.get<{ Querystring: { query?: string; exchange?: string; limit?: string } }>(
    '/search',
    options,
    async ({ query }) =>
      search(database, query.query ?? '', query.exchange ?? '', Math.min(Number(query.limit) || 30, 1_000)),
  );
  app.get<{ Querystring: HistoryQuery }>('/history', options, async ({ query }) => {
    try {
      return await history(database, query);
    } catch (error) {
      return { s: 'error', errmsg: toCandelaError(error).message };
    }
  });
}

function chartTables(database: Database): TableInfo[] {
  return database
    .tables()
    .filter((table) => table.kind === 'ticks' && timeframesOf(database, table).length > 0);
}

function resolutions(database: Database, tables: TableInfo[]): string[] {
  const names = tables.flatMap((table) => timeframesOf(database, table)).map(resolutionOf);
  return [...new Set(names.filter((name) => name !== null))];
}

interface Symbol {
  table: TableInfo;
  symbol: string;
}

function resolveSymbol(database: Database, text: string): Symbol | undefined {
  const tables = chartTables(database);
  const colon = text.indexOf(':');
  const named = colon < 0 ? undefined : tables.find(({ name }) => name === text.slice(0, colon));
  const symbol = named ? text.slice(colon + 1) : text;
  const table = (named ? [named] : tables).find(
    (candidate) =>
      candidate.seriesKey.length > 0 &&
      database.series(candidate.name, symbolFilter(candidate, [symbol])).length > 0,
  );
  return table && { table, symbol };
}

function symbolInfo(database: Database, { table, symbol }: Symbol): Record<string, unknown> {
  const supported = resolutions(database, [table]);
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
    has_intraday: true,
    has_seconds: supported.some((name) => name.endsWith('S')),
    has_daily: true,
    has_weekly_and_monthly: supported.some((name) => /[WM]$/.test(name)),
    supported_resolutions: supported,
    intraday_multipliers: supported.filter((name) => /^\d+$/.test(name)),
    seconds_multipliers: supported.flatMap((name) => (name.endsWith('S') ? [name.slice(0, -1)] : [])),
    data_status: 'streaming',
  };
}

/** Power of ten that shows the latest price whole, at least cents. */
function priceScale(latest: ColumnSet): number {
  const index = latest.columns.findIndex((column) => column.kind === 'double');
  const price = index < 0 || latest.rowCount === 0 ? null : valueAt(latest.columns[index], 0);
  const decimals = typeof price === 'number' ? (String(price).split('.')[1]?.length ?? 0) : 2;
  return 10 ** Math.min(Math.max(decimals, 2), 8);
}

async function search(
  database: Database,
  text: string,
  exchange: string,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (const table of chartTables(database)) {
    if (exchange !== '' && table.name !== exchange) continue;
    const { symbols } = await findSymbols(database, table.name, text);
    for (const { symbol, name } of symbols) {
      const ticker = `${table.name}:${symbol}`;
      found.push({
        symbol,
        full_name: ticker,
        ticker,
        description: name ?? symbol,
        exchange: table.name,
        type: '',
      });
    }
  }
  return found.slice(0, limit);
}

async function history(database: Database, query: HistoryQuery): Promise<Record<string, unknown>> {
  const found = resolveSymbol(database, query.symbol ?? '');
  if (!found) return { s: 'error', errmsg: 'unknown_symbol' };
  const from = BigInt(Math.floor(Number(query.from) || 0)) * nsPerSecond;
  const to = BigInt(Math.floor(Number(query.to) || 0)) * nsPerSecond;
  const count = Number(query.countback) || 0;
  const request = {
    table: found.table.name,
    timeframe: timeframeOf(query.resolution ?? ''),
    series: symbolFilter(found.table, [found.symbol]),
  };
  // `countback` outranks `from`: so many bars before `to`, however old.
  const bars =
    count > 0
      ? await database.bars({ ...request, toNs: to, order: 'desc', limit: Math.min(count, 50_000) })
      : await database.bars({ ...request, fromNs: from, toNs: to, limit: 50_000 });
  if (bars.rowCount > 0) return historyAnswer(bars, found.table, count > 0);
  const before = await database.bars({ ...request, toNs: from, order: 'desc', limit: 1 });
  if (before.rowCount === 0) return { s: 'no_data' };
  return { s: 'no_data', nextTime: seconds(before, found.table)[0] };
}

function historyAnswer(bars: ColumnSet, table: TableInfo, isReversed: boolean): Record<string, unknown> {
  const list = (name: string): (number | null)[] => {
    const column = columnNamed(bars, name);
    const values = Array.from({ length: bars.rowCount }, (_, row) => {
      const value = column ? valueAt(column, row) : null;
      if (value === null) return null;
      return typeof value === 'object' ? Number(value.coefficient) / 10 ** value.scale : Number(value);
    });
    return isReversed ? values.reverse() : values;
  };
  const t = seconds(bars, table);
  return {
    s: 'ok',
    t: isReversed ? t.reverse() : t,
    o: list('open'),
    h: list('high'),
    l: list('low'),
    c: list('close'),
    v: list('volume').map((volume) => volume ?? 0),
  };
}

function seconds(bars: ColumnSet, table: TableInfo): number[] {
  const column = columnNamed(bars, table.timeColumn ?? '');
  return column?.kind === 'timestamp' ? Array.from(column.values, (time) => Number(time / nsPerSecond)) : [];
}
