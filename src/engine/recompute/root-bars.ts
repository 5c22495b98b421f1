/** Bars of the level that takes the ticks, folded again from the stored ticks of just the buckets concerned. */
import { splitTimes } from '../../market/time.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { ownsGroups } from '../catalog/entries.ts';
import type { EngineState } from '../engine-state.ts';
import type { Position } from '../read/range.ts';
import { type RowsRead, readRows } from '../read/read-rows.ts';
import { Partials } from '../rollup/partials.ts';
import { TickFold } from '../rollup/tick-fold.ts';
import type { TickOverlay } from './amendment.ts';
import { type BarRows, type Buckets, setBar, spansOf, type TimeSpan, tickTimes } from './buckets.ts';

const pageRows = 65_536;

/** Bars in `bars`, found by `rows`: buckets without ticks have none. */
export interface FoundBars {
  bars: Partials;
  rows: BarRows;
}

/** Folds the ticks of these buckets as they will be with the overlay. Everything is in the store. */
export async function barsFromTicks(
  state: EngineState,
  entry: RollupEntry,
  buckets: Buckets,
  overlay: TickOverlay | null,
): Promise<FoundBars> {
  const found: FoundBars = { bars: new Partials(entry.node.plan.slots, 64), rows: new Map() };
  // Other groups than the series have ticks of any series.
  const series = ownsGroups(entry) ? null : Int32Array.from(buckets.keys());
  const fold = new TickFold(entry.node.plan.bucketing, entry.node.plan.slots);
  for (const span of spansOf(buckets, entry.node.plan.bucketing, Number.POSITIVE_INFINITY)) {
    // Between sessions the pages of two spans overlap.
    const isWanted = (group: number, start: number): boolean =>
      start >= span.from && start < span.to && buckets.get(group)?.has(start) === true;
    await eachPage(state, entry, { series, span, overlay }, (page) =>
      foldPage(entry, fold, page, isWanted, found),
    );
  }
  return found;
}

/** The bars of every group in a span of whole buckets. */
export async function allBarsFromTicks(
  state: EngineState,
  entry: RollupEntry,
  span: TimeSpan,
): Promise<FoundBars> {
  const found: FoundBars = { bars: new Partials(entry.node.plan.slots, 64), rows: new Map() };
  const fold = new TickFold(entry.node.plan.bucketing, entry.node.plan.slots);
  await eachPage(state, entry, { series: null, span, overlay: null }, (page) =>
    foldPage(entry, fold, page, (_, start) => start >= span.from && start < span.to, found),
  );
  return found;
}

interface PageRequest {
  series: Int32Array | null;
  span: TimeSpan;
  overlay: TickOverlay | null;
}

async function eachPage(
  state: EngineState,
  { node, ticks }: RollupEntry,
  { series, span, overlay }: PageRequest,
  take: (page: RowsRead) => void,
): Promise<void> {
  // What is before, a back-fill that has not come down to here will read.
  const times = tickTimes(span, node.plan.bucketing);
  const from = Math.max(times.from, node.filledFrom);
  if (from >= times.to) return;
  for (let after: Position | null = null, isMore = true; isMore; isMore = after !== null) {
    const range = { fromNs: BigInt(from), toNs: BigInt(times.to), order: 'asc', limit: pageRows } as const;
    const page: RowsRead = await readRows(state.storage, ticks.table, series, { ...range, after });
    take(overlay ? overlay.apply(page) : page);
    after = page.next;
  }
}

/** Adds the page's ticks to the bars of the buckets that are wanted. */
function foldPage(
  entry: RollupEntry,
  fold: TickFold,
  page: RowsRead,
  isWanted: (group: number, start: number) => boolean,
  { bars, rows }: FoundBars,
): void {
  const { node, ticks, groups } = entry;
  const count = page.series.length;
  if (count === 0) return;
  const columns = ticks.table.tickColumns(page.series, page.timesNs, page.columns);
  const applied = { lsn: 0, rowCount: count, series: page.series, timesNs: page.timesNs, columns };
  const group = ownsGroups(entry) ? ticks.table.groupsOf(applied, groups) : page.series;
  const t256 = new Float64Array(count);
  const rest = new Uint8Array(count);
  splitTimes(page.timesNs, t256, rest);
  const arrivals = Float64Array.from(page.arrivals, Number);
  const partials = fold.fold({ count, group, t256, rest, firstArrival: 0, arrivals, columns });
  for (let row = 0; row < partials.length; row++) {
    const start = partials.start[row];
    if (!isWanted(partials.group[row], start)) continue;
    const known = rows.get(partials.group[row])?.get(start);
    if (known === undefined)
      setBar(rows, partials.group[row], start, bars.push(partials, row, node.ownSlots));
    else bars.mergeRow(partials, row, known, node.ownSlots);
  }
}
