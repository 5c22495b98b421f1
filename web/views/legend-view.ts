/** The line above the candles: which instrument, and the figures of the bar under the crosshair or of the last one. */
import type { Bar } from '../model/bar.ts';
import { formatChange, formatPercent, formatPrice, formatVolume } from '../model/price-format.ts';
import { byId, make, setDirection, setText } from './dom.ts';

/** What it shows. */
export interface LegendContent {
  series: string;
  name: string | null;
  timeframe: string;
  bar: Bar | undefined;
  /** The bar before, from whose close the change counts. */
  previous: Bar | undefined;
  /** Start of the bar, written out; null when it is the last one. */
  time: string | null;
  decimals: number;
}

const figures = ['O', 'H', 'L', 'C', 'Vol'] as const;

/** Fills `#legend`; the result updates it. */
export function createLegendView(): (content: LegendContent) => void {
  const symbol = make('strong', 'legend-symbol');
  const name = make('span', 'legend-name');
  const timeframe = make('span', 'legend-timeframe');
  const time = make('span', 'legend-time');
  const change = make('span', 'legend-change');
  const values = figures.map(() => make('span', 'legend-value'));
  const pairs = figures.map((label, i) => make('span', 'legend-pair', [make('i', '', label), values[i]]));
  byId('legend').append(
    make('div', 'legend-title', [symbol, name, timeframe, time]),
    make('div', 'legend-figures', [...pairs.slice(0, 4), change, pairs[4]]),
  );
  return (content) => {
    const { bar, previous, decimals } = content;
    setText(symbol, content.series);
    setText(name, content.name ?? '');
    setText(timeframe, content.timeframe);
    setText(time, content.time ?? '');
    byId('legend').hidden = bar === undefined;
    if (!bar) return;
    const prices = [bar.open, bar.high, bar.low, bar.close].map((price) => formatPrice(price, decimals));
    const texts = [...prices, bar.volume === null ? '' : formatVolume(bar.volume)];
    texts.forEach((text, i) => {
      setText(values[i], text);
    });
    pairs[4].hidden = bar.volume === null;
    const base = previous?.close ?? bar.open;
    const difference = bar.close - base;
    setText(
      change,
      `${formatChange(difference, decimals)} (${formatPercent(base ? difference / base : null)})`,
    );
    setDirection(change, difference);
  };
}
