/** Rows taken away, and bars made again. */
import type { FastifyInstance } from 'fastify';
import { decodeJson } from '../../../codecs/decode/decode-json.ts';
import { CandelaError } from '../../../core/errors.ts';
import type { DeleteRequest, TableInfo } from '../../../engine/database.ts';
import { type Scalar, valueAt } from '../../../market/columns.ts';
import { parseTimeNs } from '../../../market/time.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { answers, rangeParameters, type Schema } from '../schemas.ts';
import { seriesFilter, tableNamed } from '../series-parameters.ts';

const tableName: Schema = {
  type: 'object',
  properties: { name: { type: 'string', description: 'Name of the table.', examples: ['trades'] } },
};

const { symbol, from, to } = rangeParameters;

interface DeleteQuery {
  from?: string;
  to?: string;
  where?: string;
  all?: boolean;
  [key: string]: unknown;
}

/** Registers the routes. */
export function amendRoutes(app: FastifyInstance, context: HttpContext): void {
  deleteRoute(app, context);
  refreshRoute(app, context);
}

function deleteRoute(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const where: Schema = {
    type: 'string',
    description: 'JSON object: columns and the values they must have, null for missing.',
    examples: ['{"trade_id": 5}'],
  };
  const all: Schema = {
    type: 'boolean',
    description: 'Must be true to delete without any condition.',
    examples: [true],
  };
  app.delete<{ Params: { name: string }; Querystring: DeleteQuery }>(
    '/tables/:name/rows',
    {
      onRequest: requires(context, 'write'),
      schema: {
        tags: ['rows'],
        summary: 'Delete rows, and take them out of every bar',
        description: 'All conditions hold at once. Answers when the rows are gone for good.',
        params: tableName,
        querystring: {
          type: 'object',
          properties: { symbol, from, to, where, all },
          additionalProperties: true,
        },
        response: answers('The rows are gone.', {
          lsn: { type: 'integer', description: 'Position in the log.' },
          rowCount: { type: 'integer', description: 'Rows deleted.' },
        }),
      },
    },
    async (request) => {
      const table = tableNamed(database, request.params.name);
      const wanted = deleteRequest(table, request.query);
      if (Object.keys(wanted).length === 0 && request.query.all !== true) {
        throw new CandelaError('INVALID_ARGUMENT', `every row of '${table.name}' would be deleted`, {
          help: 'Say which rows by symbol, from, to or where; or confirm with all=true.',
        });
      }
      return database.deleteRows(table.name, wanted);
    },
  );
}

function deleteRequest(table: TableInfo, query: DeleteQuery): DeleteRequest {
  const known = ['symbol', 'from', 'to', 'where', 'all'];
  const series = seriesFilter(table, query, known);
  const where = query.where === undefined ? {} : conditions(table, query.where);
  return {
    ...(Object.keys(series).length > 0 ? { series } : {}),
    ...(query.from === undefined ? {} : { fromNs: parseTimeNs(query.from) }),
    ...(query.to === undefined ? {} : { toNs: parseTimeNs(query.to) }),
    ...(Object.keys(where).length > 0 ? { where } : {}),
  };
}

/** The values as a row of the table would have them. */
function conditions(table: TableInfo, text: string): Record<string, Scalar> {
  const { batch, rejected } = decodeJson(table, Buffer.from(`[${text}]`), { rowsMax: 1 });
  const [refused] = rejected;
  if (refused)
    throw new CandelaError('INVALID_ARGUMENT', `where: ${refused.column ?? 'it'} ${refused.reason}`);
  if (batch.rowCount !== 1) throw new CandelaError('INVALID_ARGUMENT', 'where is not one JSON object');
  const names = Object.keys(JSON.parse(text) as object);
  return Object.fromEntries(
    names.map((name) => [name, batch.columns[name] ? valueAt(batch.columns[name], 0) : null]),
  );
}

function refreshRoute(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  app.post<{ Params: { name: string }; Querystring: { from?: string; to?: string } }>(
    '/tables/:name/refresh',
    {
      onRequest: requires(context, 'admin'),
      schema: {
        tags: ['tables'],
        summary: 'Make bars again from the ticks',
        description: 'Of a ticks table all rollups, of a rollup also the levels below and above it.',
        params: tableName,
        querystring: { type: 'object', properties: { from, to }, additionalProperties: false },
        response: answers('The bars are what their ticks make them.', {
          bars: { type: 'integer', description: 'Bars looked at, in all levels.' },
          changed: { type: 'integer', description: 'Bars that were other.' },
          skipped: {
            type: 'integer',
            description: 'Bars left as they are: retention has dropped some of their ticks.',
          },
        }),
      },
    },
    async ({ params, query }) =>
      database.refresh({
        table: params.name,
        ...(query.from === undefined ? {} : { fromNs: parseTimeNs(query.from) }),
        ...(query.to === undefined ? {} : { toNs: parseTimeNs(query.to) }),
      }),
  );
}
