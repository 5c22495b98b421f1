/**
 * The page: connects what is known (tables, symbols, bars, status) with what is shown. One way round:
 *
 * ```
 * address (#table, symbol, timeframe) ─▶ App ─▶ sessions ─▶ models ─▶ views
 *        ▲                                                              │
 *        └───────────────────── what the user picks ◀──────────────────┘
 * ```
 */
import type { WireStatus, WireTable } from '../src/protocols/http/wire.ts';
import { type Api, ApiError, createApi } from './api-client/http.ts';
import { LiveSocket } from './api-client/live-socket.ts';
import { barAt } from './model/bar-store.ts';
import { noticeFor } from './model/notice.ts';
import { formatPrice } from './model/price-format.ts';
import { formatRoute, parseRoute, type Route } from './model/route.ts';
import { seriesLabel } from './model/series-key.ts';
import type { Zone } from './model/time-format.ts';
import { chooseTimeframe, sortedTimeframes } from './model/timeframe.ts';
import { createWatchList, listSeries, type WatchEntry, type WatchList } from './model/watch-list.ts';
import { readPreference, writePreference } from './preferences.ts';
import { type ChartChange, ChartSession, type ChartState } from './sessions/chart-session.ts';
import { startStatusPoll } from './sessions/status-poll.ts';
import { openWatchSession } from './sessions/watch-session.ts';
import { ChartView } from './views/chart-view.ts';
import { byId, setText } from './views/dom.ts';
import { createLegendView } from './views/legend-view.ts';
import { showNotice } from './views/notice-view.ts';
import { SearchView } from './views/search-view.ts';
import { createStatusView, showConnection } from './views/status-view.ts';
import { startTheme } from './views/theme.ts';
import { createToolbarView } from './views/toolbar-view.ts';
import { WatchView } from './views/watch-view.ts';

/** The running page; there is one. */
export class App {
  readonly #api: Api = createApi(document.baseURI, () => null);
  readonly #socket = new LiveSocket({
    connect: () => new WebSocket(socketUrl(document.baseURI)),
    onState: showConnection,
    chance: () => crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32,
  });
  readonly #chart: ChartView;
  readonly #showLegend = createLegendView();
  readonly #showStatus = createStatusView();
  readonly #showToolbar = createToolbarView({
    onTable: (table) => this.#go({ table }),
    onTimeframe: (timeframe) => this.#go({ ...this.#shown(), timeframe }),
  });
  readonly #watch = new WatchView((symbol) => this.#go({ ...this.#shown(), symbol }));
  readonly #search = new SearchView((symbol) => this.#go({ ...this.#shown(), symbol }));

  /** Tables with candles; null until the server has listed them. */
  #tables: WireTable[] | null = null;
  #table: WireTable | null = null;
  #list: WatchList = createWatchList('day-open');
  #watchSession: { close(): void } | null = null;
  #session: ChartSession | null = null;
  #error: ApiError | null = null;
  #zone: Zone = readPreference('zone') === 'utc' ? 'utc' : 'local';
  #crosshairMs: number | null = null;
  /** What the catalog on the page was read at; another value in a status means it has changed. */
  #catalogMark = '';
  #isReadingCatalog = false;

  constructor() {
    this.#chart = new ChartView(byId('chart'), this.#zone, {
      onCrosshair: (timeMs) => {
        this.#crosshairMs = timeMs;
        this.#drawLegend();
      },
      onNearLeft: () => void this.#session?.loadOlder(),
      onScrolledAway: (isAway) => {
        byId('newest').hidden = !isAway;
      },
    });
    startTheme(() => this.#chart.repaint(this.#session?.state().bars ?? []));
    this.#wireControls();
    const poll = startStatusPoll({
      api: this.#api,
      onStatus: (status) => this.#onStatus(status),
      onError: (error) => this.#fail(error),
    });
    const wake = (): void => {
      if (document.hidden) return;
      this.#socket.retryNow();
      poll.pollNow();
    };
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
  }

  #wireControls(): void {
    addEventListener('hashchange', () => void this.#followRoute());
    byId('newest').addEventListener('click', () => this.#chart.showNewest());
    const zone = byId('zone');
    const showZone = (): void => {
      setText(zone, this.#zone === 'utc' ? 'UTC' : 'Local');
      zone.ariaLabel = `Times in ${this.#zone === 'utc' ? 'UTC' : 'local time'}: switch`;
      zone.title = this.#zone === 'utc' ? 'Switch to local time' : 'Switch to UTC';
    };
    zone.addEventListener('click', () => {
      this.#zone = this.#zone === 'utc' ? 'local' : 'utc';
      writePreference('zone', this.#zone === 'utc' ? 'utc' : null);
      this.#chart.setZone(this.#zone, this.#session?.state().bars ?? []);
      showZone();
      this.#drawLegend();
    });
    showZone();
    addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#search.focus();
    });
  }

  #onStatus(status: WireStatus): void {
    this.#showStatus(status);
    const mark = `${status.database.tables} ${status.database.seriesCount}`;
    if (mark !== this.#catalogMark || this.#error) void this.#readCatalog(mark);
  }

  #fail(error: ApiError): void {
    this.#error = error;
    this.#drawNotice();
  }

  /** Reads tables and symbols, and opens what the address asks for. */
  async #readCatalog(mark: string): Promise<void> {
    if (this.#isReadingCatalog) return;
    this.#isReadingCatalog = true;
    try {
      this.#tables = (await this.#api.tables()).filter(({ timeframes }) => timeframes.length > 0);
      await this.#openTable();
      this.#catalogMark = mark;
      this.#error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#error = error;
    } finally {
      this.#isReadingCatalog = false;
      this.#drawNotice();
    }
  }

  async #followRoute(): Promise<void> {
    try {
      await this.#openTable();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#fail(error);
    }
  }

  /** Opens the address's table, or the first one, with its symbols; then the chart. */
  async #openTable(): Promise<void> {
    const route = parseRoute(location.hash);
    const tables = this.#tables ?? [];
    const table = tables.find(({ name }) => name === route.table) ?? tables.at(0) ?? null;
    const isOther = table?.name !== this.#table?.name;
    this.#table = table;
    if (isOther) this.#startWatching(table);
    if (table) await this.#readSymbols(table);
    // Meanwhile the user may have gone to another table; that one's turn draws the page.
    if (this.#table === table) this.#openChart();
  }

  #startWatching(table: WireTable | null): void {
    this.#watchSession?.close();
    this.#closeChart();
    this.#list = createWatchList(table?.timeframes.includes('1d') === false ? 'first-bar' : 'day-open');
    this.#watch.show(this.#list);
    if (!table) return;
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
    const before = list.entries.size;
    listSeries(
      list,
      symbols.map(({ symbol, key, name }) => {
        const keyValues = table.seriesKey.map((column) => key[column] ?? symbol);
        return { series: seriesLabel(keyValues), keyValues, name };
      }),
    );
    if (list.entries.size !== before) this.#watch.show(list);
  }

  /** Opens the address's symbol and timeframe, or the first symbol in the usual timeframe. */
  #openChart(): void {
    const route = parseRoute(location.hash);
    const table = this.#table;
    const timeframe = chooseTimeframe(table?.timeframes ?? [], route.timeframe);
    const entry = route.symbol
      ? this.#list.entries.get(route.symbol)
      : [...this.#list.entries.values()].at(0);
    if (!table || !timeframe || !entry) this.#closeChart();
    else if (!this.#isOpen(table, timeframe, entry)) {
      this.#closeChart();
      const { series, keyValues } = entry;
      this.#session = new ChartSession(
        { table, timeframe, series, keyValues },
        { api: this.#api, socket: this.#socket, onChange: (state, change) => this.#draw(state, change) },
      );
    }
    if (this.#session) history.replaceState(null, '', formatRoute(this.#shown()));
    this.#drawControls();
    this.#drawLegend();
    this.#drawNotice();
  }

  #isOpen(table: WireTable, timeframe: string, entry: WatchEntry): boolean {
    const source = this.#session?.source;
    return (
      source?.table.name === table.name && source.timeframe === timeframe && source.series === entry.series
    );
  }

  #closeChart(): void {
    this.#session?.close();
    this.#session = null;
    this.#crosshairMs = null;
    this.#chart.setBars([], { timeframe: '1m', decimals: 2, hasVolume: false }, true);
  }

  /** What the chart shows, as an address. */
  #shown(): Route {
    const source = this.#session?.source;
    if (!source) return parseRoute(location.hash);
    return { table: source.table.name, symbol: source.series, timeframe: source.timeframe };
  }

  #go(route: Route): void {
    location.hash = formatRoute(route);
  }

  #draw(state: ChartState, change: ChartChange): void {
    const source = this.#session?.source;
    if (!source) return;
    const format = { timeframe: source.timeframe, decimals: state.decimals, hasVolume: state.hasVolume };
    if (change.kind === 'all') this.#chart.setBars(state.bars, format, change.fresh);
    if (change.kind === 'bar') this.#chart.updateBar(state.bars, change.bar, change.isLast, format);
    this.#drawLegend();
    this.#drawNotice();
  }

  #drawControls(): void {
    const source = this.#session?.source;
    this.#showToolbar({
      tables: (this.#tables ?? []).map(({ name }) => name),
      table: this.#table?.name ?? null,
      timeframes: sortedTimeframes(this.#table?.timeframes ?? []),
      timeframe: source?.timeframe ?? null,
    });
    this.#watch.select(source?.series ?? null);
    this.#search.show(this.#list, source?.series ?? parseRoute(location.hash).symbol ?? null);
    Object.assign(byId('chart').dataset, {
      series: source?.series ?? '',
      timeframe: source?.timeframe ?? '',
    });
  }

  #drawLegend(): void {
    const source = this.#session?.source;
    const { bars, decimals } = this.#session?.state() ?? { bars: [], decimals: 2 };
    const pointed = this.#crosshairMs === null ? undefined : barAt(bars, this.#crosshairMs);
    const shown = pointed ?? { bar: bars.at(-1), previous: bars.at(-2) };
    this.#showLegend({
      series: source?.series ?? '',
      name: this.#list.entries.get(source?.series ?? '')?.name ?? null,
      timeframe: source?.timeframe ?? '',
      ...shown,
      time: pointed ? this.#chart.formatBarTime(pointed.bar.timeMs) : null,
      decimals,
    });
    const last = bars.at(-1);
    const title =
      source && last ? `${source.series} ${formatPrice(last.close, decimals)} · Candela` : 'Candela';
    if (document.title !== title) document.title = title;
    const label = source ? `Candles of ${source.series}, ${source.timeframe}` : 'Candles';
    if (byId('chart').ariaLabel !== label) byId('chart').ariaLabel = label;
  }

  #drawNotice(): void {
    const state = this.#session?.state();
    const wanted = parseRoute(location.hash).symbol ?? null;
    showNotice(
      noticeFor({
        error: state?.error ?? this.#error,
        candleTables: this.#tables?.map(({ name }) => name) ?? null,
        table: this.#table?.name ?? null,
        symbol: this.#session?.source.series ?? wanted,
        isKnownSymbol: this.#session !== null,
        timeframe: this.#session?.source.timeframe ?? null,
        barCount: state?.isReady ? state.bars.length : null,
      }),
    );
  }
}

function socketUrl(base: string): string {
  const url = new URL('ws', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
