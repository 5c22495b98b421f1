/**
 * A server that speaks the wire shapes the page needs, over an invented market: for tests of the page alone, where a
 * test must be able to correct an old bar, cut the line or take the server away. It reports itself as simulated.
 */
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import type {
  WireColumns,
  WireEvent,
  WireRequest,
  WireStatus,
  WireTable,
} from '../../src/protocols/http/wire.ts';
import { type FakeBar, fakeBar } from './fake-market.ts';
import { type FakeTable, fakeTables, historyBars, tableList, widthMsOf } from './fake-tables.ts';

/** How to start it. */
export interface FakeServerOptions {
  /** The built page. */
  webRoot: string;
  /** 0 (default) takes a free one. */
  port?: number;
  tables?: FakeTable[];
  feeds?: WireStatus['feeds'];
}

/** A running fake. */
export interface FakeServer {
  url: string;
  port: number;
  /** Changes a bar for good and sends the correction to whoever watches it. */
  correct(symbol: string, timeframe: string, bar: FakeBar): void;
  /** Cuts every WebSocket, as a network would; the server stays. */
  cutSockets(): void;
  /** Requests for `/api/v1/bars` answered so far. */
  historyRequests(): number;
  /** The bars the server would answer with. */
  barsOf(symbol: string, timeframe: string, limit: number): FakeBar[];
  close(): Promise<void>;
}

type Subscribe = Extract<WireRequest, { op: 'subscribe' }>;
type Send = (event: WireEvent) => void;

interface LiveSubscription {
  request: Subscribe;
  send: Send;
  table: FakeTable;
  timeframe: string;
  symbols: string[];
  openStarts: Map<string, number>;
}

const tickMs = 100;
const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};

/** Starts it on 127.0.0.1. */
export async function startFakeServer(options: FakeServerOptions): Promise<FakeServer> {
  const fake = new Fake(options);
  await fake.listen(options.port ?? 0);
  return fake;
}

class Fake implements FakeServer {
  readonly #options: FakeServerOptions;
  readonly #tables: FakeTable[];
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #subscriptions = new Map<WebSocket, Map<string, LiveSubscription>>();
  readonly #corrections = new Map<string, FakeBar>();
  readonly #startMs = Date.now();
  readonly #timer: NodeJS.Timeout;
  #historyRequests = 0;
  port = 0;

  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.#tables = options.tables ?? fakeTables;
    this.#http = createServer((request, response) => {
      void this.#answer(new URL(request.url ?? '/', 'http://localhost'), response);
    });
    this.#sockets = new WebSocketServer({ server: this.#http, path: '/ws' });
    this.#sockets.on('connection', (socket) => this.#connected(socket));
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    this.port = (this.#http.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.cutSockets();
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await closed;
  }

  cutSockets(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  historyRequests(): number {
    return this.#historyRequests;
  }

  correct(symbol: string, timeframe: string, bar: FakeBar): void {
    this.#corrections.set(`${symbol} ${timeframe} ${bar.timeMs}`, bar);
    for (const subscription of this.#all()) {
      if (subscription.timeframe !== timeframe || !subscription.symbols.includes(symbol)) continue;
      this.#emit(subscription, 'correction', [[symbol, bar]]);
    }
  }

  barsOf(symbol: string, timeframe: string, limit: number, toMs = Number.POSITIVE_INFINITY): FakeBar[] {
    const widthMs = widthMsOf(timeframe);
    const nowMs = Date.now();
    const firstMs = (Math.floor(this.#startMs / widthMs) - historyBars(timeframe)) * widthMs;
    let startMs = Math.floor(Math.min(nowMs, toMs - 1) / widthMs) * widthMs;
    const bars: FakeBar[] = [];
    for (; startMs >= firstMs && bars.length < limit; startMs -= widthMs) {
      bars.push(this.#bar(symbol, timeframe, startMs, nowMs));
    }
    return bars.reverse();
  }

  #bar(symbol: string, timeframe: string, startMs: number, nowMs: number): FakeBar {
    const corrected = this.#corrections.get(`${symbol} ${timeframe} ${startMs}`);
    if (corrected) return corrected;
    const found = this.#tables.flatMap(({ symbols }) => symbols).find((each) => each.symbol === symbol);
    if (!found) throw new Error(`the fake market has no ${symbol}`);
    return fakeBar(found, startMs, widthMsOf(timeframe), nowMs);
  }

  async #answer(url: URL, response: ServerResponse): Promise<void> {
    const query = url.searchParams;
    const table = this.#tables.find(({ name }) => name === query.get('table'));
    switch (url.pathname) {
      case '/api/v1/status':
        return answerJson(response, 200, this.#status());
      case '/api/v1/tables':
        return answerJson(response, 200, { tables: tableList(this.#tables) satisfies WireTable[] });
      case '/api/v1/symbols':
        return answerJson(response, 200, { symbols: symbolsOf(table) });
      case '/api/v1/bars':
        return answerJson(response, 200, this.#history(table, query));
      default:
        return this.#answerFile(url.pathname, response);
    }
  }

  async #answerFile(path: string, response: ServerResponse): Promise<void> {
    const file = join(this.#options.webRoot, normalize(path === '/' ? '/index.html' : path));
    const isThere = await access(file).then(
      () => true,
      () => false,
    );
    if (!isThere) {
      const error = {
        code: 'ROUTE_NOT_FOUND',
        message: `No ${path} here`,
        help: 'See /api/v1/openapi.json.',
      };
      return answerJson(response, 404, error);
    }
    response.writeHead(200, { 'content-type': mimeTypes[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  }

  #history(table: FakeTable | undefined, query: URLSearchParams) {
    this.#historyRequests++;
    const symbol = query.get('symbol') ?? '';
    const toMs = Date.parse(query.get('to') ?? '');
    const bars = this.barsOf(symbol, query.get('timeframe') ?? '', Number(query.get('limit')), toMs);
    const rows = bars.reverse().map((bar): [string, FakeBar] => [symbol, bar]);
    return { columns: columnsOf(table, rows), rowCount: rows.length, cursor: null };
  }

  #connected(socket: WebSocket): void {
    const own = new Map<string, LiveSubscription>();
    this.#subscriptions.set(socket, own);
    const send: Send = (event) => socket.send(JSON.stringify(event));
    socket.on('close', () => this.#subscriptions.delete(socket));
    socket.on('message', (data) => {
      const request = JSON.parse(String(data)) as WireRequest;
      if (request.op === 'ping') send({ type: 'pong' });
      else if (request.op === 'unsubscribe') {
        own.delete(request.id);
        send({ type: 'unsubscribed', id: request.id });
      } else this.#subscribe(own, request, send);
    });
  }

  #subscribe(own: Map<string, LiveSubscription>, request: Subscribe, send: Send): void {
    const table = this.#tables.find(({ name }) => name === request.table);
    const timeframe = request.timeframe ?? '';
    if (!table?.timeframes.includes(timeframe)) {
      const error = {
        code: 'TIMEFRAME_NOT_FOUND',
        message: `No ${timeframe} bars`,
        help: 'Ask for another.',
      };
      send({ type: 'error', id: request.id, error });
      return;
    }
    const symbols = request.symbols ?? table.symbols.map(({ symbol }) => symbol);
    const subscription = { request, send, table, timeframe, symbols, openStarts: new Map<string, number>() };
    own.set(request.id, subscription);
    send({ type: 'subscribed', id: request.id });
    const rows = symbols.flatMap((symbol) =>
      this.barsOf(symbol, timeframe, request.snapshot ?? 0).map((bar): [string, FakeBar] => [symbol, bar]),
    );
    this.#emit(subscription, 'snapshot', rows);
  }

  #all(): LiveSubscription[] {
    return [...this.#subscriptions.values()].flatMap((own) => [...own.values()]);
  }

  #emit(
    subscription: LiveSubscription,
    type: 'snapshot' | 'live' | 'closed' | 'correction',
    rows: [string, FakeBar][],
  ) {
    const { send, table, request } = subscription;
    send({ type, id: request.id, columns: columnsOf(table, rows), rowCount: rows.length });
  }

  /** One step of time: for each subscription the open bars, and those that closed since the last step. */
  #tick(): void {
    const nowMs = Date.now();
    for (const subscription of this.#all()) {
      const { symbols, timeframe, openStarts } = subscription;
      const widthMs = widthMsOf(timeframe);
      const startMs = Math.floor(nowMs / widthMs) * widthMs;
      // With many symbols a step moves one in eight, so that a list does not flicker as a whole.
      const moving = symbols.filter(
        (_, i) => symbols.length < 3 || (i * 7 + Math.floor(nowMs / tickMs)) % 8 === 0,
      );
      const closed = symbols.filter((symbol) => (openStarts.get(symbol) ?? startMs) < startMs);
      const rows = (names: string[], start: number) =>
        names.map((symbol): [string, FakeBar] => [symbol, this.#bar(symbol, timeframe, start, nowMs)]);
      if (closed.length > 0) this.#emit(subscription, 'closed', rows(closed, startMs - widthMs));
      if (moving.length > 0) this.#emit(subscription, 'live', rows(moving, startMs));
      for (const symbol of symbols) openStarts.set(symbol, startMs);
    }
  }

  #status(): WireStatus {
    const uptimeMs = Date.now() - this.#startMs;
    const rows = Math.round(uptimeMs * 0.412);
    return {
      version: '0.1.0',
      uptimeMs,
      simulated: true,
      feeds: this.#options.feeds ?? [fakeFeed(this.#tables, rows)],
      database: {
        lsn: rows,
        flushedLsn: rows,
        rowsWritten: rows,
        rowsRejected: 0,
        rowsDuplicate: 0,
        rowsCorrected: 0,
        rowsDeleted: 0,
        ticksOutsideSessions: 0,
        batchesWritten: Math.ceil(rows / 100),
        pendingBytes: (uptimeMs % 5000) * 13,
        hotBytes: 1_200_000,
        walBytes: 420_000,
        storeBytes: 4_820_000,
        flushes: Math.floor(uptimeMs / 5000),
        flushMsLast: 7.4,
        subscriptions: this.#all().length,
        writesStopped: null,
        tables: this.#tables.length,
        seriesCount: this.#tables.reduce((sum, { symbols }) => sum + symbols.length, 0),
        rowsDropped: 0,
        chunksDropped: 0,
        rowsTiered: 0,
        backfills: [],
      },
    };
  }
}

function fakeFeed(tables: FakeTable[], rows: number): WireStatus['feeds'][number] {
  return {
    name: 'twelvedata',
    kind: 'twelvedata',
    simulated: true,
    state: 'connected',
    table: tables.at(0)?.name ?? '',
    symbols: tables.at(0)?.symbols.map(({ symbol }) => symbol) ?? [],
    failedSymbols: [{ symbol: 'NOPE', reason: 'symbol not found' }],
    rowsReceived: rows,
    rowsWritten: rows,
    rowsRejected: 0,
    reconnects: 0,
    lastEventMs: Date.now(),
    lastError: null,
  };
}

function symbolsOf(table: FakeTable | undefined) {
  return (table?.symbols ?? []).map(({ symbol, name }) => ({ symbol, key: { symbol }, name }));
}

function columnsOf(table: FakeTable | undefined, rows: [string, FakeBar][]): WireColumns {
  const columns: WireColumns = {
    time: rows.map(([, bar]) => bar.timeMs),
    symbol: rows.map(([symbol]) => symbol),
    open: rows.map(([, bar]) => bar.open),
    high: rows.map(([, bar]) => bar.high),
    low: rows.map(([, bar]) => bar.low),
    close: rows.map(([, bar]) => bar.close),
  };
  if (table?.hasVolume) columns.volume = rows.map(([, bar]) => bar.volume);
  return columns;
}

function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
