/** SQL, read-only. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CandelaError } from '../../../core/errors.ts';
import type { Scalar } from '../../../market/columns.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { RowsAnswer } from '../respond.ts';
import { sendRows } from '../respond.ts';
import type { Schema } from '../schemas.ts';
import { rangeParameters, rowAnswers } from '../schemas.ts';

interface SqlRequest extends RowsAnswer {
  sql: string;
  parameters?: Scalar[];
  rowsMax?: number;
  timeoutMs?: number;
}

const bounds: Record<string, Schema> = {
  rowsMax: {
    type: 'integer',
    minimum: 1,
    description: 'Rows at the most; `truncated` tells if there were more.',
    examples: [1_000],
  },
  timeoutMs: { type: 'integer', minimum: 1, description: 'Time at the most.', examples: [5_000] },
  format: rangeParameters.format,
  time: rangeParameters.time,
};

/** Registers the routes. */
export function sqlRoutes(app: FastifyInstance, context: HttpContext): void {
  const onRequest = requires(context, 'read');
  const response = rowAnswers({
    names: { type: 'array', items: { type: 'string' } },
    types: { type: 'array', items: { type: 'string' }, description: 'SQL types, such as DOUBLE.' },
    truncated: { type: 'boolean', description: 'There were more rows than rowsMax.' },
  });
  const example = 'select symbol, max(high) from stocks_real_time_1m group by symbol';
  app.post<{ Body: SqlRequest }>(
    '/sql',
    {
      onRequest,
      schema: {
        tags: ['sql'],
        summary: 'Run one query over tables and rollups',
        body: {
          type: 'object',
          required: ['sql'],
          properties: {
            sql: { type: 'string', description: 'One read-only statement.', examples: [example] },
            parameters: {
              type: 'array',
              items: {},
              description: 'Values for $1, $2, …',
              examples: [['AAPL']],
            },
            ...bounds,
          },
          additionalProperties: false,
        },
        response,
      },
    },
    (request, reply) => run(context, request, reply, request.body),
  );
  app.get<{ Querystring: Omit<SqlRequest, 'sql'> & { q: string } }>(
    '/sql',
    {
      onRequest,
      schema: {
        tags: ['sql'],
        summary: 'Run one query given in the address',
        querystring: {
          type: 'object',
          required: ['q'],
          properties: {
            q: { type: 'string', description: 'One read-only statement.', examples: [example] },
            ...bounds,
          },
          additionalProperties: false,
        },
        response,
      },
    },
    (request, reply) => run(context, request, reply, { ...request.query, sql: request.query.q }),
  );
}

async function run(
  { database, limits }: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: SqlRequest,
): Promise<FastifyReply> {
  const parameters = (asked.parameters ?? []).map(checkParameter);
  const result = await database.sql(asked.sql, {
    parameters,
    rowsMax: Math.min(asked.rowsMax ?? limits.sqlRowsMax, limits.rowsMax),
    timeoutMs: Math.min(asked.timeoutMs ?? limits.sqlTimeoutMs, limits.sqlTimeoutMs),
  });
  // Objects cannot hold a name twice: `select 1 as a, 2 as a` answers with a and a_2.
  const names = uniqueNames(result.names);
  const { types, truncated } = result;
  return sendRows(request, reply, { ...result, names }, asked, { names, types, truncated });
}

function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names);
  return names.map((name, i) => {
    if (names.indexOf(name) === i) return name;
    let count = 2;
    while (taken.has(`${name}_${count}`)) count++;
    taken.add(`${name}_${count}`);
    return `${name}_${count}`;
  });
}

function checkParameter(value: Scalar, index: number): Scalar {
  if (value === null || ['number', 'string', 'boolean'].includes(typeof value)) return value;
  throw new CandelaError(
    'INVALID_ARGUMENT',
    `SQL parameter ${index + 1} is neither a number, a string, a boolean nor null`,
  );
}
