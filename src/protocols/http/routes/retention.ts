/** Retention at an operator's word. */
import type { FastifyInstance } from 'fastify';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import { answers } from '../schemas.ts';
import type { WireRetention } from '../wire.ts';

/** Registers the route under `/api/v1`. */
export function retentionRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database } = context;
  const dropped = {
    type: 'object',
    properties: {
      table: { type: 'string' },
      droppedBeforeNs: { type: 'string', description: 'Rows of before are gone; nanoseconds.' },
      rowCount: { type: 'integer' },
      chunkCount: { type: 'integer', description: 'Days that had rows.' },
    },
  };
  const schema = {
    tags: ['tables'],
    summary: 'Drop now what is older than tables keep',
    description: 'The server does it every minute by itself.',
    response: answers('What was dropped.', { dropped: { type: 'array', items: dropped } }),
  };
  app.post(
    '/retention',
    { onRequest: requires(context, 'admin'), schema },
    async (): Promise<WireRetention> => {
      const results = await database.applyRetention();
      return {
        dropped: results.map((result) => ({ ...result, droppedBeforeNs: String(result.droppedBeforeNs) })),
      };
    },
  );
}
