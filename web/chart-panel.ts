/** The chart with what belongs to it: its session, the legend above the candles, the clock in use, the page's title. */
import type { Api } from './api-client/http.ts';
import type { LiveSocket } from './api-client/live-socket.ts';
import { barAt } from './model/bar-store.ts';
import { formatPrice } from './model/price-format.ts';
import type { Zone } from './model/time-format.ts';
import { readPreference, writePreference } from './preferences.ts';
import {
  type ChartChange,
  ChartSession,
  type ChartSource,
  type ChartState,
} from './sessions/chart-session.ts';
import { ChartView } from './views/chart-view.ts';
import { byId, setText } from './views/dom.ts';
import { createLegendView } from './views/legend-view.ts';

/** What the panel uses and whom it tells. */
export interface ChartPanelParts {
  api: Api;
  socket: LiveSocket;
  /** Full name of a series, or null. */
  nameOf(series: string): string | null;
  /** The session has news: bars, or an error. */
  onState(): void;
}

/** The panel; shows one series at a time, or none. */
export class ChartPanel {
  readonly #parts: ChartPanelParts;
  readonly #chart: ChartView;
  readonly #showLegend = createLegendView();
  #session: ChartSession | null = null;
  #zone: Zone = readPreference('zone') === 'utc' ? 'utc' : 'local';
  #crosshairMs: number | null = null;

  constructor(parts: ChartPanelParts) {
    this.#parts = parts;
    this.#chart = new ChartView(byId('chart'), this.#zone, {
      onCrosshair: (timeMs) => {
        this.#crosshairMs = timeMs;
        this.drawLegend();
      },
      onNearLeft: () => void this.#session?.loadOlder(),
      onScrolledAway: (isAway) => {
        byId('newest').hidden = !isAway;
      },
    });
    byId('newest').addEventListener('click', () => this.#chart.showNewest());
    byId('zone').addEventListener('click', () => this.#switchZone());
    this.#showZone();
  }

  /** What is open, or null. */
  get source(): ChartSource | null {
    return this.#session?.source ?? null;
  }

  /** The open session's state, or null. */
  get state(): ChartState | null {
    return this.#session?.state() ?? null;
  }

  /** Shows a series from its newest bar on; what was open before is closed. */
  open(source: ChartSource): void {
    this.close();
    const { api, socket } = this.#parts;
    const onChange = (state: ChartState, change: ChartChange): void => this.#draw(state, change);
    this.#session = new ChartSession(source, { api, socket, onChange });
    this.#describe();
  }

  /** Empties the chart. */
  close(): void {
    this.#session?.close();
    this.#session = null;
    this.#crosshairMs = null;
    this.#chart.setBars([], { timeframe: '1m', decimals: 2, hasVolume: false }, true);
    this.#describe();
  }

  /** Draws in the theme now in force. */
  repaint(): void {
    this.#chart.repaint(this.state?.bars ?? []);
  }

  /** Writes the figures of the bar under the crosshair, or of the newest one. */
  drawLegend(): void {
    const { series, timeframe } = this.source ?? { series: '', timeframe: '' };
    const { bars, decimals } = this.state ?? { bars: [], decimals: 2 };
    const pointed = this.#crosshairMs === null ? undefined : barAt(bars, this.#crosshairMs);
    this.#showLegend({
      series,
      timeframe,
      name: this.#parts.nameOf(series),
      ...(pointed ?? { bar: bars.at(-1), previous: bars.at(-2) }),
      time: pointed ? this.#chart.formatBarTime(pointed.bar.timeMs) : null,
      decimals,
    });
  }

  #draw(state: ChartState, change: ChartChange): void {
    if (!this.source) return;
    const { decimals, hasVolume, bars } = state;
    const format = { timeframe: this.source.timeframe, decimals, hasVolume };
    if (change.kind === 'all') this.#chart.setBars(bars, format, change.fresh);
    if (change.kind === 'bar') this.#chart.updateBar(bars, change.bar, change.isLast, format);
    this.drawLegend();
    this.#showTitle();
    this.#parts.onState();
  }

  #describe(): void {
    const { series, timeframe } = this.source ?? { series: '', timeframe: '' };
    const chart = byId('chart');
    Object.assign(chart.dataset, { series, timeframe });
    chart.ariaLabel = series ? `Candles of ${series}, ${timeframe}` : 'Candles';
    this.drawLegend();
    this.#showTitle();
  }

  #showTitle(): void {
    const state = this.state;
    const last = state?.bars.at(-1);
    const price = state && last ? ` ${formatPrice(last.close, state.decimals)}` : '';
    const title = this.source ? `${this.source.series}${price} · Candela` : 'Candela';
    if (document.title !== title) document.title = title;
  }

  #switchZone(): void {
    this.#zone = this.#zone === 'utc' ? 'local' : 'utc';
    writePreference('zone', this.#zone === 'utc' ? 'utc' : null);
    this.#chart.setZone(this.#zone, this.state?.bars ?? []);
    this.#showZone();
    this.drawLegend();
  }

  #showZone(): void {
    const button = byId('zone');
    const [now, other] = this.#zone === 'utc' ? ['UTC', 'local time'] : ['Local', 'UTC'];
    setText(button, now);
    button.ariaLabel = `Times in ${now}: switch to ${other}`;
    button.title = `Switch to ${other}`;
  }
}
