/** What a table and its rollups should answer: a list of ticks, and plain loops over it. */
import type { SeriesFilter } from '../../src/engine/database.ts';
import type { Scalar } from '../../src/market/columns.ts';
import type { TableDef } from '../../src/market/schema.ts';
import type { NaiveBar, NaiveTick } from '../../src/testing/naive-bars.ts';
import { compareScalars, naiveBars, scalarText } from '../../src/testing/naive-bars.ts';
import { asStored } from './random-columns.ts';
import type { ModelRollup } from './random-rollups.ts';
import type { Row } from './random-ticks.ts';

/** A table and the rows that it holds. */
export interface ModelTable {
  def: TableDef;
  ticks: NaiveTick[];
  /** Rows ever written. */
  arrivals: number;
  rollups: ModelRollup[];
}

/** The part of a request that both kinds of read share. */
export interface ModelRange {
  series?: SeriesFilter;
  fromNs?: bigint;
  toNs?: bigint;
  order?: 'asc' | 'desc';
  limit?: number;
}

/** What becomes of the rows of a batch. */
export interface ModelCounts {
  rowCount: number;
  duplicates: number;
  corrected: number;
}

/** Takes rows as an acknowledged batch. */
export function addRows(table: ModelTable, rows: readonly Row[]): ModelCounts {
  const time = table.def.timeColumn ?? 'time';
  const counts: ModelCounts = { rowCount: 0, duplicates: 0, corrected: 0 };
  const isOverwritten = table.def.kind !== 'ticks';
  const byKey = new Map(isOverwritten ? table.ticks.map((tick) => [keyOf(table, tick), tick]) : []);
  for (const row of rows) {
    const values: Row = {};
    for (const { name, type } of table.def.columns) values[name] = asStored(type, row[name] ?? null);
    const tick: NaiveTick = { timeNs: values[time] as bigint, arrival: table.arrivals, values };
    const same = sameTick(table, tick);
    if (same >= 0) {
      const isKept = table.def.dedup?.keep === 'first' || isSameRow(table, table.ticks[same], tick);
      counts[isKept ? 'duplicates' : 'corrected']++;
      if (!isKept) table.ticks[same] = { ...tick, arrival: table.ticks[same].arrival };
      continue;
    }
    const key = keyOf(table, tick);
    if (key === null) table.ticks.push(tick);
    else {
      byKey.delete(key);
      byKey.set(key, tick);
    }
    table.arrivals++;
    counts.rowCount++;
  }
  if (isOverwritten) table.ticks = [...byKey.values()];
  return counts;
}

/** Where the newest tick that is the same stands, by the table's `dedup`; -1 if there is none. */
function sameTick({ def, ticks }: ModelTable, tick: NaiveTick): number {
  const { dedup } = def;
  if (!dedup) return -1;
  const by = dedup.by === 'row' ? def.columns.map(({ name }) => name) : [...def.seriesKey, ...dedup.by];
  let newest = -1;
  for (const [i, other] of ticks.entries()) {
    if (other.timeNs !== tick.timeNs || !by.every((name) => isEqual(other.values[name], tick.values[name])))
      continue;
    if (newest < 0 || ticks[newest].arrival < other.arrival) newest = i;
  }
  return newest;
}

function isSameRow({ def }: ModelTable, a: NaiveTick, b: NaiveTick): boolean {
  return def.columns.every(({ name }) => isEqual(a.values[name], b.values[name]));
}

function isEqual(a: Scalar, b: Scalar): boolean {
  return a === null || b === null ? a === b : compareScalars(a, b) === 0 && typeof a === typeof b;
}

/** Takes the rows away that fulfil all conditions; says how many. */
export function deleteFrom(
  table: ModelTable,
  { series, fromNs, toNs, where }: Pick<ModelRange, 'series' | 'fromNs' | 'toNs'> & { where?: Row },
): number {
  const before = table.ticks.length;
  const range: ModelRange = {
    ...(fromNs === undefined ? {} : { fromNs }),
    ...(toNs === undefined ? {} : { toNs }),
  };
  table.ticks = table.ticks.filter(({ timeNs, values }) => {
    const isMeant = Object.entries(where ?? {}).every(([name, value]) => isEqual(values[name], value));
    return !(isMeant && isWithin(range, timeNs) && isPicked(series, values));
  });
  return before - table.ticks.length;
}

/** What makes a later row take the place of an earlier: nothing for ticks, the time for bars, the series. */
function keyOf({ def }: ModelTable, { timeNs, values }: NaiveTick): string | null {
  if (def.kind === 'ticks') return null;
  const series = def.seriesKey.map((name) => values[name]);
  return scalarText(def.kind === 'bars' ? [timeNs, ...series] : series);
}

/** All rows of a range, in order, before any limit. */
export function expectedRows(table: ModelTable, range: ModelRange): Scalar[][] {
  const ticks = table.ticks.filter(
    (tick) => isWithin(range, tick.timeNs) && isPicked(range.series, tick.values),
  );
  ticks.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : a.arrival - b.arrival));
  if (range.order === 'desc') ticks.reverse();
  return ticks.map((tick) => table.def.columns.map(({ name }) => tick.values[name]));
}

/** A bar as a read shows it. */
export interface ExpectedBar {
  bar: NaiveBar;
  /** Bucket start, group, aggregates. */
  row: Scalar[];
}

/** What of a rollup is asked for. */
export interface BarsWanted extends ModelRange {
  /** Other than the rollup's own: bars merged on reading. */
  timeframe?: string;
  /** False: only bars that have closed. */
  live?: boolean;
}

/** Bars of a range by start, before any limit; the order within one start is that of their groups' first ticks. */
export function expectedBars(table: ModelTable, rollup: ModelRollup, wanted: BarsWanted): ExpectedBar[] {
  const bars = naiveBars(table.ticks, { ...rollup, timeframe: wanted.timeframe ?? rollup.timeframe });
  const closedBefore = wanted.live === false ? rootStarts(table, rollup) : undefined;
  const kept = bars.filter((bar) => {
    const groupValues = Object.fromEntries(rollup.groupBy.map((name, i) => [name, bar.group[i]]));
    if (!isWithin(wanted, bar.startNs) || !isPicked(wanted.series, groupValues)) return false;
    return closedBefore === undefined || bar.endNs <= (closedBefore.get(scalarText(bar.group)) ?? 0n);
  });
  if (wanted.order === 'desc') kept.reverse();
  return kept.map((bar) => ({ bar, row: [bar.startNs, ...bar.group, ...bar.values] }));
}

/** Per group where the newest bar of the level that takes the ticks begins: what ends by then has closed. */
function rootStarts(table: ModelTable, rollup: ModelRollup): Map<string, bigint> {
  const starts = new Map<string, bigint>();
  const { rootTimeframe: timeframe, market, groupBy } = rollup;
  for (const { group, startNs } of naiveBars(table.ticks, { timeframe, market, groupBy, aggregates: [] })) {
    starts.set(scalarText(group), startNs);
  }
  return starts;
}

/** Per series its latest row: greatest time, of equal times the last to arrive. */
export function expectedLatest(table: ModelTable, filter: SeriesFilter | undefined): Scalar[][] {
  const latest = new Map<string, Scalar[]>();
  for (const row of expectedRows(table, filter ? { series: filter } : {})) {
    const key = table.def.columns.flatMap(({ name }, i) =>
      table.def.seriesKey.includes(name) ? [row[i]] : [],
    );
    latest.set(scalarText(key), row);
  }
  return [...latest.values()];
}

/** Per group the bar that its newest tick is in. */
export function expectedLatestBars(
  table: ModelTable,
  rollup: ModelRollup,
  filter: SeriesFilter | undefined,
): Scalar[][] {
  const latest = new Map<string, Scalar[]>();
  for (const { bar, row } of expectedBars(table, rollup, filter ? { series: filter } : {})) {
    latest.set(scalarText(bar.group), row);
  }
  return [...latest.values()];
}

function isWithin({ fromNs, toNs }: ModelRange, timeNs: bigint): boolean {
  return (fromNs === undefined || timeNs >= fromNs) && (toNs === undefined || timeNs < toNs);
}

/** Does a row match the filter? `*` stands for any characters; a null matches nothing. */
export function isPicked(filter: SeriesFilter | undefined, values: Record<string, Scalar>): boolean {
  return Object.entries(filter ?? {}).every(([name, wanted]) => {
    const value = values[name];
    if (value === null) return false;
    const texts = Array.isArray(wanted) ? wanted.map(String) : [String(wanted)];
    return texts.some((pattern) => globMatches(pattern, String(value)));
  });
}

function globMatches(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === text;
  if (!text.startsWith(pattern.slice(0, star))) return false;
  for (let from = star; from <= text.length; from++) {
    if (globMatches(pattern.slice(star + 1), text.slice(from))) return true;
  }
  return false;
}
