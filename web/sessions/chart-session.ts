/**
 * The chart's data: the bars of one series in one timeframe, from the moment it is opened until another one is.
 *
 * ```
 * /ws  snapshot ──▶ bars ◀── live, closed, correction
 *                    ▲
 * GET /api/v1/bars ──┘  older ones, a page at a time, when the left edge comes near
 * ```
 *
 * Guarantee: after `close` nothing of this series reaches the chart any more. A lost connection keeps what is drawn;
 * the snapshot of the new one asks for as many bars as were loaded and replaces them all, so no hole remains.
 */
import type { WireColumns, WireTable } from '../../src/protocols/http/wire.ts';
import { type Api, ApiError } from '../api-client/http.ts';
import type { LiveSocket, Stream, StreamEvent } from '../api-client/live-socket.ts';
import type { Bar } from '../model/bar.ts';
import { applyBar, prependBars, sortedByTime, trimBars } from '../model/bar-store.ts';
import { decodeBars, missingColumns } from '../model/decode-bars.ts';
import { priceDecimals } from '../model/price-format.ts';

/** Which bars. */
export interface ChartSource {
  table: WireTable;
  timeframe: string;
  /** See `seriesLabel`. */
  series: string;
  keyValues: string[];
}

/** Where the session stands. */
export interface ChartState {
  bars: readonly Bar[];
  decimals: number;
  hasVolume: boolean;
  /** Whether the server has answered at all. */
  isReady: boolean;
  error: ApiError | null;
}

/** How the chart must be redrawn: all of it (`fresh`: from the newest bar on), or one bar. */
export type ChartChange =
  | { kind: 'all'; fresh: boolean }
  | { kind: 'bar'; bar: Bar; isLast: boolean }
  | { kind: 'none' };

/** What the session uses and whom it tells. */
export interface ChartSessionParts {
  api: Api;
  socket: Pick<LiveSocket, 'subscribe'>;
  onChange(state: ChartState, change: ChartChange): void;
}

/** Bars a first snapshot and a page of history bring. */
const pageRows = 500;
/** Most bars a snapshot asks for after a reconnect. */
const snapshotRowsMax = 5_000;
/** Scrolling back stops here … */
const historyBarsMax = 40_000;
/** … and live bars push the oldest out from here on. */
const barsMax = 50_000;
/** Least time between two live states of one bar. */
const throttleMs = 100;

/** A running session. */
export class ChartSession {
  readonly source: ChartSource;
  readonly #parts: ChartSessionParts;
  readonly #stream: Stream;
  readonly #bars: Bar[] = [];
  #state: Omit<ChartState, 'bars'> = { decimals: 2, hasVolume: false, isReady: false, error: null };
  #awaitsSnapshot = true;
  #hasShown = false;
  /** History before the first bar is known to be empty. */
  #isComplete = false;
  #history: AbortController | null = null;

  constructor(source: ChartSource, parts: ChartSessionParts) {
    this.source = source;
    this.#parts = parts;
    this.#stream = parts.socket.subscribe(
      () => this.#request(),
      (event) => this.#receive(event),
    );
  }

  /** The bars and what is known of them. */
  state(): ChartState {
    return { bars: this.#bars, ...this.#state };
  }

  /** Reads the page of bars before the first one, unless one is on its way or there are none. */
  async loadOlder(): Promise<void> {
    const oldest = this.#bars.at(0);
    if (!oldest || this.#history || this.#isComplete || this.#bars.length >= historyBarsMax) return;
    const { table, timeframe, keyValues } = this.source;
    const request = new AbortController();
    this.#history = request;
    try {
      const key = Object.fromEntries(table.seriesKey.map((column, i) => [column, keyValues[i]]));
      const query = { table: table.name, timeframe, key, toMs: oldest.timeMs, limit: pageRows };
      const page = await this.#parts.api.bars(query, request.signal);
      // The answer may have been complete already when a new snapshot made it pointless.
      if (request.signal.aborted) return;
      const added = prependBars(this.#bars, this.#own(page.columns));
      this.#isComplete = added === 0;
      this.#history = null;
      if (added > 0) this.#tell({ kind: 'all', fresh: false });
    } catch (error) {
      if (request.signal.aborted) return;
      this.#history = null;
      // The chart stands as it is and asks again when the user scrolls on; the connection's state is shown elsewhere.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  close(): void {
    this.#stream.close();
    this.#history?.abort();
  }

  #request() {
    const { table, timeframe, keyValues } = this.source;
    const symbol = keyValues.at(0);
    return {
      table: table.name,
      timeframe,
      ...(symbol === undefined ? {} : { symbols: [symbol] }),
      live: true,
      closed: true,
      snapshot: Math.min(snapshotRowsMax, Math.max(pageRows, this.#bars.length)),
      throttleMs,
      time: 'ms' as const,
    };
  }

  #receive(event: StreamEvent): void {
    switch (event.type) {
      case 'begin':
        this.#awaitsSnapshot = true;
        this.#history?.abort();
        this.#history = null;
        return;
      case 'snapshot':
      case 'live':
      case 'closed':
      case 'correction':
        this.#accept(event.type === 'snapshot', event.columns, event.rowCount);
        return;
      case 'deleted':
      case 'lagged':
        // Bars are gone, or closed bars were left out: only a new snapshot makes the series whole again.
        this.#stream.restart();
        return;
      case 'error':
        this.#state = { ...this.#state, isReady: true, error: new ApiError(event.error) };
        this.#tell({ kind: 'none' });
        return;
      default:
    }
  }

  #accept(isSnapshot: boolean, columns: WireColumns, rowCount: number): void {
    const missing = rowCount > 0 ? missingColumns(columns) : [];
    if (missing.length > 0) {
      this.#state = { ...this.#state, isReady: true, error: notCandles(this.source, missing) };
      this.#tell({ kind: 'none' });
      return;
    }
    const bars = this.#own(columns);
    this.#learn(bars);
    if (isSnapshot && this.#awaitsSnapshot) this.#replaceAll(bars);
    else for (const bar of bars) this.#apply(bar);
    if (trimBars(this.#bars, barsMax)) {
      this.#isComplete = false;
      this.#tell({ kind: 'all', fresh: false });
    }
  }

  #replaceAll(bars: Bar[]): void {
    this.#awaitsSnapshot = false;
    this.#isComplete = false;
    this.#bars.splice(0, this.#bars.length, ...sortedByTime(bars));
    this.#tell({ kind: 'all', fresh: !this.#hasShown });
    this.#hasShown ||= bars.length > 0;
  }

  #apply(bar: Bar): void {
    const change = applyBar(this.#bars, bar, this.#isComplete);
    if (change === 'ignored') return;
    if (change === 'inserted') this.#tell({ kind: 'all', fresh: false });
    else this.#tell({ kind: 'bar', bar, isLast: change !== 'corrected' });
  }

  /** With a series key of several columns the subscription, which names the first only, brings others' bars too. */
  #own(columns: WireColumns): Bar[] {
    const own = decodeBars(this.source.table, columns).filter(({ series }) => series === this.source.series);
    return own.map(({ bar }) => bar);
  }

  #learn(bars: readonly Bar[]): void {
    const prices = bars.flatMap(({ open, high, low, close }) => [open, high, low, close]);
    const decimals = Math.max(this.#state.decimals, priceDecimals(prices));
    const hasVolume = this.#state.hasVolume || bars.some(({ volume }) => volume !== null);
    this.#state = { decimals, hasVolume, isReady: true, error: null };
  }

  #tell(change: ChartChange): void {
    this.#parts.onChange(this.state(), change);
  }
}

function notCandles({ table, timeframe }: ChartSource, missing: string[]): ApiError {
  return new ApiError({
    code: 'NOT_CANDLES',
    message: `The ${timeframe} bars of ${table.name} are not candles`,
    help: `They have no ${missing.join(', ')}. Create rollups with createCandles, or name the aggregates so.`,
  });
}
