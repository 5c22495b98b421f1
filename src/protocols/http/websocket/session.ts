/**
 * One WebSocket client: its subscriptions, and what is sent when.
 *
 * Events go out as soon as the bus says that some wait; no timer is in between. While more than a bound is unsent the
 * session takes nothing: live bars then conflate in the bus and queued rows are bounded there, so a slow client costs
 * bounded memory and learns what it missed. It goes on when the socket has sent what it held. A client that stays
 * behind too long is let go with code 1013 and the reason.
 */
import type { RawData, WebSocket } from 'ws';
import { CandelaError, toCandelaError } from '../../../core/errors.ts';
import type { Subscription } from '../../../engine/database.ts';
import { parseTimeframe } from '../../../market/timeframe.ts';
import type { HttpContext } from '../context.ts';
import { wireError } from '../error-map.ts';
import { symbolFilter, tableNamed, timeframesOf } from '../series-parameters.ts';
import type { WireEvent, WireRequest } from '../wire.ts';
import { eventText } from './event-text.ts';
import { checkRequest, parseMessage } from './request.ts';

type SubscribeMessage = Extract<WireRequest, { op: 'subscribe' }>;

/** What a client asked for; `subscription` is null while its snapshot is read. */
interface Running {
  asked: SubscribeMessage;
  subscription: Subscription | null;
}

/** How long a closing handshake may take before the connection is cut. */
const closeGraceMs = 5_000;

/** See the head of this file. */
export class WsSession {
  readonly #context: HttpContext;
  readonly #socket: WebSocket;
  readonly #running = new Map<string, Running>();
  /** Subscriptions with events that were not taken because the client was behind. */
  readonly #held = new Set<string>();
  readonly #onSent = () => this.#resume();
  #behindSinceMs: number | null = null;
  #windowStartMs = 0;
  #windowMessages = 0;

  constructor(context: HttpContext, socket: WebSocket) {
    this.#context = context;
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    // The library answers each; whoever sends many and reads nothing would pile up the answers here.
    socket.on('ping', () => this.#checkRate());
    socket.on('close', () => this.#end());
    socket.on('error', (error) => context.log.info({ err: error }, 'websocket client failed'));
  }

  /** Says good-bye; cuts the connection if the client does not answer. */
  close(code: number, reason: string): void {
    this.#end();
    this.#socket.close(code, reason);
    setTimeout(() => this.#socket.terminate(), closeGraceMs).unref();
  }

  /** To be called now and then: lets go of a client that has been behind for too long. */
  checkBehind(): void {
    if (this.#behindSinceMs === null) return;
    const behindMs = this.#context.clock.monotonicMs() - this.#behindSinceMs;
    if (behindMs < this.#context.limits.wsStalledMsMax) return;
    const unsent = this.#socket.bufferedAmount;
    this.#context.log.info({ behindMs, unsent }, 'websocket client reads too slowly');
    this.close(1013, `the client reads too slowly: ${unsent} bytes unsent`);
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#checkRate()) return;
    let id: string | null = null;
    try {
      const message = parseMessage(data, isBinary);
      id = typeof message.id === 'string' ? message.id : null;
      this.#carryOut(checkRequest(message));
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Counts a message, or lets the client go: then it is false. */
  #checkRate(): boolean {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= 1_000) {
      this.#windowStartMs = nowMs;
      this.#windowMessages = 0;
    }
    const { wsMessagesPerSecondMax } = this.#context.limits;
    if (++this.#windowMessages <= wsMessagesPerSecondMax) return true;
    this.close(1008, `more than ${wsMessagesPerSecondMax} messages a second`);
    return false;
  }

  #carryOut(request: WireRequest): void {
    if (request.op === 'ping') this.#send({ type: 'pong' });
    else if (request.op === 'unsubscribe') this.#unsubscribe(request.id);
    else this.#subscribe(request);
  }

  #subscribe(message: SubscribeMessage): void {
    const { limits } = this.#context;
    const { id } = message;
    if (this.#running.has(id)) {
      throw new CandelaError('INVALID_ARGUMENT', `there is a subscription '${id}' already`, {
        help: 'Unsubscribe it or choose another id.',
      });
    }
    if (this.#running.size >= limits.wsSubscriptionsMax) {
      const text = `a client may have ${limits.wsSubscriptionsMax} subscriptions`;
      throw new CandelaError('LIMIT_EXCEEDED', text, { help: 'Name several symbols in one subscription.' });
    }
    const running: Running = { asked: message, subscription: null };
    this.#running.set(id, running);
    this.#open(message).then(
      (subscription) => this.#begin(id, running, subscription),
      (error: unknown) => {
        if (this.#running.get(id) === running) this.#running.delete(id);
        this.#fail(id, error);
      },
    );
  }

  async #open(message: SubscribeMessage): Promise<Subscription> {
    const { database, limits } = this.#context;
    const table = tableNamed(database, message.table);
    const series = symbolFilter(table, message.symbols);
    const snapshot = message.snapshot ?? 0;
    if (snapshot > 0) {
      const rows = snapshot * database.series(table.name, series).length;
      if (Math.min(rows, table.rowCount < 0 ? rows : table.rowCount) > limits.wsSnapshotRowsMax) {
        const text = `a snapshot may have ${limits.wsSnapshotRowsMax} rows, this one would have ${rows}`;
        throw new CandelaError('LIMIT_EXCEEDED', text, { help: 'Ask for fewer rows or symbols.' });
      }
    }
    return database.subscribe({
      table: table.name,
      ...(message.timeframe === undefined ? {} : { timeframe: message.timeframe }),
      series,
      live: message.live !== false,
      closed: message.closed !== false,
      snapshot,
      throttleMs: message.throttleMs ?? 0,
    });
  }

  #begin(id: string, running: Running, subscription: Subscription): void {
    // Unsubscribed, or the client gone, while the snapshot was read.
    if (this.#running.get(id) !== running) {
      subscription.close();
      return;
    }
    running.subscription = subscription;
    this.#send({ type: 'subscribed', id });
    subscription.onReady(() => this.#deliver(id));
  }

  #unsubscribe(id: string): void {
    const running = this.#running.get(id);
    if (!running) throw new CandelaError('INVALID_ARGUMENT', `there is no subscription '${id}'`);
    this.#running.delete(id);
    this.#held.delete(id);
    running.subscription?.close();
    this.#send({ type: 'unsubscribed', id });
  }

  /** Sends what waits for one subscription, unless the client is behind. */
  #deliver(id: string): void {
    const running = this.#running.get(id);
    if (!running?.subscription) return;
    if (this.#socket.bufferedAmount > this.#context.limits.wsBufferedBytesMax) {
      this.#held.add(id);
      this.#behindSinceMs ??= this.#context.clock.monotonicMs();
      return;
    }
    const events = running.subscription.take();
    for (const event of events) {
      this.#socket.send(eventText(id, event, running.asked.time ?? 'iso'), this.#onSent);
    }
    if (events.length === 0) this.#checkThere(id, running.asked);
  }

  /** A subscription ends with the table or rollup that it is about: then the client is told. */
  #checkThere(id: string, { table: name, timeframe }: SubscribeMessage): void {
    const { database } = this.#context;
    const table = database.table(name);
    const isThere =
      table !== undefined &&
      (timeframe === undefined ||
        table.rollup !== null ||
        timeframesOf(database, table).includes(parseTimeframe(timeframe).text));
    if (isThere) return;
    this.#running.delete(id);
    const what = `'${name}'${timeframe === undefined ? '' : ` with timeframe ${timeframe}`}`;
    this.#fail(id, new CandelaError('TABLE_NOT_FOUND', `${what} was dropped; the subscription has ended`));
  }

  /** Called whenever the socket has sent something. */
  #resume(): void {
    if (this.#behindSinceMs === null) return;
    if (this.#socket.bufferedAmount > this.#context.limits.wsBufferedBytesMax) return;
    this.#behindSinceMs = null;
    const ids = [...this.#held];
    this.#held.clear();
    for (const id of ids) this.#deliver(id);
  }

  #send(event: WireEvent): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(event), this.#onSent);
  }

  #fail(id: string | null, error: unknown): void {
    const known = toCandelaError(error);
    if (known.kind === 'internal') this.#context.log.error({ err: error, id }, 'websocket request failed');
    else this.#context.log.info({ code: known.code, id }, known.message);
    this.#send({ type: 'error', id, error: wireError(known) });
  }

  #end(): void {
    this.#behindSinceMs = null;
    this.#held.clear();
    const ended = [...this.#running.values()];
    this.#running.clear();
    for (const { subscription } of ended) subscription?.close();
  }
}
