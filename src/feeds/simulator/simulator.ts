/**
 * Exchange simulator: a WebSocket server that speaks Twelve Data's protocol to any client, our own feed and Twelve
 * Data's Python package alike, over a seeded market. Everything it says is marked as simulated by its exchange name.
 *
 * It answers subscribe, unsubscribe, reset and heartbeat; unknown symbols fail by name; a wrong key is answered with
 * plain HTTP 200 and a JSON error, as Twelve Data does. `{"action":"simulate","params":{…}}` changes the behaviour
 * for everyone: `rate`, `lateShare`, `lateMs`, `duplicateShare`, `burst`, `silent`, `drop` (`close` or `terminate`).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Clock, systemClock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import { type Logger, silentLogger } from '../../core/log.ts';
import { type ClientAction, type DropKind, parseClientAction } from './client-messages.ts';
import { type Behaviour, defaultBehaviour, type OutgoingEvent, SimulatedMarket } from './market.ts';
import { universe } from './universe.ts';

/** Where it listens and how it behaves; the rest of {@link Behaviour} has defaults. */
export interface SimulatorOptions extends Partial<Behaviour> {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: a free port. */
  port?: number;
  /** Default 1. */
  seed?: number;
  /** When set, clients with another key are refused. */
  apiKey?: string;
  clock?: Clock;
  log?: Logger;
}

/** A running simulator. */
export interface Simulator {
  /** Address for clients, without a key. */
  url: string;
  port: number;
  /** Price events sent, over all clients. */
  eventsSent(): number;
  clientCount(): number;
  /** Changes how the market behaves from now on. */
  change(behaviour: Partial<Behaviour>): void;
  /** Sends `count` events at once, over the symbols somebody subscribed to. */
  burst(count: number): void;
  /** Says nothing any more, heartbeats included, until told to speak again. */
  silence(silent: boolean): void;
  /** Ends every connection. */
  drop(kind: DropKind): void;
  close(): Promise<void>;
}

/** The path of Twelve Data's price stream. */
const path = '/v1/quotes/price';
const tickMs = 5;
const clientsMax = 100;
const messageBytesMax = 1 << 20;
/** A client this far behind is disconnected, as exchanges do: buffering on would fill the memory. */
const unsentBytesMax = 32 << 20;

/** Starts a simulator; resolves when it listens. Throws `INVALID_CONFIG` when the address is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const server = new SimulatorServer(options);
  await server.listen();
  return server;
}

class SimulatorServer implements Simulator {
  readonly #options: SimulatorOptions;
  readonly #log: Logger;
  readonly #market: SimulatedMarket;
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #clients = new Set<WebSocket>();
  readonly #listeners = new Map<string, Set<WebSocket>>();
  #port = 0;
  #timer: NodeJS.Timeout | undefined;
  #silent = false;
  #eventsSent = 0;

  constructor(options: SimulatorOptions) {
    const { host, port, seed = 1, apiKey, clock = systemClock, log = silentLogger, ...behaviour } = options;
    this.#options = options;
    this.#log = log;
    this.#market = new SimulatedMarket({ ...defaultBehaviour, ...behaviour }, seed, clock);
    this.#sockets = new WebSocketServer({
      noServer: true,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
    });
    this.#http = createServer(answerRequest);
    this.#http.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `ws://${this.#options.host ?? '127.0.0.1'}:${this.#port}${path}`;
  }

  async listen(): Promise<void> {
    const { host = '127.0.0.1', port = 0, seed = 1 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', (cause) => {
        const message = `the simulator cannot listen on ${host}:${port}: ${cause.message}`;
        reject(new CandelaError('INVALID_CONFIG', message, { cause }));
      });
      this.#http.listen(port, host, resolve);
    });
    this.#port = (this.#http.address() as AddressInfo).port;
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#log.info({ url: this.url, seed }, 'SIMULATED exchange: its prices are made up');
  }

  eventsSent(): number {
    return this.#eventsSent;
  }

  clientCount(): number {
    return this.#clients.size;
  }

  change(behaviour: Partial<Behaviour>): void {
    Object.assign(this.#market.behaviour, behaviour);
  }

  burst(count: number): void {
    this.#send(this.#market.burst([...this.#listeners.keys()], count));
  }

  silence(silent: boolean): void {
    this.#silent = silent;
  }

  drop(kind: DropKind): void {
    for (const client of this.#clients) {
      if (kind === 'close') client.close(1000);
      else client.terminate();
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.drop('terminate');
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { apiKey } = this.#options;
    const { pathname, searchParams } = new URL(request.url ?? '', 'ws://simulator');
    // An error on the raw socket before the upgrade has nobody else to take it.
    socket.on('error', (error) => this.#log.debug({ err: error }, 'client went away'));
    if (pathname !== path) {
      refuse(socket, '404 Not Found', 404, `the stream is at ${path}`);
    } else if (apiKey !== undefined && searchParams.get('apikey') !== apiKey) {
      refuse(socket, '200 OK', 401, '**apikey** parameter is incorrect or not specified.');
    } else if (this.#clients.size >= clientsMax) {
      refuse(socket, '503 Service Unavailable', 503, `no more than ${clientsMax} connections`);
    } else {
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#onClient(client));
    }
  }

  #onClient(client: WebSocket): void {
    this.#clients.add(client);
    client.on('message', (data) => this.#onAction(client, parseClientAction(String(data))));
    client.on('error', (error) => this.#log.debug({ err: error }, 'client failed'));
    client.on('close', () => {
      this.#clients.delete(client);
      this.#unsubscribe(client, [...this.#listeners.keys()]);
    });
  }

  #onAction(client: WebSocket, request: ClientAction): void {
    const answer = (message: object): void => {
      if (!this.#silent) client.send(JSON.stringify(message));
    };
    switch (request.action) {
      case 'subscribe': {
        const known = request.symbols.filter((symbol) => universe.has(symbol));
        const fails = request.symbols.filter((symbol) => !universe.has(symbol));
        for (const symbol of known) {
          this.#listeners.set(symbol, (this.#listeners.get(symbol) ?? new Set()).add(client));
        }
        answer(statusMessage('subscribe', known, fails));
        break;
      }
      case 'unsubscribe':
        this.#unsubscribe(client, request.symbols);
        answer(statusMessage('unsubscribe', request.symbols, []));
        break;
      case 'reset':
        this.#unsubscribe(client, [...this.#listeners.keys()]);
        answer({ event: 'reset-status', status: 'ok' });
        break;
      case 'heartbeat':
        answer({ event: 'heartbeat', status: 'ok' });
        break;
      case 'simulate':
        this.change(request.behaviour);
        this.#silent = request.silent ?? this.#silent;
        answer({ event: 'simulate-status', status: 'ok', ...this.#market.behaviour });
        if (request.burst > 0) this.burst(request.burst);
        if (request.drop) this.drop(request.drop);
        break;
      case 'invalid':
        answer({ event: 'message-processing', status: 'error', messages: [request.reason] });
    }
  }

  #unsubscribe(client: WebSocket, symbols: string[]): void {
    for (const symbol of symbols) {
      const listeners = this.#listeners.get(symbol);
      listeners?.delete(client);
      if (listeners?.size === 0) this.#listeners.delete(symbol);
    }
  }

  #tick(): void {
    if (this.#listeners.size > 0) this.#send(this.#market.due(this.#listeners.keys()));
  }

  #send(events: OutgoingEvent[]): void {
    if (this.#silent) return;
    for (const { symbol, text } of events) {
      for (const client of this.#listeners.get(symbol) ?? []) {
        if (client.bufferedAmount > unsentBytesMax) {
          this.#log.warn({}, 'a client does not keep up: disconnected');
          client.terminate();
          continue;
        }
        client.send(text);
        this.#eventsSent++;
      }
    }
  }
}

/** Plain HTTP. The Python package asks for this list before it connects, and is content with an empty one. */
function answerRequest(request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? '', 'http://simulator');
  const known = pathname === '/technical_indicators';
  const body = known
    ? { data: {}, status: 'ok' }
    : { code: 404, message: `the stream is at ${path}`, status: 'error' };
  response.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function statusMessage(action: 'subscribe' | 'unsubscribe', symbols: string[], fails: string[]): object {
  const success = symbols.flatMap((symbol) => {
    const instrument = universe.get(symbol);
    if (!instrument) return [];
    const { name, type } = instrument;
    return { symbol, exchange: 'SIMULATED', mic_code: 'SIMULATED', country: '', type, name };
  });
  return {
    event: `${action}-status`,
    status: fails.length === 0 ? 'ok' : success.length === 0 ? 'error' : 'warning',
    success,
    fails: fails.length === 0 ? null : fails.map((symbol) => ({ symbol })),
  };
}

function refuse(socket: Duplex, status: string, code: number, message: string): void {
  const body = JSON.stringify({ code, message, status: 'error' });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}
