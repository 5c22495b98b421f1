/**
 * The chart: candles above, volume below, drawn by lightweight-charts.
 *
 * It keeps no bars of its own. What it shows is also written on its element (`data-bar-count`, `data-last-close`,
 * `data-first-time`, `data-last-time`), where assistive scripts and tests can read it.
 */
import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChartEx,
  HistogramSeries,
  type IChartApiBase,
  type IPriceLine,
  type ISeriesApi,
  LineStyle,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';
import type { Bar } from '../model/bar.ts';
import { formatPrice, formatVolume } from '../model/price-format.ts';
import { formatTime, type TimeForm, type Zone } from '../model/time-format.ts';
import { dayMs, timeframeMs } from '../model/timeframe.ts';
import { type ChartColors, readChartColors } from './chart-colors.ts';
import { createZonedTimeScale } from './zoned-time-scale.ts';

/** Whom the chart tells. */
export interface ChartViewHooks {
  /** Start of the bar under the crosshair, or null when the pointer has left. */
  onCrosshair(timeMs: number | null): void;
  /** Few bars are left beyond the left edge. */
  onNearLeft(): void;
  /** Whether the newest bar is out of sight. */
  onScrolledAway(isAway: boolean): void;
}

/** How the bars shown are to be written. */
export interface ChartFormat {
  timeframe: string;
  decimals: number;
  hasVolume: boolean;
}

/** Bars beyond the left edge below which more are asked for. */
const nearLeftBars = 100;
const volumePane = 1;
/** Width of a bar with its gap, in pixels. */
const barSpacingUsual = 6;
const barSpacingMax = 14;
/** Below this width the legend takes three lines, for which the candles leave room. */
const narrowPixels = 600;
/** The library's tick mark types, by number, as time forms. */
const markForms: TimeForm[] = ['year', 'month', 'day', 'minute', 'second'];

/** A chart in `root`. */
export class ChartView {
  readonly #root: HTMLElement;
  readonly #chart: IChartApiBase<Time>;
  readonly #candles: ISeriesApi<'Candlestick'>;
  /** At the newest price, wherever the view has been scrolled to: the library's own label follows the view. */
  readonly #lastLine: IPriceLine;
  #volume: ISeriesApi<'Histogram'> | null = null;
  #colors: ChartColors;
  #zone: Zone;
  #format: ChartFormat = { timeframe: '1m', decimals: 2, hasVolume: false };

  constructor(root: HTMLElement, zone: Zone, hooks: ChartViewHooks) {
    this.#root = root;
    this.#zone = zone;
    this.#colors = readChartColors(root);
    this.#chart = createChartEx<Time, ReturnType<typeof createZonedTimeScale>>(
      root,
      createZonedTimeScale(() => this.#barZone()),
      this.#options(),
    );
    const plain = { borderVisible: false, lastValueVisible: false, priceLineVisible: false };
    this.#candles = this.#chart.addSeries(CandlestickSeries, plain);
    this.#lastLine = this.#candles.createPriceLine({ price: 0, lineWidth: 1, lineStyle: LineStyle.Dotted });
    this.#paint();
    this.#listen(hooks);
    root.role = 'application';
    root.tabIndex = 0;
    root.ariaRoleDescription =
      'Candle chart: arrow keys scroll, plus and minus zoom, End shows the newest candle';
    root.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** Draws all bars. `fresh` moves to the newest one; otherwise the view stays on the bars it shows. */
  setBars(bars: readonly Bar[], format: ChartFormat, fresh: boolean): void {
    this.#applyFormat(format);
    this.#candles.setData(bars.map(candleOf));
    this.#volume?.setData(bars.map((bar) => this.#volumeOf(bar)));
    if (fresh) this.#showNewest(bars.length);
    this.#describe(bars);
  }

  /** Draws one bar: the last one, a new last one, or (`isLast` false) an older one that was corrected. */
  updateBar(bars: readonly Bar[], bar: Bar, isLast: boolean, format: ChartFormat): void {
    if (format.decimals !== this.#format.decimals || format.hasVolume !== this.#format.hasVolume) {
      this.setBars(bars, format, false);
      return;
    }
    this.#candles.update(candleOf(bar), !isLast);
    this.#volume?.update(this.#volumeOf(bar), !isLast);
    this.#describe(bars);
  }

  /** Back to the newest bar, at the usual width. */
  showNewest(): void {
    this.#showNewest(Number(this.#root.dataset.barCount));
  }

  #showNewest(barCount: number): void {
    // Few bars are drawn wider, so that a young chart is not a stub at the right edge.
    const filling = this.#root.clientWidth / (barCount + 12);
    this.#chart
      .timeScale()
      .applyOptions({ barSpacing: Math.min(barSpacingMax, Math.max(barSpacingUsual, filling)) });
    this.#chart.timeScale().resetTimeScale();
    this.#chart.priceScale('right').applyOptions({ autoScale: true });
  }

  /** Draws in the theme now in force. */
  repaint(bars: readonly Bar[]): void {
    this.#colors = readChartColors(this.#root);
    this.#chart.applyOptions(this.#options());
    this.#paint();
    this.#volume?.setData(bars.map((bar) => this.#volumeOf(bar)));
    this.#showLast(bars.at(-1));
  }

  /** Writes times by another clock. */
  setZone(zone: Zone, bars: readonly Bar[]): void {
    this.#zone = zone;
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    // Marks are weighed when points are new, so the points have to go once.
    this.#candles.setData([]);
    this.#volume?.setData([]);
    this.setBars(bars, this.#format, false);
    if (range) this.#chart.timeScale().setVisibleLogicalRange(range);
  }

  /** A bar's start, as exact as its timeframe asks for. */
  formatBarTime(timeMs: number): string {
    const widthMs = timeframeMs(this.#format.timeframe);
    const form = widthMs >= dayMs ? 'date' : widthMs >= 60_000 ? 'date-minute' : 'date-second';
    return formatTime(timeMs, form, this.#barZone());
  }

  #listen(hooks: ChartViewHooks): void {
    this.#chart.subscribeCrosshairMove(({ time }) => {
      hooks.onCrosshair(time === undefined ? null : msOf(time));
    });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range) return;
      if (range.from < nearLeftBars) hooks.onNearLeft();
      hooks.onScrolledAway(this.#chart.timeScale().scrollPosition() < -1);
    });
  }

  #applyFormat(format: ChartFormat): void {
    this.#format = format;
    const { decimals, timeframe } = format;
    this.#candles.applyOptions({
      priceFormat: {
        type: 'custom',
        minMove: 10 ** -decimals,
        formatter: (price: number) => formatPrice(price, decimals),
      },
    });
    this.#chart.timeScale().applyOptions({ secondsVisible: timeframeMs(timeframe) < 60_000 });
    if (format.hasVolume && !this.#volume) this.#volume = this.#addVolume();
    if (!format.hasVolume && this.#volume) {
      this.#chart.removeSeries(this.#volume);
      this.#volume = null;
    }
  }

  #addVolume(): ISeriesApi<'Histogram'> {
    const priceFormat = { type: 'custom', minMove: 1e-8, formatter: formatVolume } as const;
    const options = { priceFormat, lastValueVisible: false, priceLineVisible: false };
    const series = this.#chart.addSeries(HistogramSeries, options, volumePane);
    series.priceScale().applyOptions({ scaleMargins: { top: 0.12, bottom: 0 } });
    const [main, volume] = this.#chart.panes();
    main.setStretchFactor(5);
    volume.setStretchFactor(1);
    return series;
  }

  /** Bars of a day and longer are days of the UTC calendar, whatever the clock on the wall. */
  #barZone(): Zone {
    return timeframeMs(this.#format.timeframe) >= dayMs ? 'utc' : this.#zone;
  }

  #options() {
    const { background, text, grid, line, crosshair, crosshairLabel } = this.#colors;
    const label = { color: crosshair, labelBackgroundColor: crosshairLabel };
    return {
      autoSize: true,
      layout: {
        background: { type: ColorType.Solid, color: background } as const,
        textColor: text,
        fontSize: 11,
        fontFamily: getComputedStyle(this.#root).fontFamily,
        panes: { separatorColor: line, separatorHoverColor: grid },
        // The notice the library's licence asks for stands in the page's footer.
        attributionLogo: false,
      },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      rightPriceScale: {
        borderVisible: false,
        scaleMargins: { top: this.#root.clientWidth < narrowPixels ? 0.24 : 0.14, bottom: 0.06 },
      },
      timeScale: {
        borderColor: line,
        rightOffset: 4,
        timeVisible: true,
        tickMarkFormatter: (time: Time, type: number) =>
          formatTime(msOf(time), markForms[type], this.#barZone()),
      },
      crosshair: { mode: CrosshairMode.Normal, vertLine: label, horzLine: label },
      localization: { timeFormatter: (time: Time) => this.formatBarTime(msOf(time)) },
      // A swipe up or down on a phone scrolls the page, not the price scale.
      handleScroll: { vertTouchDrag: false },
    };
  }

  #paint(): void {
    const { up, down } = this.#colors;
    this.#candles.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
  }

  #volumeOf(bar: Bar) {
    const time = secondsOf(bar);
    if (bar.volume === null) return { time };
    const { upVolume, downVolume } = this.#colors;
    return { time, value: bar.volume, color: bar.close >= bar.open ? upVolume : downVolume };
  }

  #describe(bars: readonly Bar[]): void {
    const first = bars.at(0);
    const last = bars.at(-1);
    Object.assign(this.#root.dataset, {
      barCount: String(bars.length),
      firstTime: first ? String(first.timeMs) : '',
      lastTime: last ? String(last.timeMs) : '',
      lastClose: last ? String(last.close) : '',
    });
    this.#showLast(last);
  }

  #showLast(last: Bar | undefined): void {
    const { up, down } = this.#colors;
    const isVisible = last !== undefined;
    this.#lastLine.applyOptions({
      price: last?.close ?? 0,
      color: last && last.close < last.open ? down : up,
      lineVisible: isVisible,
      axisLabelVisible: isVisible,
    });
  }

  #onKey(event: KeyboardEvent): void {
    const timeScale = this.#chart.timeScale();
    const scrollBy = (bars: number): void =>
      timeScale.scrollToPosition(timeScale.scrollPosition() + bars, false);
    const zoomBy = (factor: number): void =>
      timeScale.applyOptions({ barSpacing: timeScale.options().barSpacing * factor });
    const actions: Record<string, () => void> = {
      ArrowLeft: () => scrollBy(-10),
      ArrowRight: () => scrollBy(10),
      PageUp: () => scrollBy(-100),
      PageDown: () => scrollBy(100),
      End: () => this.showNewest(),
      '+': () => zoomBy(1.25),
      '=': () => zoomBy(1.25),
      '-': () => zoomBy(0.8),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }
}

function candleOf(bar: Bar) {
  const { open, high, low, close } = bar;
  return { time: secondsOf(bar), open, high, low, close };
}

function secondsOf(bar: Bar): UTCTimestamp {
  return (bar.timeMs / 1000) as UTCTimestamp;
}

function msOf(time: Time): number {
  return Number(time) * 1000;
}
