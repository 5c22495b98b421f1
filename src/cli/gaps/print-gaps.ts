import { encodeCsv } from '../../codecs/encode/encode-csv.ts';
import { encodeJsonRows } from '../../codecs/encode/encode-json.ts';
import type { GapsResult } from '../../engine/database.ts';
import { zoneNamed } from '../../market/calendar/zone.ts';
import { concatSets } from '../../market/column-ops.ts';
import { type ColumnData, type ColumnSet, textColumn } from '../../market/columns.ts';
import { msFromNs } from '../../market/time.ts';
import { count } from '../import/report.ts';
import { formatTable } from '../sql/format-table.ts';
import type { ResultFormat } from '../sql/print-result.ts';
import { print, say } from '../terminal.ts';

/**
 * Writes gaps to standard output: for people with times of the market and lengths in words, in CSV and JSON as they
 * are, in UTC. Says on standard error what was looked at, and whether there are more.
 */
export async function printGaps(pages: readonly GapsResult[], format: ResultFormat): Promise<void> {
  const [{ timeframe, source, timeZone }] = pages;
  const gaps = concatSets(pages);
  if (format === 'table') await print(formatTable(inMarketTime(gaps, timeZone)));
  else {
    const pieces = format === 'csv' ? encodeCsv(gaps, 'iso') : encodeJsonRows(gaps, 'iso');
    for (const piece of pieces) await print(piece);
    if (format === 'json') await print('\n');
  }
  const runs = `${count(gaps.rowCount)} ${gaps.rowCount === 1 ? 'gap' : 'gaps'}`;
  say(`${runs} in the ${timeframe} bars of ${source}, times of ${timeZone}`);
  if (pages.at(-1)?.cursor) say('there are more: see --limit, --min and --from');
}

function inMarketTime({ rowCount, names, columns }: ColumnSet, timeZone: string): ColumnSet {
  const shown = columns.map((column, i): ColumnData => {
    if (column.kind === 'timestamp')
      return textColumn(Array.from(column.values, (timeNs) => localText(timeNs, timeZone)));
    if (names[i] === 'missing_seconds' && column.kind === 'double')
      return textColumn(Array.from(column.values, durationText));
    return column;
  });
  const headings: Record<string, string> = { gap_from: 'from', gap_to: 'to', missing_seconds: 'missing' };
  return { rowCount, names: names.map((name) => headings[name] ?? name), columns: shown };
}

function localText(timeNs: bigint, timeZone: string): string {
  const ms = msFromNs(timeNs);
  const text = new Date(ms + zoneNamed(timeZone).offsetAt(ms)).toISOString();
  return text
    .slice(0, -1)
    .replace('T', ' ')
    .replace(/\.000$/, '');
}

/** `2d 3h`, `1h 57m`, `2m`, `0.5s`: a day is one of 24 hours of market time. */
export function durationText(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ];
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    if (whole > 0) parts.push(`${whole}${unit}`);
    rest -= whole * size;
  }
  if (rest > 0 || parts.length === 0) parts.push(`${Number(rest.toFixed(3))}s`);
  return parts.join(' ');
}
