/**
 * One WebSocket client: its subscriptions, and what is sent when.
 *
 * Events go out as soon as the bus says that some wait. While more than a bound is unsent the session takes
 * nothing: live bars then
 * conflate in the bus and queued rows are bounded there, so a slow client costs bounded memory and learns what
 * it missed.
 * A client that stays behind too long is let go with code 1013.
 */
import type { RawData, WebSocket } from 'ws';
import { encodeJsonColumns } from '../../../codecs/encode/encode-json.ts';
import type { TimeFormat } from '../../../codecs/encode/time-text.ts';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import type { BusEvent, Subscription } from '../../../engine/database.ts';
import type { HttpContext } from '../context.ts';
import { wireError } from '../error-map.ts';
import { symbolFilter, tableNamed } from '../series-parameters.ts';
import type { WireEvent, WireRequest } from '../wire.ts';

interface Running {
  subscription: Subscription;
  time: TimeFormat;
}

/** How often a client that was behind is looked at again. */
const drainCheckMs = 10;

/** See the head of this file. */
export class WsSession {
  readonly #context: HttpContext;
  readonly #socket: WebSocket;
  readonly #running = new Map<string, Running>();
  /** Names being subscribed, so that a name is not taken twice while its snapshot is read. */
  readonly #starting = new Set<string>();
  readonly #waiting = new Set<string>();
  #drainTimer: NodeJS.Timeout | undefined;
  #behindSinceMs: number | null = null;
  #windowStartMs = 0;
  #windowMessages = 0;

  constructor(context: HttpContext, socket: WebSocket) {
    this.#context = context;
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    socket.on('close', () => this.#end());
    socket.on('error', (error) => context.log.info({ err: error }, 'websocket client failed'));
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.#isWithinRate()) {
      this.#socket.close(1008, 'too many messages a second');
      return;
    }
    let id: string | null = null;
    try {
      const request = parseRequest(data, isBinary);
      id = 'id' in request ? request.id : null;
      this.#carryOut(request);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  #isWithinRate(): boolean {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= 1_000) {
      this.#windowStartMs = nowMs;
      this.#windowMessages = 0;
    }
    return ++this.#windowMessages <= this.#context.limits.wsMessagesPerSecondMax;
  }

  #carryOut(request: WireRequest): void {
    switch (request.op) {
      case 'ping':
        this.#send({ type: 'pong' });
        break;
      case 'unsubscribe':
        this.#unsubscribe(request.id);
        break;
      default:
        this.#subscribe(request).catch((error: unknown) => {
          this.#starting.delete(request.id);
          this.#fail(request.id, error);
        });
    }
  }

  async #subscribe(request: Extract<WireRequest, { op: 'subscribe' }>): Promise<void> {
    const { database, limits } = this.#context;
    const { id } = request;
    if (this.#running.has(id) || this.#starting.has(id)) {
      throw new CandelaError('INVALID_ARGUMENT', `there is a subscription '${id}' already`, {
        help: 'Unsubscribe it or choose another id.',
      });
    }
    if (this.#running.size + this.#starting.size >= limits.wsSubscriptionsMax) {
      throw new CandelaError(
        'LIMIT_EXCEEDED',
        `a client may have ${limits.wsSubscriptionsMax} subscriptions`,
      );
    }
    this.#starting.add(id);
    const table = tableNamed(database, request.table);
    const subscription = await database.subscribe({
      table: table.name,
      ...(request.timeframe === undefined ? {} : { timeframe: request.timeframe }),
      series: symbolFilter(table, request.symbols),
      live: request.live !== false,
      closed: request.closed !== false,
      snapshot: Math.min(request.snapshot ?? 0, limits.rowsMax),
      throttleMs: request.throttleMs ?? 0,
    });
    // Unsubscribed, or the client gone, while the snapshot was read.
    if (!this.#starting.delete(id) || this.#socket.readyState !== this.#socket.OPEN)
      return subscription.close();
    this.#running.set(id, { subscription, time: request.time ?? 'iso' });
    this.#send({ type: 'subscribed', id });
    subscription.onReady(() => this.#deliver(id));
  }

  #unsubscribe(id: string): void {
    const running = this.#running.get(id);
    if (!running && !this.#starting.delete(id))
      throw new CandelaError('INVALID_ARGUMENT', `there is no subscription '${id}'`);
    this.#running.delete(id);
    this.#waiting.delete(id);
    running?.subscription.close();
    this.#send({ type: 'unsubscribed', id });
  }

  /** Sends what waits for one subscription, unless the client is behind. */
  #deliver(id: string): void {
    const running = this.#running.get(id);
    if (!running) return;
    if (this.#socket.bufferedAmount > this.#context.limits.wsBufferedBytesMax) {
      this.#waiting.add(id);
      this.#watchDrain();
      return;
    }
    for (const event of running.subscription.take()) this.#socket.send(eventText(id, event, running.time));
  }

  #watchDrain(): void {
    this.#behindSinceMs ??= this.#context.clock.monotonicMs();
    this.#drainTimer ??= setInterval(() => this.#checkDrain(), drainCheckMs);
  }

  #checkDrain(): void {
    const { limits, clock } = this.#context;
    if (this.#socket.bufferedAmount > limits.wsBufferedBytesMax) {
      if (clock.monotonicMs() - (this.#behindSinceMs ?? 0) < limits.wsStalledMsMax) return;
      this.#socket.close(1013, 'the client reads too slowly');
      this.#socket.terminate();
      return;
    }
    this.#stopDrain();
    const ids = [...this.#waiting];
    this.#waiting.clear();
    for (const id of ids) this.#deliver(id);
  }

  #stopDrain(): void {
    clearInterval(this.#drainTimer);
    this.#drainTimer = undefined;
    this.#behindSinceMs = null;
  }

  #send(event: WireEvent): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(event));
  }

  #fail(id: string | null, error: unknown): void {
    const known = toCandelaError(error);
    if (known.kind === 'internal') this.#context.log.error({ err: error, id }, 'websocket request failed');
    else this.#context.log.info({ code: known.code, id }, known.message);
    this.#send({ type: 'error', id, error: wireError(known) });
  }

  #end(): void {
    this.#stopDrain();
    this.#starting.clear();
    for (const { subscription } of this.#running.values()) subscription.close();
    this.#running.clear();
  }
}

function eventText(id: string, event: BusEvent, time: TimeFormat): string {
  if (event.type === 'lagged')
    return JSON.stringify({ type: 'lagged', id, dropped: event.dropped } satisfies WireEvent);
  const columns = [...encodeJsonColumns(event.rows, time)].join('');
  return `{"type":"${event.type}","id":${JSON.stringify(id)},"rowCount":${event.rows.rowCount},"columns":${columns}}`;
}

const times: readonly unknown[] = ['iso', 's', 'ms', 'us', 'ns', undefined];

function parseRequest(data: RawData, isBinary: boolean): WireRequest {
  if (isBinary) throw malformed('a binary message');
  let request: Partial<Record<string, unknown>>;
  try {
    request = JSON.parse(String(data));
  } catch {
    throw new CandelaError('SYNTAX', 'the message is not JSON', { help: help });
  }
  if (typeof request !== 'object' || request === null) throw malformed('not an object');
  const { op, id, table, timeframe, symbols, snapshot, throttleMs, time } = request;
  if (op === 'ping') return { op };
  if (op !== 'subscribe' && op !== 'unsubscribe') throw malformed(`op '${String(op)}'`);
  if (typeof id !== 'string' || id.length > 200)
    throw malformed('id is not a string of up to 200 characters');
  if (op === 'unsubscribe') return { op, id };
  if (typeof table !== 'string') throw malformed('table is not a string');
  if (timeframe !== undefined && typeof timeframe !== 'string') throw malformed('timeframe is not a string');
  const isList =
    symbols === undefined ||
    (Array.isArray(symbols) && symbols.every((symbol) => typeof symbol === 'string'));
  if (!isList) throw malformed('symbols is not a list of strings');
  for (const [name, value] of Object.entries({ snapshot, throttleMs })) {
    if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0))
      throw malformed(`${name} is not a whole number from 0`);
  }
  if (!times.includes(time)) throw malformed(`time '${String(time)}'`);
  return request as unknown as WireRequest;
}

const help =
  'Send {"op":"subscribe","id":"a","table":"…","timeframe":"1m","symbols":["…"]}, ' +
  '{"op":"unsubscribe","id":"a"} or {"op":"ping"}.';

function malformed(what: string): CandelaError {
  return new CandelaError('INVALID_ARGUMENT', `a message that is not understood: ${what}`, { help });
}
