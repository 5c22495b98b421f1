import { must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import type { FeedStatus } from '../../market/feed-status.ts';
import type { Batcher } from '../batcher.ts';
import type { Feed, FeedContext } from '../feed.ts';
import { type CompanyNames, companyNames } from './company-names.ts';
import { Connection } from './connection.ts';
import {
  formatSymbolAction,
  heartbeatAction,
  type PriceEvent,
  parseServerEvent,
  type StatusEvent,
  type SymbolRequest,
} from './messages.ts';
import { parseSymbols, symbolText } from './symbols.ts';
import { companyColumns, ensureTwelveDataTables, priceColumns } from './tables.ts';

/** What a Twelve Data feed is made from. */
export interface TwelveDataOptions {
  /** With the key. */
  url: string;
  symbols: SymbolRequest[];
  table: string;
  companyTable: string;
  timeframes: readonly string[];
  batchRows: number;
  batchMs: number;
  heartbeatMs: number;
  reconnectMsMin: number;
  reconnectMsMax: number;
  /** The source is a simulator; also noticed from its messages. */
  simulated: boolean;
}

/** The exchange name under which our simulator delivers. */
const simulatedExchange = 'SIMULATED';

/** One connection to Twelve Data: prices into the price table, names into the company table. */
export class TwelveDataFeed implements Feed {
  readonly #name: string;
  readonly #options: TwelveDataOptions;
  readonly #context: FeedContext;
  readonly #connection: Connection;
  readonly #symbols = new Map<string, SymbolRequest>();
  readonly #failed = new Map<string, string>();
  #prices: Batcher | undefined;
  #companies: Batcher | undefined;
  #names: CompanyNames | undefined;
  #simulated: boolean;
  #lastEventMs: number | null = null;
  #connectionError: string | null = null;
  #sourceError: string | null = null;

  constructor(name: string, options: TwelveDataOptions, context: FeedContext) {
    this.#name = name;
    this.#options = options;
    this.#context = context;
    this.#simulated = options.simulated;
    for (const request of options.symbols) this.#symbols.set(symbolText(request), request);
    this.#connection = new Connection(
      { ...options, heartbeat: heartbeatAction, clock: context.clock },
      {
        onOpen: () => this.#onOpen(),
        onText: (text) => this.#onText(text),
        onDown: (reason, delayMs) => this.#onDown(reason, delayMs),
      },
    );
  }

  async start(): Promise<void> {
    const { database, createBatcher, log } = this.#context;
    const { table, companyTable, timeframes, batchRows, batchMs } = this.#options;
    await ensureTwelveDataTables(database, { prices: table, company: companyTable, timeframes });
    this.#prices = createBatcher({ table, columns: priceColumns, rowsMax: batchRows, ageMsMax: batchMs });
    this.#companies = createBatcher({ table: companyTable, columns: companyColumns });
    this.#names = await companyNames(database, companyTable, this.#companies);
    if (this.#simulated) log.warn({}, 'SIMULATED prices: made up by the simulator, not by a market');
    this.#connection.start();
  }

  async stop(): Promise<void> {
    await this.#connection.stop();
    await this.#prices?.close();
    await this.#companies?.close();
  }

  async subscribe(symbols: string[]): Promise<void> {
    // One that was refused is asked for again.
    const requests = requestsOf(symbols).filter(
      (request) => !this.#symbols.has(symbolText(request)) || this.#failed.has(request.symbol),
    );
    for (const request of requests) this.#symbols.set(symbolText(request), request);
    if (requests.length > 0) this.#connection.send(formatSymbolAction('subscribe', requests));
  }

  async unsubscribe(symbols: string[]): Promise<void> {
    const names = new Set(requestsOf(symbols).map(symbolText));
    const removed = [...this.#symbols].filter(
      ([text, request]) => names.has(text) || names.has(request.symbol),
    );
    for (const [text, request] of removed) {
      this.#symbols.delete(text);
      this.#failed.delete(request.symbol);
    }
    if (removed.length === 0) return;
    this.#connection.send(
      formatSymbolAction(
        'unsubscribe',
        removed.map(([, request]) => request),
      ),
    );
  }

  status(): FeedStatus {
    const counts = this.#prices?.counts();
    return {
      name: this.#name,
      kind: 'twelvedata',
      simulated: this.#simulated,
      state: this.#connection.state,
      table: this.#options.table,
      symbols: [...this.#symbols].flatMap(([text, { symbol }]) => (this.#failed.has(symbol) ? [] : [text])),
      failedSymbols: [...this.#failed].map(([symbol, reason]) => ({ symbol, reason })),
      rowsReceived: counts?.rowsReceived ?? 0,
      rowsWritten: counts?.rowsWritten ?? 0,
      rowsRejected: counts?.rowsRejected ?? 0,
      reconnects: this.#connection.reconnects,
      lastEventMs: this.#lastEventMs,
      lastError: this.#connectionError ?? this.#sourceError ?? counts?.lastError ?? null,
    };
  }

  #onOpen(): void {
    const { log, clock } = this.#context;
    const gapMs = this.#lastEventMs === null ? null : clock.nowMs() - this.#lastEventMs;
    if (gapMs === null) log.info({}, 'connected');
    else log.warn({ gapMs }, `connected again; prices of the last ${gapMs} ms may be missing`);
    if (this.#symbols.size > 0) {
      this.#connection.send(formatSymbolAction('subscribe', [...this.#symbols.values()]));
    }
  }

  #onDown(reason: string, delayMs: number): void {
    this.#connectionError = reason;
    this.#context.log.warn(
      { delayMs },
      `connection lost or refused: ${reason}; next attempt in ${delayMs} ms`,
    );
  }

  #onText(text: string): void {
    const message = parseServerEvent(text);
    this.#lastEventMs = this.#context.clock.nowMs();
    this.#connectionError = null;
    switch (message.event) {
      case 'price':
        this.#onPrice(message.price);
        break;
      case 'status':
        this.#onStatus(message.status);
        break;
      case 'error':
        this.#sourceError = `the source could not read a message: ${message.messages.join('; ')}`;
        this.#context.log.error({ messages: message.messages }, this.#sourceError);
        break;
      case 'bad':
        must(this.#prices, 'price batcher').reject(message.reason);
        break;
      case 'other':
        this.#context.log.info({ event: message.name }, 'event of an unknown kind');
        break;
      case 'heartbeat':
        break;
    }
  }

  #onPrice(price: PriceEvent): void {
    const prices = must(this.#prices, 'price batcher');
    this.#noteSource(price.exchange);
    this.#names?.learn(price.symbol, price.name);
    if (prices.push([price.timeNs, price.symbol, price.price, price.dayVolume])) return;
    this.#connection.pause();
    void prices.ready().then(() => this.#connection.resume());
  }

  #onStatus({ action, status, success, fails, messages }: StatusEvent): void {
    const { log } = this.#context;
    if (action === 'subscribe') {
      for (const { symbol, exchange, name } of success) {
        this.#failed.delete(symbol);
        this.#noteSource(exchange);
        this.#names?.learn(symbol, name);
      }
      const reason = messages.join('; ') || `${action} answered with status ${status}`;
      for (const symbol of fails) this.#failed.set(symbol, reason);
      this.#sourceError = fails.length > 0 ? `symbols refused: ${fails.join(', ')} (${reason})` : null;
    }
    if (fails.length > 0) log.warn({ symbols: fails, messages }, `${action} failed for ${fails.join(', ')}`);
    else log.info({ symbols: success.map(({ symbol }) => symbol), messages }, `${action}: ${status}`);
  }

  #noteSource(exchange: string | null): void {
    if (exchange !== simulatedExchange || this.#simulated) return;
    this.#simulated = true;
    this.#context.log.warn({}, 'SIMULATED prices: made up by the simulator, not by a market');
  }
}

function requestsOf(symbols: string[]): SymbolRequest[] {
  const requests = parseSymbols(symbols);
  if (requests) return requests;
  throw new CandelaError('INVALID_ARGUMENT', 'there are too many symbols for one connection');
}
