/** The bare server: what holds for every route, whatever it does. */
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { CandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { TlsOptions } from '../../net/tls.ts';
import { readJson, unpackBodies } from './bodies.ts';
import { answerOf, endWithError, wireError } from './error-map.ts';
import type { HttpLimits } from './limits.ts';
import { packAnswers } from './packing.ts';

/** What the bare server needs. */
export interface AppOptions {
  limits: HttpLimits;
  log: Logger;
  tls?: TlsOptions | undefined;
}

/** An app whose every error answers as `{code, message, help}`, packed like any answer. */
export function createApp({ limits, log, tls }: AppOptions): FastifyInstance {
  const answer = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendError(log, thrown, request, reply);
  const app = fastify({
    bodyLimit: limits.requestBytesMax,
    requestTimeout: limits.requestMsMax,
    forceCloseConnections: 'idle',
    // While closing, a hook answers in our own form.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1_000 },
    // Nothing is removed or filled in unseen; parameters that no route knows are refused by the routes, by name.
    ajv: { customOptions: { removeAdditional: false, keywords: ['example'] } },
    frameworkErrors: (error, request, reply) => void answer(error, request, reply as FastifyReply),
    clientErrorHandler: (error, socket) => {
      log.info({ code: error.code }, 'a request that is not HTTP');
      const text = `the request is not HTTP: ${error.message}`;
      const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      const problem = isLate
        ? new CandelaError('TIMEOUT', `the request took longer than ${limits.requestMsMax} ms to arrive`)
        : new CandelaError('SYNTAX', text, { help: 'Check scheme, port and headers.' });
      endWithError(socket, problem, isLate ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400);
    },
    ...(tls ? { https: { cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) } } : {}),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connectionsMax;
  app.server.on('drop', () =>
    log.warn({ connectionsMax: limits.connectionsMax }, 'a connection was dropped'),
  );
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?')[0];
    throw new CandelaError('ROUTE_NOT_FOUND', `there is nothing at ${request.method} ${path}`);
  });
  app.setErrorHandler(answer);
  // Schemas of answers document them; what they do not mention is sent all the same.
  app.setSerializerCompiler(() => JSON.stringify);
  refuseWhileClosing(app);
  unpackBodies(app);
  readJson(app);
  packAnswers(app);
  return app;
}

function refuseWhileClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
  });
  app.addHook('onRequest', async () => {
    if (isClosing) throw new CandelaError('STOPPING', 'the server is shutting down');
  });
  // Else a kept connection would hold up the end.
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close');
  });
}

function sendError(log: Logger, thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { error, status } = answerOf(thrown);
  const fields = { code: error.code, method: request.method, url: request.url.split('?')[0] };
  // A client's mistake needs no stack.
  if (status >= 500 && error.kind !== 'unsupported') log.error({ ...fields, err: thrown }, error.message);
  else log.info(fields, error.message);
  if (status === 401) reply.header('www-authenticate', 'Bearer, Basic realm="candela"');
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(wireError(error)));
}
