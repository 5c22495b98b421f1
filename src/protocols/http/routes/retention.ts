/** Retention at an operator's word. */
import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { answers } from '../schemas.ts';
import type { WireRetention } from '../wire.ts';

/** Registers the route under `/api/v1`. */
export function retentionRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const count = { type: 'integer' };
  const table = {
    type: 'object',
    properties: {
      table: { type: 'string' },
      droppedBeforeNs: { type: ['string', 'null'], description: 'Rows of before are gone; nanoseconds.' },
      rowsDropped: count,
      chunksDropped: { ...count, description: 'Days that had rows.' },
      rowsMoved: { ...count, description: 'Rows that went to cold files.' },
      chunksMoved: count,
    },
  };
  const schema = {
    tags: ['tables'],
    summary: 'Drop or move to files now what is older than tables keep',
    description: 'The server does it every minute by itself.',
    response: answers('Tables of which something went.', { tables: { type: 'array', items: table } }),
  };
  app.post(
    '/retention',
    { onRequest: requires(context, 'admin'), schema },
    async (): Promise<WireRetention> => {
      const results = await database.applyRetention();
      return {
        tables: results.map((result) => ({
          ...result,
          droppedBeforeNs: result.droppedBeforeNs === null ? null : String(result.droppedBeforeNs),
        })),
      };
    },
  );
}
