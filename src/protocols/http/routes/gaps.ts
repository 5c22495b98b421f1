/** The gap report. */
import type { FastifyInstance } from 'fastify';
import { CandelaError } from '../../../core/errors.ts';
import type { GapsRequest } from '../../../engine/database.ts';
import type { WeekStart } from '../../../market/bucketing.ts';
import { bucketingOptions } from '../../../market/bucketing.ts';
import { parseTimeNs } from '../../../market/time.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { RowsAnswer } from '../respond.ts';
import { sendRows } from '../respond.ts';
import type { Schema } from '../schemas.ts';
import { query, rowAnswers } from '../schemas.ts';
import { seriesFilter, tableNamed } from '../series-parameters.ts';
import { bucketingParameters } from './rows.ts';

/** Query of a gap report; series key columns come under their own names. */
interface GapsQuery extends RowsAnswer {
  timeframe?: string;
  from?: string;
  to?: string;
  min?: number;
  limit?: number;
  cursor?: string;
  timeZone?: string;
  calendar?: string;
  weekStart?: WeekStart;
  [key: string]: unknown;
}

const gapParameters: Record<string, Schema> = {
  timeframe: {
    type: 'string',
    description: "Buckets to look at; by default those of the rollup, or of the table's shortest bars.",
    examples: ['1m'],
  },
  min: {
    type: 'integer',
    minimum: 1,
    description: 'Only runs of so many buckets; default 1.',
    examples: [2],
  },
  ...bucketingParameters,
};

const rangeNames = ['symbol', 'from', 'to', 'limit', 'cursor', 'format', 'time'];
const known = [...rangeNames, ...Object.keys(gapParameters)];

/** Registers the route. */
export function gapRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const schema = {
    tags: ['rows'],
    summary: 'Runs of buckets in which series have nothing, inside the sessions of their calendar',
    params: {
      type: 'object',
      properties: {
        name: { type: 'string', description: 'Ticks table, rollup or bars table.', examples: ['trades'] },
      },
    },
    querystring: query(rangeNames, [], gapParameters),
    response: rowAnswers({
      timeframe: { type: 'string' },
      source: { type: 'string', description: 'The rollup or table that was looked at.' },
      timeZone: { type: 'string', description: 'Zone of its calendar or days.' },
    }),
  };
  app.get<{ Params: { name: string }; Querystring: GapsQuery }>(
    '/tables/:name/gaps',
    { onRequest: requires(context, 'read'), schema },
    async (request, reply) => {
      const gaps = await database.gaps(gapsRequest(context, request.params.name, request.query));
      const { timeframe, source, timeZone } = gaps;
      return sendRows(request, reply, gaps, request.query, { timeframe, source, timeZone });
    },
  );
}

function gapsRequest({ database, limits }: HttpContext, table: string, asked: GapsQuery): GapsRequest {
  const limit = asked.limit ?? limits.rowsDefault;
  if (limit > limits.rowsMax)
    throw new CandelaError('LIMIT_EXCEEDED', `limit ${limit} is above ${limits.rowsMax}`, {
      help: 'Ask for fewer rows and page with the cursor.',
    });
  return {
    table,
    series: seriesFilter(tableNamed(database, table), asked, known),
    limit,
    ...bucketingOptions(asked),
    ...(asked.timeframe === undefined ? {} : { timeframe: asked.timeframe }),
    ...(asked.from === undefined ? {} : { fromNs: parseTimeNs(asked.from) }),
    ...(asked.to === undefined ? {} : { toNs: parseTimeNs(asked.to) }),
    ...(asked.min === undefined ? {} : { bucketsMin: asked.min }),
    ...(asked.cursor === undefined ? {} : { cursor: asked.cursor }),
  };
}
