/** WebSocket clients on the HTTP port: upgrades, limits, life signs. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import { requireRole } from '../../../net/auth.ts';
import { checkHost, type HttpContext, identify } from '../context.ts';
import { isWelcome } from '../cross-origin.ts';
import { endWithError } from '../error-map.ts';
import { WsSession } from './session.ts';

/** Running WebSocket clients. */
export interface WsClients {
  count(): number;
  /** Lets nobody in any more, says good-bye with 1001 and closes; resolves when all are gone, within seconds. */
  close(): Promise<void>;
}

/** Clients are looked at this often … */
const checkIntervalMs = 1_000;
/** … and pinged after so many looks; one that has not answered by the next time is gone. */
const checksPerPing = 30;

/** Serves `/ws` on an HTTP server. */
export function serveWebSockets(server: Server, context: HttpContext): WsClients {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: context.limits.wsMessageBytesMax });
  const sessions = new Map<WebSocket, WsSession>();
  const alive = new WeakSet<WebSocket>();
  let isClosing = false;
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    letIn(request, context, () => isClosing, sessions.size).then(
      () =>
        sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request)),
      (error: unknown) => refuse(context, socket, error),
    );
  });
  sockets.on('wsClientError', (error, socket) => {
    const text = `not a request for a WebSocket: ${error.message}`;
    refuse(
      context,
      socket,
      new CandelaError('INVALID_ARGUMENT', text, { help: 'Connect with a WebSocket client.' }),
    );
  });
  sockets.on('connection', (client) => {
    sessions.set(client, new WsSession(context, client));
    alive.add(client);
    client.on('pong', () => alive.add(client));
    client.on('close', () => sessions.delete(client));
  });
  let checks = 0;
  const timer = setInterval(() => {
    const isPing = ++checks % checksPerPing === 0;
    for (const [client, session] of sessions) {
      session.checkBehind();
      if (!isPing) continue;
      if (alive.delete(client)) client.ping();
      else client.terminate();
    }
  }, checkIntervalMs);
  timer.unref();
  return {
    count: () => sessions.size,
    async close() {
      isClosing = true;
      clearInterval(timer);
      const gone = [...sessions.keys()].map(
        (client) => new Promise((resolve) => client.on('close', resolve)),
      );
      for (const session of sessions.values()) session.close(1001, 'the server is shutting down');
      sockets.close();
      await Promise.all(gone);
    },
  };
}

async function letIn(
  request: IncomingMessage,
  context: HttpContext,
  isClosing: () => boolean,
  clientCount: number,
): Promise<void> {
  const [path, query = ''] = (request.url ?? '/').split('?', 2);
  if (path !== '/ws') {
    throw new CandelaError('ROUTE_NOT_FOUND', `no WebSocket is served at ${path}`, {
      help: 'Connect to /ws.',
    });
  }
  if (clientCount >= context.limits.wsClientsMax) {
    const message = `the server serves ${context.limits.wsClientsMax} WebSocket clients at most`;
    throw new CandelaError('LIMIT_EXCEEDED', message);
  }
  checkHost(context.authenticator, request.headers.host);
  checkOrigin(request, context.allowedOrigins);
  // Browsers cannot set headers on a WebSocket, so a token may come in the address.
  const token = new URLSearchParams(query).get('token');
  const header = token === null ? request.headers.authorization : `Bearer ${token}`;
  const identity = await identify(context.authenticator, header, request.socket.remoteAddress ?? '');
  requireRole(identity, 'read');
  if (isClosing()) throw new CandelaError('STOPPING', 'the server is shutting down');
}

/**
 * A page of another site must not read a server on its visitor's loopback: browsers always say where a page
 * comes from.
 */
function checkOrigin({ headers }: IncomingMessage, origins: readonly string[]): void {
  if (isWelcome(headers, origins)) return;
  throw new CandelaError('DENIED', `pages of ${headers.origin} may not connect`, {
    help: 'Open the page from the server itself, or start the server with --allowed-origins.',
  });
}

function refuse({ log }: HttpContext, socket: Duplex, thrown: unknown): void {
  const error = toCandelaError(thrown);
  if (error.kind === 'internal') log.error({ err: thrown }, 'websocket upgrade failed');
  else log.info({ code: error.code }, error.message);
  endWithError(socket, error);
}
