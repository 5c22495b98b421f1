/** Bars out of the wire's columns. */
import type { WireColumns, WireTable, WireValue } from '../../src/protocols/http/wire.ts';
import type { SeriesBar } from './bar.ts';
import { seriesLabel } from './series-key.ts';

/** What of a table's definition it takes to read its bars. */
export type BarTable = Pick<WireTable, 'seriesKey' | 'timeColumn'>;

const priceNames = ['open', 'high', 'low', 'close'] as const;

/**
 * The columns every candle needs and these do not have; empty when all is well. A rollup may hold other aggregates
 * altogether, so the page asks before it decodes.
 */
export function missingColumns(columns: WireColumns): string[] {
  return priceNames.filter((name) => !(name in columns));
}

/**
 * One entry a row, in the order of the rows, times in milliseconds (`time=ms`). Rows without all four prices are
 * left out: a bucket whose ticks had no price draws nothing. Decimals and large integers come as strings.
 */
export function decodeBars(table: BarTable, columns: WireColumns): SeriesBar[] {
  const times = columns[timeColumnOf(table, columns)] ?? [];
  const keys = table.seriesKey.map((name) => columns[name] ?? []);
  const volumes = columns.volume;
  const decoded: SeriesBar[] = [];
  for (let row = 0; row < times.length; row++) {
    const [open, high, low, close] = priceNames.map((name) => numberOf(columns[name]?.[row]));
    if (open === null || high === null || low === null || close === null) continue;
    const volume = numberOf(volumes?.[row]);
    decoded.push({
      series: seriesLabel(keys.map((values) => String(values[row]))),
      bar: { timeMs: Number(times[row]), open, high, low, close, volume },
    });
  }
  return decoded;
}

/** A rollup may name its bucket start differently from its source's time; bars begin with that column. */
function timeColumnOf(table: BarTable, columns: WireColumns): string {
  const named = table.timeColumn;
  return named !== undefined && named in columns ? named : (Object.keys(columns).at(0) ?? '');
}

function numberOf(value: WireValue | undefined): number | null {
  if (value === null || value === undefined || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
