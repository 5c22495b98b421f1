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
import {
  addedColumn,
  candlesDefinition,
  changedDedup,
  rollupDefinition,
  shownTable,
  tableDefinition,
} from './definition-schemas.ts';

const nameParameter: Schema = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Name of the table.', examples: ['stocks_real_time'] } },
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
    response: answers('Tables.', {
      tables: { type: 'array', items: { type: 'object', properties: shownTable } },
    }),
  };
  app.get('/tables', { onRequest, schema: list }, async () => ({
    tables: database.tables().map((table) => wireTable(database, table)),
  }));
  const one = {
    tags,
    summary: 'One table',
    params: nameParameter,
    response: answers('The table.', shownTable),
  };
  app.get<{ Params: { name: string } }>('/tables/:name', { onRequest, schema: one }, async ({ params }) =>
    wireTable(database, tableNamed(database, params.name)),
  );
}

function changeRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const onRequest = requires(context, 'admin');
  const retention = {
    type: ['string', 'null'],
    description: 'Such as 30d; null: for ever. Rollups take it, too.',
    examples: ['30d'],
  };
  const coldAfter = {
    type: ['string', 'null'],
    description: 'Ticks tables: when rows go to files, such as 90d; null: never.',
    examples: ['90d'],
  };
  const roles = {
    type: 'object',
    additionalProperties: { enum: ['price', 'size', null] },
    description: 'Tables: which columns are prices and sizes, for adjusted reads; null: neither.',
    examples: [{ price: 'price', size: 'size' }],
  };
  const gaps = {
    type: 'string',
    enum: ['none', 'flat', 'null'],
    description: 'Rollups: bars that reads make up for empty buckets.',
    examples: ['flat'],
  };
  const change = {
    tags,
    summary: 'Add a nullable column, or set how rows are kept, told apart and read',
    params: nameParameter,
    body: {
      type: 'object',
      minProperties: 1,
      properties: { addColumn: addedColumn, retention, coldAfter, dedup: changedDedup, roles, gaps },
      additionalProperties: false,
    },
    response: answers('The table.', shownTable),
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
  const options = (summary: string, body: Schema, response: Schema) => ({
    onRequest: requires(context, 'admin'),
    schema: { tags, summary, body, response },
  });
  const table = options('Create a table', tableDefinition, answers('The table.', shownTable));
  app.post<{ Body: TableDef }>('/tables', table, async ({ body }) =>
    wireTable(database, await database.createTable(body)),
  );
  const rollup = options('Create a rollup', rollupDefinition, answers('The rollup.', shownTable));
  app.post<{ Body: RollupDef }>('/rollups', rollup, async ({ body }) =>
    wireTable(database, await database.createRollup(body)),
  );
  const made = { tables: { type: 'array', items: { type: 'object', properties: shownTable } } };
  const text = 'Create candles of several timeframes';
  const candles = options(text, candlesDefinition, answers('The rollups.', made));
  app.post<{ Body: CandlesDef }>('/candles', candles, async ({ body }) => ({
    tables: (await database.createCandles(body)).map((info) => wireTable(database, info)),
  }));
}

function wireTable(database: Database, table: TableInfo): WireTable {
  const { backfill } = table;
  return {
    ...table,
    timeframes: table.kind === 'ticks' ? timeframesOf(database, table) : [],
    backfill: backfill && { doneDownToNs: String(backfill.doneDownToNs) },
  };
}
