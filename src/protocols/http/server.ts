/**
 * The HTTP server: REST under `/api/v1`, `/ws`, `/udf`, `/healthz`, `/metrics`, and the page.
 *
 * Handlers decode, call the engine, encode; nothing here knows what a bar is. Every error answers as
 * `{code, message, help}`.
 */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from '../../engine/database.ts';
import type { FeedControl } from '../../market/feed-status.ts';
import type { Authenticator } from '../../net/auth.ts';
import type { TlsOptions } from '../../net/tls.ts';
import { createApp } from './app.ts';
import { keepBytes } from './bodies.ts';
import type { HttpContext } from './context.ts';
import { type HttpLimits, httpLimitsDefault } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { documentApi } from './openapi.ts';
import { servePage } from './page.ts';
import { amendRoutes } from './routes/amend.ts';
import { backupRoutes } from './routes/backup.ts';
import { gapRoutes } from './routes/gaps.ts';
import { retentionRoutes } from './routes/retention.ts';
import { rowRoutes } from './routes/rows.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { sqlRoutes } from './routes/sql.ts';
import { monitoringRoutes, statusRoutes } from './routes/status.ts';
import { symbolRoutes } from './routes/symbols.ts';
import { tableRoutes } from './routes/tables.ts';
import { udfRoutes } from './routes/udf.ts';
import { writeRoutes } from './routes/write.ts';
import { serveWebSockets, type WsClients } from './websocket/ws-server.ts';

/** What the server needs. */
export interface HttpServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  database: Database;
  feeds: FeedControl;
  authenticator: Authenticator;
  tls?: TlsOptions;
  log: Logger;
  clock: Clock;
  /** Folder of the built page; null where there is none. */
  webRoot: string | null;
  version: string;
  /** Origins of other sites whose pages may read `/udf` and connect to `/ws`; default none. */
  allowedOrigins?: readonly string[];
  /** Folder in which administrators may make backups; default none. */
  backupsDirectory?: string | null;
  limits?: Partial<HttpLimits>;
}

/** A server that listens. */
export interface HttpServer {
  port: number;
  /** Lets running requests end for a bounded time, takes leave of WebSocket clients. Once begun, waits for the same. */
  close(): Promise<void>;
}

/** Starts listening. Throws `INVALID_CONFIG` when the port is taken or the address is not the machine's. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const context: HttpContext = {
    ...options,
    allowedOrigins: options.allowedOrigins ?? [],
    backupsDirectory: options.backupsDirectory ?? null,
    limits: { ...httpLimitsDefault, ...options.limits },
    startedMs: options.clock.monotonicMs(),
  };
  const app = createApp({ limits: context.limits, log: options.log, tls: options.tls });
  const clients = serveWebSockets(app.server, context);
  const metrics = createMetrics(options.database, options.feeds, () => clients.count());
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
  });
  await documentApi(app, options.version);
  await app.register(async (api) => apiRoutes(api, context), { prefix: '/api/v1' });
  await app.register(async (udf) => udfRoutes(udf, context), { prefix: '/udf' });
  monitoringRoutes(app, context, metrics);
  await servePage(app, options.webRoot);
  await listen(app, options);
  const address = app.server.address();
  let closed: Promise<void> | undefined;
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    close: () => (closed ??= close(app, clients, context.limits.closeMsMax)),
  };
}

async function apiRoutes(api: FastifyInstance, context: HttpContext): Promise<void> {
  signInRoutes(api, context);
  statusRoutes(api, context);
  tableRoutes(api, context);
  symbolRoutes(api, context);
  rowRoutes(api, context);
  gapRoutes(api, context);
  sqlRoutes(api, context);
  backupRoutes(api, context);
  retentionRoutes(api, context);
  amendRoutes(api, context);
  api.get('/openapi.json', { schema: { hide: true } }, async () => api.swagger());
  await api.register(async (writes) => {
    keepBytes(writes);
    writeRoutes(writes, context);
  });
}

async function listen(app: FastifyInstance, { host, port }: HttpServerOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    const { code } = cause as { code?: string };
    const why = {
      EADDRINUSE: 'is in use',
      EADDRNOTAVAIL: 'is not an address of this machine',
      EACCES: 'may not be listened on',
    }[code ?? ''];
    if (why === undefined) throw cause;
    throw new CandelaError('INVALID_CONFIG', `HTTP: ${host}:${port} ${why}`, {
      cause,
      help: 'Choose another with --http-port or --host, or stop what uses it.',
    });
  }
}

/** Requests that outlast the bound are cut off. */
async function close(app: FastifyInstance, clients: WsClients, closeMsMax: number): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), closeMsMax);
  try {
    await Promise.all([clients.close(), app.close()]);
  } finally {
    clearTimeout(cut);
  }
}
