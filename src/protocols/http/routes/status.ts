/** Status, health, metrics and feeds. */
import type { FastifyInstance } from 'fastify';
import type { FeedStatus } from '../../../market/feed-status.ts';
import type { HttpContext } from '../context.ts';
import { requires } from '../context.ts';
import type { HttpMetrics } from '../metrics.ts';
import { answers, type Schema } from '../schemas.ts';
import type { WireStatus } from '../wire.ts';

/** States in which a feed delivers nothing any more. */
const ended: ReadonlySet<FeedStatus['state']> = new Set(['stopped', 'finished', 'failed']);

const text = { type: 'string' };
const count = { type: 'integer' };

const feedProperties: Record<keyof FeedStatus, Schema> = {
  name: text,
  kind: { ...text, description: 'Such as twelvedata or replay.' },
  simulated: { type: 'boolean', description: 'What it delivers is made up.' },
  state: { ...text, description: 'connecting, connected, reconnecting, stopped, finished or failed.' },
  table: { ...text, description: 'Table it writes to.' },
  symbols: { type: 'array', items: text, description: 'Asked for, and not refused.' },
  failedSymbols: {
    type: 'array',
    items: { type: 'object', properties: { symbol: text, reason: text } },
    description: 'Refused by the source.',
  },
  rowsReceived: count,
  rowsWritten: count,
  rowsRejected: count,
  reconnects: count,
  lastEventMs: { type: ['integer', 'null'], description: 'Unix milliseconds.' },
  lastError: { type: ['string', 'null'] },
};

const list = { type: 'array', items: { type: 'object', properties: feedProperties } };

const statusProperties: Record<keyof WireStatus, Schema> = {
  version: text,
  uptimeMs: count,
  simulated: { type: 'boolean', description: 'Some feed delivers made-up data.' },
  database: { type: 'object', description: 'Counters since the start and sizes, as in /metrics.' },
  feeds: list,
};

/** Registers the routes under `/api/v1`. */
export function statusRoutes(app: FastifyInstance, context: HttpContext): void {
  const { database, feeds, clock, version, startedMs } = context;
  app.get(
    '/status',
    {
      onRequest: requires(context, 'read'),
      schema: {
        tags: ['server'],
        summary: 'Counters, sizes and feeds',
        response: answers('Status.', statusProperties),
      },
    },
    async (): Promise<WireStatus> => {
      const running = feeds.list();
      return {
        version,
        uptimeMs: Math.round(clock.monotonicMs() - startedMs),
        simulated: running.some(({ simulated, state }) => simulated && !ended.has(state)),
        database: database.status(),
        feeds: running,
      };
    },
  );
  app.get(
    '/feeds',
    {
      onRequest: requires(context, 'read'),
      schema: { tags: ['feeds'], summary: 'Running feeds', response: answers('Feeds.', { feeds: list }) },
    },
    async () => ({ feeds: feeds.list() }),
  );
  for (const action of ['subscribe', 'unsubscribe'] as const) {
    app.post<{ Params: { name: string }; Body: { symbols: string[] } }>(
      `/feeds/:name/${action}`,
      {
        onRequest: requires(context, 'admin'),
        schema: {
          tags: ['feeds'],
          summary: action === 'subscribe' ? 'Add symbols to a feed' : 'Take symbols off a feed',
          params: {
            type: 'object',
            properties: {
              name: { type: 'string', description: 'Name of the feed.', examples: ['twelvedata'] },
            },
          },
          body: {
            type: 'object',
            required: ['symbols'],
            additionalProperties: false,
            properties: {
              symbols: {
                type: 'array',
                minItems: 1,
                maxItems: 10_000,
                items: { type: 'string' },
                description: 'As the source writes them.',
                examples: [['AAPL', 'BTC/USD']],
              },
            },
          },
          response: answers('The feed.', feedProperties),
        },
      },
      ({ params, body }): Promise<FeedStatus> => feeds[action](params.name, body.symbols),
    );
  }
}

/** Registers `/healthz` and `/metrics`, which monitoring reads. */
export function monitoringRoutes(app: FastifyInstance, context: HttpContext, metrics: HttpMetrics): void {
  const { database } = context;
  app.get('/healthz', { schema: { hide: true } }, async (_request, reply) => {
    const { writesStopped } = database.status();
    if (writesStopped === null) return { status: 'ok' };
    return reply.code(503).send({ status: 'writes stopped', reason: writesStopped });
  });
  app.get(
    '/metrics',
    { onRequest: requires(context, 'read'), schema: { hide: true } },
    async (_request, reply) => {
      reply.type(metrics.contentType);
      return metrics.text();
    },
  );
}
