/**
 * A WebSocket that stays up: it connects again after errors, clean closes and silence alike, until it is stopped.
 *
 * ```
 *  connecting ──open──▶ connected ──close, error, silence──▶ reconnecting ──back-off──▶ connecting
 *       └────────────refused, unreachable─────────────────────▲
 * ```
 *
 * Back-off doubles from `reconnectMsMin` to `reconnectMsMax`, each wait shortened by up to half at random so that many
 * clients do not come back at once; it starts anew once a connection has delivered a message. Silence: no message
 * for three heartbeats, although the server answers each of ours.
 */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Clock } from '../../core/clock.ts';
import { createPrng, type Prng } from '../../core/prng.ts';
import type { FeedStatus } from '../../market/feed-status.ts';
import { pause } from '../pause.ts';

/** How to connect. */
export interface ConnectionOptions {
  /** Holds the key: it is never logged. */
  url: string;
  heartbeatMs: number;
  /** Sent every `heartbeatMs`. */
  heartbeat: string;
  reconnectMsMin: number;
  reconnectMsMax: number;
  clock: Clock;
}

/** What the owner is told. */
export interface ConnectionHandler {
  /** Connected, for the first time or again: subscribe. */
  onOpen(): void;
  /** A text frame. */
  onText(text: string): void;
  /** Down, with a reason for people; the next attempt comes in `delayMs`. */
  onDown(reason: string, delayMs: number): void;
}

/** Heartbeats without any message after which a connection counts as dead. */
const silenceHeartbeats = 3;
const handshakeMsMax = 10_000;
const messageBytesMax = 1 << 20;
const refusalBytesMax = 2048;
const closeMsMax = 1000;

/** See the head of this file. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #handler: ConnectionHandler;
  readonly #prng: Prng;
  readonly #stopping = new AbortController();
  #socket: WebSocket | undefined;
  #running: Promise<void> | undefined;
  #state: FeedStatus['state'] = 'connecting';
  #opened = 0;
  #lastMessageMs = 0;
  #paused = false;

  constructor(options: ConnectionOptions, handler: ConnectionHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#prng = createPrng(Math.floor(options.clock.monotonicMs() * 1000));
  }

  get state(): FeedStatus['state'] {
    return this.#state;
  }

  /** Times it came up again after having been up. */
  get reconnects(): number {
    return Math.max(0, this.#opened - 1);
  }

  /** Begins; connecting goes on in the background. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends for good; no message is delivered after it resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.resume();
    this.#socket?.close(1000);
    const timer = setTimeout(() => this.#socket?.terminate(), closeMsMax);
    await this.#running;
    clearTimeout(timer);
    this.#state = 'stopped';
  }

  /** Sends when connected; otherwise does nothing, as `onOpen` will come. */
  send(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** Stops reading from the network until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#lastMessageMs = this.#options.clock.monotonicMs();
    this.#socket?.resume();
  }

  async #run(): Promise<void> {
    const { reconnectMsMin, reconnectMsMax } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const { reason, delivered } = await this.#live();
      if (signal.aborted) return;
      failures = delivered ? 0 : failures + 1;
      const longestMs = Math.min(reconnectMsMax, reconnectMsMin * 2 ** failures);
      const delayMs = Math.round(longestMs * (1 - this.#prng.next() / 2));
      this.#state = 'reconnecting';
      this.#handler.onDown(reason, delayMs);
      await pause(delayMs, signal);
    }
  }

  /** One connection from the attempt to its end: why it ended, and whether it brought a message. */
  #live(): Promise<{ reason: string; delivered: boolean }> {
    const { url, clock } = this.#options;
    const socket = new WebSocket(url, {
      handshakeTimeout: handshakeMsMax,
      maxPayload: messageBytesMax,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    this.#paused = false;
    let reason = '';
    let delivered = false;
    let heartbeat: NodeJS.Timeout | undefined;
    return new Promise((resolve) => {
      socket.on('open', () => {
        this.#state = 'connected';
        this.#opened++;
        this.#lastMessageMs = clock.monotonicMs();
        heartbeat = this.#startHeartbeat(socket, (why) => {
          reason = why;
        });
        this.#handler.onOpen();
      });
      socket.on('message', (data) => {
        this.#lastMessageMs = clock.monotonicMs();
        delivered = true;
        this.#handler.onText(String(data));
      });
      socket.on('unexpected-response', (request, response) => {
        void describeRefusal(response).then((why) => {
          reason = why;
          request.destroy();
          socket.terminate();
        });
      });
      socket.on('error', (error) => {
        reason ||= error.message || String((error as NodeJS.ErrnoException).code);
      });
      socket.on('close', (code) => {
        clearInterval(heartbeat);
        resolve({ reason: reason || `closed by the server with code ${code}`, delivered });
      });
    });
  }

  #startHeartbeat(socket: WebSocket, onSilence: (reason: string) => void): NodeJS.Timeout {
    const { clock, heartbeatMs, heartbeat } = this.#options;
    const silentMs = (): number => (this.#paused ? 0 : clock.monotonicMs() - this.#lastMessageMs);
    const endIfSilent = (): void => {
      if (silentMs() <= silenceHeartbeats * heartbeatMs) return;
      onSilence(`no message for ${Math.round(silentMs())} ms`);
      socket.terminate();
    };
    return setInterval(() => {
      this.send(heartbeat);
      // After a standstill of our own, messages lie in the socket and the timer comes first: let it be read once.
      if (silentMs() > silenceHeartbeats * heartbeatMs) setImmediate(endIfSilent);
    }, heartbeatMs);
  }
}

/** What a server said that answered the handshake with plain HTTP, as Twelve Data does (200) to a wrong key. */
async function describeRefusal(response: IncomingMessage): Promise<string> {
  let body = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      body += chunk;
      if (body.length > refusalBytesMax) break;
    }
  } catch {
    // The status line alone has to do; the connection is given up in any case.
  }
  const { statusCode, statusMessage } = response;
  const said = body.slice(0, refusalBytesMax).trim();
  const advice =
    statusCode === 200 || statusCode === 401 || statusCode === 403
      ? ': check that the API key is the one you got from Twelve Data'
      : '';
  return `Handshake status ${statusCode} ${statusMessage}${advice}${said === '' ? '' : ` (it said ${said})`}`;
}
