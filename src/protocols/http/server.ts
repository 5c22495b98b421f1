/**
 * The HTTP server: REST under `/api/v1`, `/ws`, `/udf`, `/healthz`, `/metrics`, and the page.
 *
 * Handlers decode, call the engine, encode; nothing here knows what a bar is. Every error answers as
 * `{code, message, help}`.
 */

import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import fastify from 'fastify';
import type { Clock } from '../../core/clock.ts';
import { CandelaError, toCandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from '../../engine/database.ts';
import type { FeedControl } from '../../market/feed-status.ts';
import type { Authenticator } from '../../net/auth.ts';
import type { TlsOptions } from '../../net/tls.ts';
import type { HttpContext } from './context.ts';
import { httpStatus, wireError } from './error-map.ts';
import type { HttpLimits } from './limits.ts';
import { httpLimitsDefault } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { documentApi } from './openapi.ts';
import { servePage } from './page.ts';
import { rowRoutes } from './routes/rows.ts';
import { sqlRoutes } from './routes/sql.ts';
import { monitoringRoutes, statusRoutes } from './routes/status.ts';
import { tableRoutes } from './routes/tables.ts';
import { udfRoutes } from './routes/udf.ts';
import { writeRoutes, writeTypes } from './routes/write.ts';
import { serveWebSockets } from './websocket/ws-server.ts';

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
  limits?: Partial<HttpLimits>;
}

/** A server that listens. */
export interface HttpServer {
  port: number;
  /** Lets running requests end, says good-bye to WebSocket clients, closes. */
  close(): Promise<void>;
}

/** Starts listening. Throws `INVALID_CONFIG` when the port is taken or the address is not the machine's. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const context: HttpContext = {
    ...options,
    limits: { ...httpLimitsDefault, ...options.limits },
    startedMs: options.clock.monotonicMs(),
  };
  const app = createApp(options, context);
  const clients = serveWebSockets(app.server, context);
  const metrics = createMetrics(options.database, options.feeds, () => clients.count());
  app.addHook('onResponse', async (request, reply) => {
    metrics.observe(
      request.method,
      request.routeOptions.url ?? 'unknown',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
  });
  await documentApi(app, options.version);
  await app.register(
    async (api) => {
      statusRoutes(api, context);
      tableRoutes(api, context);
      rowRoutes(api, context);
      sqlRoutes(api, context);
      api.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
      await api.register(async (writes) => {
        takeBytes(writes, context.limits);
        writeRoutes(writes, context);
      });
    },
    { prefix: '/api/v1' },
  );
  await app.register(async (udf) => udfRoutes(udf, context), { prefix: '/udf' });
  monitoringRoutes(app, context, metrics);
  await servePage(app, options.webRoot);
  await listen(app, options);
  const address = app.server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    async close() {
      clients.close();
      await app.close();
    },
  };
}

function createApp(options: HttpServerOptions, context: HttpContext): FastifyInstance {
  const settings: FastifyServerOptions & { https?: object } = {
    bodyLimit: context.limits.bodyBytesMax,
    forceCloseConnections: 'idle',
    // Query parameters that no route knows are refused by the routes themselves, by name.
    ajv: { customOptions: { removeAdditional: false, keywords: ['example'] } },
    ...(options.tls
      ? { https: { cert: Buffer.from(options.tls.cert), key: Buffer.from(options.tls.key) } }
      : {}),
  };
  const app = fastify(settings) as unknown as FastifyInstance;
  app.setNotFoundHandler((request) => {
    throw new CandelaError(
      'ROUTE_NOT_FOUND',
      `there is nothing at ${request.method} ${request.url.split('?')[0]}`,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    const known = fromFastify(error);
    const level = known.kind === 'internal' || known.kind === 'corruption' ? 'error' : 'info';
    const fields = { code: known.code, method: request.method, url: request.url.split('?')[0] };
    // A client's mistake needs no stack.
    options.log[level](level === 'error' ? { ...fields, err: error } : fields, known.message);
    if (known.kind === 'unauthenticated') reply.header('www-authenticate', 'Bearer, Basic realm="candela"');
    return reply
      .code(httpStatus(known))
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(wireError(known)));
  });
  return app;
}

/** Fastify's own errors in our terms. */
function fromFastify(error: unknown): CandelaError {
  const { code, statusCode, message, validation } = error as {
    code?: string;
    statusCode?: number;
    message: string;
    validation?: unknown;
  };
  if (validation) return new CandelaError('INVALID_ARGUMENT', message, { cause: error });
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new CandelaError('LIMIT_EXCEEDED', 'the body is larger than the server takes', {
      help: 'Send the rows in several requests.',
    });
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new CandelaError('INVALID_ARGUMENT', message, {
      help: 'Set the content-type header to that of the body.',
    });
  }
  if (error instanceof SyntaxError || code === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    const position = /position (\d+)/.exec(message)?.[1];
    return new CandelaError(
      'SYNTAX',
      `the body is not JSON: ${message}`,
      position === undefined ? {} : { position: Number(position) },
    );
  }
  if (statusCode !== undefined && statusCode < 500)
    return new CandelaError('INVALID_ARGUMENT', message, { cause: error });
  return toCandelaError(error);
}

const unpack = promisify(gunzip);

/** In this scope bodies stay bytes, unpacked: the codecs read them. */
function takeBytes(app: FastifyInstance, limits: HttpLimits): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [...writeTypes, '*'],
    { parseAs: 'buffer' },
    async (request: { headers: Record<string, unknown> }, body: Buffer) => {
      const encoding = request.headers['content-encoding'] ?? 'identity';
      if (encoding === 'identity') return body;
      if (encoding !== 'gzip')
        throw new CandelaError('UNSUPPORTED', `content-encoding '${String(encoding)}'`, {
          help: 'Send gzip, or no encoding.',
        });
      try {
        return await unpack(body, { maxOutputLength: limits.bodyBytesMax });
      } catch (cause) {
        if ((cause as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
          throw new CandelaError(
            'LIMIT_EXCEEDED',
            `the body unpacks to more than ${limits.bodyBytesMax} bytes`,
            { cause },
          );
        }
        throw new CandelaError('SYNTAX', 'the body is not gzip', { cause });
      }
    },
  );
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
