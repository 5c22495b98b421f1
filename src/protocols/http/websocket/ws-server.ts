/** WebSocket clients on the HTTP port: upgrades, limits, life signs. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import { requireRole } from '../../../net/auth.ts';
import type { HttpContext } from '../context.ts';
import { checkHost, identify } from '../context.ts';
import { httpStatus, wireError } from '../error-map.ts';
import { WsSession } from './session.ts';

/** Running WebSocket clients. */
export interface WsClients {
  count(): number;
  /** Says good-bye with 1001 and closes. */
  close(): void;
}

/** Clients are pinged this often; one that has not answered by the next time is gone. */
const pingIntervalMs = 30_000;

/** Serves `/ws` on an HTTP server. */
export function serveWebSockets(server: Server, context: HttpContext): WsClients {
  const { limits } = context;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.wsMessageBytesMax });
  const alive = new WeakSet<WebSocket>();
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    letIn(request, context, sockets.clients.size).then(
      () =>
        sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request)),
      (error: unknown) => refuse(socket, toCandelaError(error)),
    );
  });
  sockets.on('connection', (client) => {
    alive.add(client);
    client.on('pong', () => alive.add(client));
    new WsSession(context, client);
  });
  const pings = setInterval(() => {
    for (const client of sockets.clients) {
      if (!alive.delete(client)) client.terminate();
      else client.ping();
    }
  }, pingIntervalMs);
  pings.unref();
  return {
    count: () => sockets.clients.size,
    close() {
      clearInterval(pings);
      for (const client of sockets.clients) client.close(1001, 'the server is shutting down');
      sockets.close();
    },
  };
}

async function letIn(request: IncomingMessage, context: HttpContext, clientCount: number): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname !== '/ws')
    throw new CandelaError('ROUTE_NOT_FOUND', `no WebSocket is served at ${url.pathname}`, {
      help: 'Connect to /ws.',
    });
  if (clientCount >= context.limits.wsClientsMax) {
    throw new CandelaError(
      'LIMIT_EXCEEDED',
      `the server serves ${context.limits.wsClientsMax} WebSocket clients`,
    );
  }
  checkHost(context.authenticator, request.headers.host);
  checkOrigin(request);
  // Browsers cannot set headers on a WebSocket, so a token may come in the address.
  const token = url.searchParams.get('token');
  const header = token === null ? request.headers.authorization : `Bearer ${token}`;
  const identity = await identify(context.authenticator, header, request.socket.remoteAddress ?? '');
  requireRole(identity, 'read');
}

/**
 * A page of another site must not read a server on its visitor's loopback: browsers always say where a page
 * comes from.
 */
function checkOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new CandelaError('DENIED', `pages of ${origin} may not connect`, {
    help: 'Open the page from the server itself.',
  });
}

function refuse(socket: Duplex, error: CandelaError): void {
  const body = JSON.stringify(wireError(error));
  const lines = [
    `HTTP/1.1 ${httpStatus(error)} Refused`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
