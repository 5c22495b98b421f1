/**
 * One WebSocket to `/ws`, kept alive.
 *
 * Guarantee: while a stream is open, its subscription exists on every connection, and the stream's consumer sees
 * `begin` each time it is made anew: what it knew before may have a hole, and the snapshot that follows fills it.
 * Each subscription gets an id of its own, so an event that was under way when a stream closed, or when the
 * connection was lost, reaches nobody.
 *
 * ```
 * connecting ──open──▶ open ──lost or silent──▶ waiting(0.5 s … 10 s) ──▶ connecting
 * ```
 */
import type { WireEvent, WireRequest } from '../../src/protocols/http/wire.ts';
import { reconnectDelayMs } from '../model/reconnect.ts';

/** A subscription without its id, which the socket chooses. */
export type StreamRequest = Omit<Extract<WireRequest, { op: 'subscribe' }>, 'op' | 'id'>;

/** What a stream's consumer is told: the server's events, or that the subscription starts (again). */
export type StreamEvent = Exclude<WireEvent, { type: 'pong' }> | { type: 'begin' };

/** A running subscription. */
export interface Stream {
  /** Subscribes anew, for a new snapshot. */
  restart(): void;
  close(): void;
}

/** Where the connection stands. */
export type ConnectionState =
  | { name: 'connecting' }
  | { name: 'open' }
  | { name: 'waiting'; delayMs: number };

/** What the socket needs from its surroundings; tests bring their own. */
export interface SocketParts {
  connect(): WebSocket;
  onState(state: ConnectionState): void;
  /** Uniform in [0, 1). */
  chance(): number;
}

const pingIntervalMs = 10_000;
/** A connection that leaves so many pings in a row unanswered is dead, whatever TCP believes. */
const silentPingsMax = 2;

interface OpenStream {
  id: string;
  request: () => StreamRequest;
  onEvent: (event: StreamEvent) => void;
}

/** Connects at once and for as long as it is not closed. */
export class LiveSocket {
  readonly #parts: SocketParts;
  readonly #streams = new Map<string, OpenStream>();
  readonly #pingTimer: ReturnType<typeof setInterval>;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** Null while waiting for the next attempt. */
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isClosed = false;
  #attempts = 0;
  #idCount = 0;
  #silentPings = 0;

  constructor(parts: SocketParts) {
    this.#parts = parts;
    this.#pingTimer = setInterval(() => this.#ping(), pingIntervalMs);
    this.#connect();
  }

  /** `request` is asked at every (re)subscription, so that it can say how much is on the screen by then. */
  subscribe(request: () => StreamRequest, onEvent: (event: StreamEvent) => void): Stream {
    const stream: OpenStream = { id: '', request, onEvent };
    this.#begin(stream);
    return {
      restart: () => {
        this.#end(stream);
        this.#begin(stream);
      },
      close: () => this.#end(stream),
    };
  }

  /** Tries at once instead of waiting on: the browser is back online, or someone looks at the page again. */
  retryNow(): void {
    if (!this.#isClosed && this.#socket === null) this.#connect();
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#pingTimer);
    clearTimeout(this.#retryTimer);
    this.#socket?.close();
  }

  #connect(): void {
    clearTimeout(this.#retryTimer);
    this.#silentPings = 0;
    this.#parts.onState({ name: 'connecting' });
    const socket = this.#parts.connect();
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = ({ data }) => this.#received(JSON.parse(String(data)) as WireEvent);
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #opened(): void {
    this.#isOpen = true;
    this.#silentPings = 0;
    this.#parts.onState({ name: 'open' });
    for (const stream of [...this.#streams.values()]) this.#begin(stream);
  }

  #lost(): void {
    this.#isOpen = false;
    this.#socket = null;
    if (this.#isClosed) return;
    const delayMs = reconnectDelayMs(this.#attempts++, this.#parts.chance());
    this.#parts.onState({ name: 'waiting', delayMs });
    this.#retryTimer = setTimeout(() => this.#connect(), delayMs);
  }

  #received(event: WireEvent): void {
    this.#silentPings = 0;
    this.#attempts = 0;
    if (event.type === 'pong') return;
    if (event.id !== null) this.#streams.get(event.id)?.onEvent(event);
    else for (const stream of this.#streams.values()) stream.onEvent(event);
  }

  #begin(stream: OpenStream): void {
    this.#streams.delete(stream.id);
    stream.id = `s${++this.#idCount}`;
    this.#streams.set(stream.id, stream);
    if (!this.#isOpen) return;
    stream.onEvent({ type: 'begin' });
    this.#send({ op: 'subscribe', id: stream.id, ...stream.request() });
  }

  #end(stream: OpenStream): void {
    this.#send({ op: 'unsubscribe', id: stream.id });
    this.#streams.delete(stream.id);
  }

  #send(request: WireRequest): void {
    if (this.#isOpen) this.#socket?.send(JSON.stringify(request));
  }

  #ping(): void {
    // Counted while connecting too: an attempt that hangs is given up like a connection that died.
    if (this.#socket === null) return;
    if (this.#silentPings >= silentPingsMax) {
      const dead = this.#socket;
      this.#lost();
      dead?.close();
      return;
    }
    this.#silentPings++;
    this.#send({ op: 'ping' });
  }
}
