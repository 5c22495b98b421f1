/** Tables, rollups, candles and symbols. */
import type { FastifyInstance } from 'fastify';
import type { Database, TableChange, TableInfo } from '../../../engine/database.ts';
import { columnNamed, valueAt } from '../../../market/columns.ts';
import type { CandlesDef, RollupDef, TableDef } from '../../../market/schema.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { Schema } from '../schemas.ts';
import { answers } from '../schemas.ts';
import { tableNamed, timeframesOf } from '../series-parameters.ts';
import type { WireSymbols, WireTable } from '../wire.ts';

const nameParameter: Schema = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Name of the table.', examples: ['stocks_real_time'] } },
};

/** An object whose fields the engine checks, so that its error names the one at fault. */
function definition(description: string, example: unknown): Schema {
  return { type: 'object', description, additionalProperties: true, examples: [example] };
}

const tableExample: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'double' } },
  ],
};

const rollupExample: RollupDef = {
  name: 'trades_5m',
  source: 'trades_1m',
  timeframe: '5m',
  aggregates: [
    { name: 'high', fn: 'max', of: 'high' },
    { name: 'volume', fn: 'sum', of: 'volume' },
  ],
};

const candlesExample: CandlesDef = {
  source: 'trades',
  price: 'price',
  volume: 'size',
  timeframes: ['1s', '1m', '1h', '1d'],
};

/** Registers the routes. */
export function tableRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const read = { onRequest: requires(context, 'read') };
  const admin = { onRequest: requires(context, 'admin') };
  const tags = ['tables'];

  app.get(
    '/tables',
    { ...read, schema: { tags, summary: 'List tables and rollups', response: answers('Tables.') } },
    async () => ({
      tables: database.tables().map((table) => wireTable(database, table)),
    }),
  );
  app.get<{ Params: { name: string } }>(
    '/tables/:name',
    {
      ...read,
      schema: { tags, summary: 'One table', params: nameParameter, response: answers('The table.') },
    },
    async ({ params }) => wireTable(database, tableNamed(database, params.name)),
  );
  app.post<{ Body: TableDef }>(
    '/tables',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Create a table',
        body: definition('The table.', tableExample),
        response: answers('The table.'),
      },
    },
    async ({ body }) => wireTable(database, await database.createTable(body)),
  );
  app.patch<{ Params: { name: string }; Body: TableChange }>(
    '/tables/:name',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Add a nullable column',
        params: nameParameter,
        body: {
          type: 'object',
          required: ['addColumn'],
          properties: { addColumn: definition('The column.', { name: 'venue', type: { kind: 'text' } }) },
        },
        response: answers('The table.'),
      },
    },
    async ({ params, body }) => wireTable(database, await database.alterTable(params.name, body)),
  );
  app.delete<{ Params: { name: string } }>(
    '/tables/:name',
    {
      ...admin,
      schema: { tags, summary: 'Drop a table or rollup', params: nameParameter, response: answers('Empty.') },
    },
    async ({ params }) => {
      await database.dropTable(params.name);
      return {};
    },
  );
  app.post<{ Body: RollupDef }>(
    '/rollups',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Create a rollup',
        body: definition('The rollup.', rollupExample),
        response: answers('The rollup.'),
      },
    },
    async ({ body }) => wireTable(database, await database.createRollup(withAggregates(body))),
  );
  app.post<{ Body: CandlesDef }>(
    '/candles',
    {
      ...admin,
      schema: {
        tags,
        summary: 'Create candles of several timeframes',
        body: definition('The candles.', candlesExample),
        response: answers('The rollups.'),
      },
    },
    async ({ body }) => ({
      tables: (await database.createCandles({ ...body, timeframes: body.timeframes ?? [] })).map((table) =>
        wireTable(database, table),
      ),
    }),
  );
  symbolRoute(app, context);
}

function withAggregates(body: RollupDef): RollupDef {
  return { ...body, aggregates: Array.isArray(body.aggregates) ? body.aggregates : [] };
}

function wireTable(database: Database, table: TableInfo): WireTable {
  return { ...table, timeframes: table.kind === 'ticks' ? timeframesOf(database, table) : [] };
}

function symbolRoute(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  app.get<{ Querystring: { table: string; q?: string } }>(
    '/symbols',
    {
      onRequest: requires(context, 'read'),
      schema: {
        tags: ['tables'],
        summary: 'Series of a table',
        querystring: {
          type: 'object',
          required: ['table'],
          properties: {
            table: { type: 'string', examples: ['stocks_real_time'] },
            q: { type: 'string', description: 'Part of the symbol or name, in any case.', examples: ['btc'] },
          },
        },
        response: answers('Symbols.'),
      },
    },
    async ({ query }) => findSymbols(database, query.table, query.q),
  );
}

/**
 * Series of a table whose symbol or company name contains `text`, in any case. Names come from the plain table
 * `company`, if there is one.
 */
export async function findSymbols(database: Database, table: string, text = ''): Promise<WireSymbols> {
  const names = await companyNames(database);
  const wanted = text.toLowerCase();
  const symbols = database.series(table).map(({ key }) => {
    const texts = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, String(value)]));
    const symbol = Object.values(texts)[0] ?? '';
    return { symbol, key: texts, name: names.get(symbol) ?? null };
  });
  return {
    symbols: symbols.filter(({ symbol, name }) => `${symbol}\n${name ?? ''}`.toLowerCase().includes(wanted)),
  };
}

async function companyNames(database: Database): Promise<Map<string, string>> {
  const table = database.table('company');
  const isFit =
    table?.kind === 'plain' &&
    ['symbol', 'name'].every((wanted) => table.columns.some(({ name }) => name === wanted));
  if (!isFit) return new Map();
  const rows = await database.read({ table: 'company', columns: ['symbol', 'name'] });
  const [symbols, names] = ['symbol', 'name'].map((name) => columnNamed(rows, name));
  if (!symbols || !names) return new Map();
  return new Map(
    Array.from({ length: rows.rowCount }, (_, row) => [
      String(valueAt(symbols, row)),
      String(valueAt(names, row) ?? ''),
    ]),
  );
}
