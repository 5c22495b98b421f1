/** Tables, rollups and candles. */
import type { FastifyInstance } from 'fastify';
import type { Database, TableChange, TableInfo } from '../../../engine/database.ts';
import type { CandlesDef, RollupDef, TableDef } from '../../../market/schema.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { Schema } from '../schemas.ts';
import { answers } from '../schemas.ts';
import { tableNamed, timeframesOf } from '../series-parameters.ts';
import type { WireTable } from '../wire.ts';

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
  readRoutes(app, context);
  changeRoutes(app, context);
  createRoutes(app, context);
}

const tags = ['tables'];

function readRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const onRequest = requires(context, 'read');
  const list = {
    tags,
    summary: 'List tables and rollups',
    response: answers('Tables.', { tables: { type: 'array', items: { type: 'object' } } }),
  };
  app.get('/tables', { onRequest, schema: list }, async () => ({
    tables: database.tables().map((table) => wireTable(database, table)),
  }));
  const one = { tags, summary: 'One table', params: nameParameter, response: answers('The table.') };
  app.get<{ Params: { name: string } }>('/tables/:name', { onRequest, schema: one }, async ({ params }) =>
    wireTable(database, tableNamed(database, params.name)),
  );
}

function changeRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const onRequest = requires(context, 'admin');
  const addColumn = definition('The column.', { name: 'venue', type: { kind: 'text' } });
  const retention = {
    type: ['string', 'null'],
    description: 'Such as 30d; null: for ever. Rollups take it, too.',
    examples: ['30d'],
  };
  const change = {
    tags,
    summary: 'Add a nullable column, or set how long rows are kept',
    params: nameParameter,
    body: { type: 'object', minProperties: 1, properties: { addColumn, retention } },
    response: answers('The table.'),
  };
  app.patch<{ Params: { name: string }; Body: TableChange }>(
    '/tables/:name',
    { onRequest, schema: change },
    async ({ params, body }) => wireTable(database, await database.alterTable(params.name, body)),
  );
  const drop = {
    tags,
    summary: 'Drop a table or rollup',
    params: nameParameter,
    response: answers('Empty.'),
  };
  app.delete<{ Params: { name: string } }>(
    '/tables/:name',
    { onRequest, schema: drop },
    async ({ params }) => {
      await database.dropTable(params.name);
      return {};
    },
  );
}

function createRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const options = (summary: string, body: Schema, answer: string) => ({
    onRequest: requires(context, 'admin'),
    schema: { tags, summary, body, response: answers(answer) },
  });
  const table = options('Create a table', definition('The table.', tableExample), 'The table.');
  app.post<{ Body: TableDef }>('/tables', table, async ({ body }) =>
    wireTable(database, await database.createTable(body)),
  );
  const rollup = options('Create a rollup', definition('The rollup.', rollupExample), 'The rollup.');
  app.post<{ Body: RollupDef }>('/rollups', rollup, async ({ body }) =>
    wireTable(database, await database.createRollup(withAggregates(body))),
  );
  const text = 'Create candles of several timeframes';
  const candles = options(text, definition('The candles.', candlesExample), 'The rollups.');
  app.post<{ Body: CandlesDef }>('/candles', candles, async ({ body }) => {
    const made = await database.createCandles({ ...body, timeframes: body.timeframes ?? [] });
    return { tables: made.map((info) => wireTable(database, info)) };
  });
}

function withAggregates(body: RollupDef): RollupDef {
  return { ...body, aggregates: Array.isArray(body.aggregates) ? body.aggregates : [] };
}

function wireTable(database: Database, table: TableInfo): WireTable {
  const { backfill } = table;
  return {
    ...table,
    timeframes: table.kind === 'ticks' ? timeframesOf(database, table) : [],
    backfill: backfill && { doneDownToNs: String(backfill.doneDownToNs) },
  };
}
