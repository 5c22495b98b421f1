/**
 * The page: connects what is known (tables, symbols, bars, status) with what is shown. One way round:
 *
 * ```
 * address (#table, symbol, timeframe) ─▶ App ─▶ sessions ─▶ models ─▶ views
 *        ▲                                                              │
 *        └───────────────────── what the user picks ◀───────────────────┘
 * ```
 */
import type { WireStatus, WireTable } from '../src/protocols/http/wire.ts';
import { ApiError, createApi, signIn } from './api-client/http.ts';
import { LiveSocket } from './api-client/live-socket.ts';
import { ChartPanel } from './chart-panel.ts';
import { noticeFor } from './model/notice.ts';
import { formatRoute, parseRoute, type Route } from './model/route.ts';
import { seriesLabel } from './model/series-key.ts';
import { chooseTimeframe, shorterTimeframe, sortedTimeframes } from './model/timeframe.ts';
import { createWatchList, listSeries, type WatchList } from './model/watch-list.ts';
import { readToken, writeToken } from './preferences.ts';
import { startStatusPoll } from './sessions/status-poll.ts';
import { openWatchSession } from './sessions/watch-session.ts';
import { showNotice } from './views/notice-view.ts';
import { SearchView } from './views/search-view.ts';
import { createStatusView, showConnection } from './views/status-view.ts';
import { startTheme } from './views/theme.ts';
import { createToolbarView } from './views/toolbar-view.ts';
import { WatchView } from './views/watch-view.ts';

/** With fewer candles than this a shorter timeframe shows more. */
const candlesWanted = 20;

/** The running page; there is one. */
export class App {
  readonly #api = createApi(document.baseURI, readToken);
  readonly #socket = new LiveSocket({
    connect: () => new WebSocket(socketUrl(document.baseURI, readToken())),
    onState: showConnection,
    chance: () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32,
  });
  readonly #panel: ChartPanel;
  readonly #poll: { pollNow(): void };
  readonly #showStatus = createStatusView();
  readonly #showToolbar = createToolbarView({
    onTable: (table) => this.#go({ table }),
    onTimeframe: (timeframe) => {
      this.#mayShorten = false;
      this.#go({ ...this.#shown(), timeframe });
    },
  });
  readonly #watch = new WatchView((symbol) => this.#go({ ...this.#shown(), symbol }));
  readonly #search = new SearchView((symbol) => this.#go({ ...this.#shown(), symbol }));

  /** Tables with candles; null until the server has listed them. */
  #tables: WireTable[] | null = null;
  #table: WireTable | null = null;
  #list: WatchList = createWatchList('day-open');
  /** The server has listed the table's symbols. */
  #isListed = false;
  #watchSession: { close(): void } | null = null;
  #error: ApiError | null = null;
  /** Nobody has asked for a timeframe yet. */
  #mayShorten = false;
  /** What the catalog on the page was read at; another value in a status means it has changed. */
  #catalogMark = '';
  #isReadingCatalog = false;

  constructor() {
    this.#panel = new ChartPanel({
      api: this.#api,
      socket: this.#socket,
      nameOf: (series) => this.#list.entries.get(series)?.name ?? null,
      onState: () => {
        this.#drawNotice();
        this.#settleTimeframe();
      },
    });
    startTheme(() => this.#panel.repaint());
    addEventListener('hashchange', () => void this.#followRoute());
    addEventListener('keydown', (event) => this.#onKey(event));
    this.#poll = startStatusPoll({
      api: this.#api,
      onStatus: (status) => this.#onStatus(status),
      onError: (error) => this.#fail(error),
    });
    const wake = (): void => {
      if (document.hidden) return;
      this.#socket.retryNow();
      this.#poll.pollNow();
    };
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
  }

  #onKey(event: KeyboardEvent): void {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#search.focus();
  }

  #onStatus(status: WireStatus): void {
    this.#showStatus(status);
    const mark = `${status.database.tables} ${status.database.seriesCount}`;
    if (mark !== this.#catalogMark || this.#error) void this.#readCatalog(mark);
  }

  #fail(error: ApiError): void {
    if (error.code === 'UNAUTHENTICATED') {
      // What was wrong with a token stays on the page; that the next poll has none is no news.
      if (readToken() === null && this.#error?.code === 'UNAUTHENTICATED') return;
      // Sent with every poll, a wrong token would soon have the server shut this address out.
      writeToken(null);
    }
    this.#error = error;
    this.#drawNotice();
  }

  /** Reads tables and symbols, and opens what the address asks for. */
  async #readCatalog(mark: string): Promise<void> {
    if (this.#isReadingCatalog) return;
    this.#isReadingCatalog = true;
    try {
      this.#tables = (await this.#api.tables()).filter(({ timeframes }) => timeframes.length > 0);
      await this.#openTable(true);
      this.#catalogMark = mark;
      this.#error = null;
      this.#drawNotice();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#fail(error);
    } finally {
      this.#isReadingCatalog = false;
    }
  }

  async #followRoute(): Promise<void> {
    try {
      await this.#openTable(false);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#fail(error);
    }
  }

  /** Opens the address's table, or the first one; then the chart. `refresh` asks for the symbols in any case. */
  async #openTable(refresh: boolean): Promise<void> {
    const route = parseRoute(location.hash);
    const tables = this.#tables ?? [];
    const table = tables.find(({ name }) => name === route.table) ?? tables.at(0) ?? null;
    const isOther = table?.name !== this.#table?.name;
    this.#table = table;
    if (isOther) this.#startWatching(table);
    // A symbol that is known opens at once; one that is not waits for the server's list.
    const isFound = this.#openChart();
    if (table && (refresh || !isFound)) {
      await this.#readSymbols(table);
      // Meanwhile the user may have gone to another table; that one's turn draws the page.
      if (this.#table === table) this.#openChart();
    }
  }

  #startWatching(table: WireTable | null): void {
    this.#watchSession?.close();
    this.#watchSession = null;
    this.#isListed = false;
    this.#list = createWatchList(table?.timeframes.includes('1d') === false ? 'first-bar' : 'day-open');
    this.#watch.show(this.#list);
  }

  /**
   * Opened anew whenever series are listed: the snapshot has the last price also of those no tick comes for any
   * more.
   */
  #followPrices(table: WireTable): void {
    this.#watchSession?.close();
    this.#watchSession = openWatchSession(table, {
      socket: this.#socket,
      list: this.#list,
      onChange: (changed) => this.#watch.update(changed),
      onUnknown: () => {
        this.#catalogMark = '';
      },
    });
  }

  async #readSymbols(table: WireTable): Promise<void> {
    const list = this.#list;
    const symbols = await this.#api.symbols(table.name);
    if (list !== this.#list) return;
    this.#isListed = true;
    const before = list.entries.size;
    const listed = symbols.map(({ symbol, key, name }) => {
      const keyValues = table.seriesKey.map((column) => key[column] ?? symbol);
      return { series: seriesLabel(keyValues), keyValues, name };
    });
    listSeries(list, listed);
    if (list.entries.size === before) return;
    this.#watch.show(list);
    this.#followPrices(table);
  }

  /** Opens the address's symbol and timeframe, or the first symbol in the usual timeframe; false if there is none. */
  #openChart(): boolean {
    const route = parseRoute(location.hash);
    const table = this.#table;
    this.#mayShorten ||= !route.timeframe;
    const timeframe = chooseTimeframe(table?.timeframes ?? [], route.timeframe);
    const entry = route.symbol
      ? this.#list.entries.get(route.symbol)
      : [...this.#list.entries.values()].at(0);
    const isFound = Boolean(table && timeframe && entry);
    if (table && timeframe && entry) {
      const { series, keyValues } = entry;
      const { source } = this.#panel;
      const isOpen =
        source?.table.name === table.name && source.timeframe === timeframe && source.series === series;
      if (!isOpen) this.#panel.open({ table, timeframe, series, keyValues });
      history.replaceState(null, '', formatRoute(this.#shown()));
    } else if (this.#panel.source) this.#panel.close();
    this.#drawControls();
    this.#drawNotice();
    return isFound;
  }

  /** A young table has few candles of the usual timeframe: unless one was asked for, a shorter one is shown. */
  #settleTimeframe(): void {
    const { source, state } = this.#panel;
    if (!this.#mayShorten || !source || !state?.isReady) return;
    const shorter = shorterTimeframe(source.table.timeframes, source.timeframe);
    this.#mayShorten = state.bars.length < candlesWanted && shorter !== undefined;
    if (!this.#mayShorten || !shorter) return;
    history.replaceState(null, '', formatRoute({ ...this.#shown(), timeframe: shorter }));
    this.#openChart();
  }

  /** What the chart shows, as an address. */
  #shown(): Route {
    const { source } = this.#panel;
    if (!source) return parseRoute(location.hash);
    return { table: source.table.name, symbol: source.series, timeframe: source.timeframe };
  }

  #go(route: Route): void {
    location.hash = formatRoute(route);
  }

  #drawControls(): void {
    const { source } = this.#panel;
    this.#showToolbar({
      tables: (this.#tables ?? []).map(({ name }) => name),
      table: this.#table?.name ?? null,
      timeframes: sortedTimeframes(this.#table?.timeframes ?? []),
      timeframe: source?.timeframe ?? null,
    });
    this.#watch.select(source?.series ?? null);
    this.#search.show(this.#list, source?.series ?? parseRoute(location.hash).symbol ?? null);
    this.#panel.drawLegend();
  }

  #drawNotice(): void {
    const { source, state } = this.#panel;
    showNotice(
      noticeFor({
        error: state?.error ?? this.#error,
        candleTables: this.#tables?.map(({ name }) => name) ?? null,
        table: this.#table?.name ?? null,
        symbol: source?.series ?? parseRoute(location.hash).symbol ?? null,
        isListed: this.#isListed,
        isKnownSymbol: source !== null,
        timeframe: source?.timeframe ?? null,
        barCount: state?.isReady ? state.bars.length : null,
      }),
      {
        onToken: (token) => this.#enter(token),
        onPassword: (user, password) => void this.#signIn(user, password),
      },
    );
  }

  async #signIn(user: string, password: string): Promise<void> {
    try {
      this.#enter(await signIn(document.baseURI, user, password));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A code of its own keeps the forms in place for the next try, whatever was wrong with this one.
      this.#error = new ApiError({ code: 'UNAUTHENTICATED', message: error.message, help: error.help });
      this.#drawNotice();
    }
  }

  #enter(token: string): void {
    writeToken(token);
    this.#poll.pollNow();
    this.#socket.retryNow();
  }
}

/** A browser sends no headers of ours with a WebSocket, so the token goes into the address. */
function socketUrl(base: string, token: string | null): string {
  const url = new URL('ws', base);
  if (token !== null) url.searchParams.set('token', token);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
