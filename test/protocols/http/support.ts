/** A server on a free loopback port over a database of its own, for one test file. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { systemClock } from '../../../src/core/clock.ts';
import { CandelaError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/log.ts';
import type { Database } from '../../../src/engine/database.ts';
import { open } from '../../../src/engine/open.ts';
import type { FeedControl } from '../../../src/market/feed-status.ts';
import type { TableDef } from '../../../src/market/schema.ts';
import { createAuthenticator, type UserConfig } from '../../../src/net/auth.ts';
import type { TlsOptions } from '../../../src/net/tls.ts';
import type { HttpLimits } from '../../../src/protocols/http/limits.ts';
import { type HttpServer, startHttpServer } from '../../../src/protocols/http/server.ts';
import type { WireEvent, WireRequest } from '../../../src/protocols/http/wire.ts';

export const tradesTable: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'price', type: { kind: 'double' }, nullable: false },
    { name: 'size', type: { kind: 'double' } },
  ],
};

export interface TestServer {
  database: Database;
  server: HttpServer;
  url: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  json(path: string, headers?: Record<string, string>): Promise<Record<string, unknown>>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  end(): Promise<void>;
}

export interface TestServerOptions {
  users?: UserConfig[];
  limits?: Partial<HttpLimits>;
  port?: number;
  tls?: TlsOptions;
  webRoot?: string;
  feeds?: FeedControl;
  backupsDirectory?: string;
  allowedOrigins?: string[];
  /** Stands between the server and the database. */
  wrap?: (database: Database) => Database;
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-http-'));
  const database = await open({ directory });
  const none = (): never => {
    throw new CandelaError('FEED_NOT_FOUND', 'there is no such feed');
  };
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: options.port ?? 0,
    database: options.wrap?.(database) ?? database,
    feeds: options.feeds ?? {
      list: () => [],
      subscribe: async () => none(),
      unsubscribe: async () => none(),
    },
    authenticator: createAuthenticator(options.users ?? []),
    log: silentLogger,
    clock: systemClock,
    webRoot: options.webRoot ?? null,
    version: 'test',
    ...(options.allowedOrigins ? { allowedOrigins: options.allowedOrigins } : {}),
    ...(options.backupsDirectory ? { backupsDirectory: options.backupsDirectory } : {}),
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.tls ? { tls: options.tls } : {}),
  }).catch(async (error: unknown) => {
    await database.close();
    await rm(directory, { recursive: true });
    throw error;
  });
  const url = `http${options.tls ? 's' : ''}://127.0.0.1:${server.port}`;
  const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers });
  return {
    database,
    server,
    url,
    get,
    json: async (path, headers) => (await get(path, headers)).json() as Promise<Record<string, unknown>>,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      }),
    async end() {
      await server.close();
      await database.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** The database with some of its methods replaced. */
export function withMethods(database: Database, methods: Partial<Database>): Database {
  return new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(name in methods ? methods : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A client of `/ws` that keeps what it gets. */
export interface TestSocket {
  events: WireEvent[];
  send(request: WireRequest | Record<string, unknown>): void;
  /** Waits until an event fits, for five seconds at the most. */
  until(fits: (event: WireEvent) => boolean): Promise<WireEvent>;
  socket: WebSocket;
}

export async function openSocket(url: string, headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const events: WireEvent[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data) => {
    events.push(JSON.parse(String(data)));
    wake();
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return {
    events,
    socket,
    send: (request) => socket.send(JSON.stringify(request)),
    async until(fits) {
      const endMs = Date.now() + 5_000;
      for (;;) {
        const found = events.find(fits);
        if (found) return found;
        if (Date.now() > endMs)
          throw new Error(`no such event among ${JSON.stringify(events).slice(0, 2_000)}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100);
        });
      }
    },
  };
}
