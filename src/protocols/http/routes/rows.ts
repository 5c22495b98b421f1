/** Reads: ticks, bars, latest. */
import type { FastifyInstance } from 'fastify';
import { CandelaError } from '../../../core/errors.ts';
import type { ReadRequest } from '../../../engine/database.ts';
import type { WeekStart } from '../../../market/bucketing.ts';
import { bucketingOptions } from '../../../market/bucketing.ts';
import type { ColumnSet } from '../../../market/columns.ts';
import type { GapMode } from '../../../market/schema.ts';
import { parseTimeNs } from '../../../market/time.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { RowsAnswer } from '../respond.ts';
import { sendRows } from '../respond.ts';
import type { Schema } from '../schemas.ts';
import { query, rowAnswers } from '../schemas.ts';
import { seriesFilter, tableNamed } from '../series-parameters.ts';
import type { WireKinds } from '../wire.ts';

/** Query of a range read; series key columns come under their own names. */
interface RangeQuery extends RowsAnswer {
  table: string;
  timeframe?: string;
  from?: string;
  to?: string;
  limit?: number;
  order?: 'asc' | 'desc';
  columns?: string;
  cursor?: string;
  live?: boolean;
  timeZone?: string;
  calendar?: string;
  weekStart?: WeekStart;
  stamp?: 'open' | 'close';
  gaps?: GapMode;
  flags?: boolean;
  adjust?: 'split' | 'all';
  [key: string]: unknown;
}

const rangeNames = ['table', 'symbol', 'from', 'to', 'limit', 'order', 'columns', 'format', 'time'];

/** Where buckets lie. */
export const bucketingParameters: Record<string, Schema> = {
  timeZone: {
    type: 'string',
    description: 'Days and longer units of this zone; by default those of the stored bars.',
    examples: ['America/New_York'],
  },
  calendar: { type: 'string', description: 'Sessions of this calendar.', examples: ['XNYS'] },
  weekStart: { type: 'string', description: 'Day that weeks start with.', examples: ['sunday'] },
};

const adjustParameter: Schema = {
  type: 'string',
  enum: ['split', 'all'],
  description: 'Prices and sizes in the terms of today: for splits, or for splits and dividends.',
  examples: ['split'],
};

/** How bars are shown, of a rollup by name as well. */
const shapeParameters: Record<string, Schema> = {
  stamp: {
    type: 'string',
    enum: ['open', 'close'],
    description: 'Whether a time is where the bucket opens or closes; default open. Ranges go by the open.',
    examples: ['close'],
  },
  gaps: {
    type: 'string',
    enum: ['none', 'flat', 'null'],
    description:
      'Bars for buckets without ticks: none, flat ones at the previous close, or nulls; default the rollup.',
    examples: ['flat'],
  },
  flags: {
    type: 'boolean',
    description:
      'Adds bar_state to each bar: complete, live, partial, first (its data begin inside it), filled.',
    examples: [true],
  },
  adjust: adjustParameter,
};

const barParameters: Record<string, Schema> = {
  timeframe: {
    type: 'string',
    description: 'A stored timeframe, or one that stored bars can be merged to.',
    examples: ['1m', '30m'],
  },
  ...bucketingParameters,
  ...shapeParameters,
};

const barAnswer: Record<string, Schema> = {
  timeframe: { type: 'string' },
  rollup: { type: 'string', description: 'The rollup that was read.' },
  rollupTimeframe: { type: 'string', description: 'Its timeframe: another one when bars were merged.' },
};

/** Registers the routes. */
export function rowRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const onRequest = requires(context, 'read');
  const tags = ['rows'];

  app.get<{ Querystring: RangeQuery }>(
    '/ticks',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Rows of a table by series and range',
        querystring: query([...rangeNames, 'cursor'], ['table'], shapeParameters),
        response: rowAnswers(),
      },
    },
    async (request, reply) => {
      const rows = await database.read({
        ...readRequest(context, request.query),
        table: request.query.table,
      });
      return sendRows(request, reply, rows, request.query, kindsOf(request.query, rows));
    },
  );
  app.get<{ Querystring: RangeQuery }>(
    '/bars',
    {
      onRequest,
      schema: {
        tags,
        summary: 'Bars of any timeframe',
        querystring: query([...rangeNames, 'live', 'cursor'], ['table', 'timeframe'], barParameters),
        response: rowAnswers(barAnswer),
      },
    },
    async (request, reply) => {
      const range = readRequest(context, request.query);
      const bars = await database.bars({
        ...range,
        ...bucketingOptions(request.query),
        table: request.query.table,
        timeframe: String(request.query.timeframe),
      });
      const { timeframe, rollup, rollupTimeframe } = bars;
      const facts = { timeframe, rollup, rollupTimeframe, ...kindsOf(request.query, bars) };
      return sendRows(request, reply, bars, request.query, facts);
    },
  );
  app.get<{ Querystring: RangeQuery }>(
    '/latest',
    {
      onRequest,
      schema: {
        tags,
        summary: 'The latest row of each series',
        querystring: query(['table', 'symbol', 'format', 'time'], ['table']),
        response: rowAnswers(),
      },
    },
    async (request, reply) => {
      const table = tableNamed(database, request.query.table);
      const filter = seriesFilter(table, request.query, ['table', 'format', 'time']);
      return sendRows(request, reply, database.latest(table.name, filter), request.query);
    },
  );
}

/** Adjusted columns are of other kinds than the table declares; a client that cares is told of each. */
function kindsOf({ adjust }: RangeQuery, { names, columns }: ColumnSet): { kinds?: WireKinds } {
  if (adjust === undefined) return {};
  return { kinds: Object.fromEntries(columns.map(({ kind }, i) => [names[i], kind])) };
}

const known = [...rangeNames, 'cursor', 'live', ...Object.keys(barParameters)];

function readRequest({ database, limits }: HttpContext, range: RangeQuery): Omit<ReadRequest, 'table'> {
  const limit = range.limit ?? limits.rowsDefault;
  if (limit > limits.rowsMax) {
    throw new CandelaError('INVALID_ARGUMENT', `limit ${limit} is above ${limits.rowsMax}`, {
      help: `Ask for up to ${limits.rowsMax} rows at a time and page with the cursor.`,
    });
  }
  return {
    series: seriesFilter(tableNamed(database, range.table), range, known),
    limit,
    ...(range.from === undefined ? {} : { fromNs: parseTimeNs(range.from) }),
    ...(range.to === undefined ? {} : { toNs: parseTimeNs(range.to) }),
    ...(range.order === undefined ? {} : { order: range.order }),
    ...(range.columns === undefined ? {} : { columns: range.columns.split(',') }),
    // Empty, it asks for the first page: so a loop need not treat that apart.
    ...(range.cursor ? { cursor: range.cursor } : {}),
    ...(range.live === undefined ? {} : { live: range.live }),
    ...(range.stamp === undefined ? {} : { stamp: range.stamp }),
    ...(range.gaps === undefined ? {} : { gaps: range.gaps }),
    ...(range.flags === undefined ? {} : { flags: range.flags }),
    ...(range.adjust === undefined ? {} : { adjust: range.adjust }),
  };
}
