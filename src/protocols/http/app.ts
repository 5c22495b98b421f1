/** The bare server: what holds for every route, whatever it does. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { CandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { TlsOptions } from '../../net/tls.ts';
import { readJson, unpackBodies } from './bodies.ts';
import {
  answerOf,
  brokenRequest,
  endWithError,
  pathPartLengthMax,
  schemaMessage,
  wireError,
} from './error-map.ts';
import type { HttpLimits } from './limits.ts';
import { packAnswers } from './packing.ts';

/** What the bare server needs. */
export interface AppOptions {
  limits: HttpLimits;
  log: Logger;
  tls?: TlsOptions | undefined;
}

/** How long the headers of a request may take to arrive. */
const headersMsMax = 60_000;

/** An app whose every error answers as `{code, message, help}`, packed like any answer. */
export function createApp({ limits, log, tls }: AppOptions): FastifyInstance {
  const answer = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) =>
    sendError(log, thrown, request, reply);
  const serving = {
    // A request that is late is cut off not much later than it is.
    connectionsCheckingInterval: Math.ceil(limits.requestMsMax / 10),
    // Were it the longer of the two, Node would take each for the other.
    headersTimeout: Math.min(headersMsMax, limits.requestMsMax),
    requestTimeout: limits.requestMsMax,
    // A hook answers in our own form.
    requireHostHeader: false,
  };
  const app = fastify({
    bodyLimit: limits.requestBytesMax,
    requestTimeout: limits.requestMsMax,
    forceCloseConnections: 'idle',
    // While closing, a hook answers in our own form.
    return503OnClosing: false,
    routerOptions: { maxParamLength: pathPartLengthMax },
    // Nothing is removed or filled in unseen; parameters that no route knows are refused by the routes, by name.
    ajv: { customOptions: { removeAdditional: false, keywords: ['example'] } },
    schemaErrorFormatter: (errors, part) => new Error(schemaMessage(errors, part)),
    frameworkErrors: (error, request, reply) => void answer(error, request, reply as FastifyReply),
    clientErrorHandler: (thrown, socket) => {
      log.info({ code: thrown.code }, 'a request that is not HTTP');
      const { error, status } = brokenRequest(thrown, limits);
      endWithError(socket, error, status);
    },
    ...(tls
      ? { https: { ...serving, cert: Buffer.from(tls.cert), key: Buffer.from(tls.key) } }
      : { http: serving }),
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
  refuseMalformed(app);
  unpackBodies(app);
  readJson(app);
  packAnswers(app);
  return app;
}

/** What Node itself would answer in its own form, or Fastify pass over. */
function refuseMalformed(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers, raw }) => {
    if (headers.host === undefined && raw.httpVersion === '1.1') {
      throw new CandelaError('INVALID_ARGUMENT', 'the request has no host header', {
        help: 'HTTP/1.1 asks for one.',
      });
    }
    const [, query = ''] = (raw.url ?? '').split('?', 2);
    if (!canDecode(query)) {
      throw new CandelaError('INVALID_ARGUMENT', 'the parameters in the address cannot be read', {
        help: 'Write % only before two hex digits of UTF-8; %25 is the sign itself.',
      });
    }
  });
  app.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const error = new CandelaError('UNSUPPORTED', `the request expects '${request.headers.expect}'`, {
      help: 'Leave out the header expect, or write 100-continue.',
    });
    response.writeHead(417, { 'content-type': 'application/json; charset=utf-8', connection: 'close' });
    response.end(JSON.stringify(wireError(error)));
  });
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) =>
    endWithError(socket, new CandelaError('ROUTE_NOT_FOUND', 'this server is no proxy')),
  );
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
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
