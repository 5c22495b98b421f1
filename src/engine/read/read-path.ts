/** The read path: requests over names and filters become reads over series numbers, and rows become columns. */
import { must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import { concatSets } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import { sliceColumn } from '../../market/columns.ts';
import type { BarKey, GroupedBars } from '../bus/bar-events.ts';
import { liveBars } from '../bus/bar-events.ts';
import type { Entry, PlainEntry, RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { BarsRequest, BarsResult, ReadRequest, ReadResult, SeriesFilter } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { nothingBefore } from '../rollup/outputs.ts';
import { asDoubles } from '../rollup/slots.ts';
import type { SeriesIndex } from '../series/series-index.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { findTimeframe } from './find-timeframe.ts';
import { readMergedBars } from './merged-bars.ts';
import type { Range } from './range.ts';
import { checkRange, formatCursor } from './range.ts';
import type { BarsRead } from './read-bars.ts';
import { readBars } from './read-bars.ts';
import { readRows } from './read-rows.ts';
import { needsBarBefore, project, stamped, visibleBars, visibleNames } from './visible-bars.ts';

/** See `Database.read`. What memory holds is taken before the first await. */
export async function read(state: EngineState, request: ReadRequest): Promise<ReadResult> {
  const entry = state.catalog.find(request.table);
  const range = checkRange(request);
  checkColumns(entry, request.columns);
  if (entry.kind === 'plain') return readPlain(state, entry, range, request.columns);
  if (entry.kind === 'rows') return readTable(state, entry, range, request);
  const groups = matchSeries(entry, request.series);
  const bars = await readBars(state, barsTarget(entry), groups, range, request.live !== false);
  const rows = stamped(await visible(state, entry, bars), entry.node.plan.bucketing, request.stamp);
  return { ...project(rows, request.columns), cursor: barsCursor(bars) };
}

/**
 * The newest rows of one series, or bars of one group, newest first. What memory holds is taken before the
 * first await.
 */
export async function readNewest(
  state: EngineState,
  entry: RowsEntry | RollupEntry,
  series: number,
  { limit, live }: { limit: number; live: boolean },
): Promise<ColumnSet> {
  const range: Range = { fromNs: null, toNs: null, order: 'desc', limit, after: null };
  const wanted = Int32Array.of(series);
  if (entry.kind === 'rollup')
    return visible(state, entry, await readBars(state, barsTarget(entry), wanted, range, live));
  const rows = await readRows(state.storage, entry.table, wanted, range);
  return entry.table.columnSet(rows.series, rows.timesNs, rows.columns);
}

async function readTable(
  state: EngineState,
  entry: RowsEntry,
  range: Range,
  request: ReadRequest,
): Promise<ReadResult> {
  const rows = await readRows(state.storage, entry.table, matchSeries(entry, request.series), range);
  const set = entry.table.columnSet(rows.series, rows.timesNs, rows.columns);
  return { ...project(set, request.columns), cursor: rows.next && formatCursor(rows.next) };
}

async function readPlain(
  state: EngineState,
  entry: PlainEntry,
  range: Range,
  columns: string[] | undefined,
): Promise<ReadResult> {
  const names = columns ?? entry.def.columns.map(({ name }) => name);
  const all = await state.storage.readAll(physicalId(entry.id, tableRole.rows), names);
  const rowCount = Math.min(all.rowCount, range.limit ?? all.rowCount);
  return {
    names,
    rowCount,
    columns: all.columns.map((column) => sliceColumn(column, 0, rowCount)),
    cursor: null,
  };
}

function barsCursor({ partials, rows, isCut }: BarsRead): string | null {
  if (!isCut || rows.length === 0) return null;
  const last = rows[rows.length - 1];
  return formatCursor({ timeNs: BigInt(partials.start[last]), tie: BigInt(partials.group[last]) });
}

/** See `Database.bars`. */
export async function bars(state: EngineState, request: BarsRequest): Promise<BarsResult> {
  const { entry, wanted, isStored } = findTimeframe(state.catalog, request);
  checkColumns(entry, request.columns);
  const groups = matchSeries(entry, request.series);
  const range = checkRange(request);
  const target = barsTarget(entry);
  const withLive = request.live !== false;
  const found = isStored
    ? await readBars(state, target, groups, range, withLive)
    : await readMergedBars(state, target, groups, range, wanted, withLive);
  const rows = stamped(await visible(state, entry, found), wanted, request.stamp);
  return {
    ...project(rows, request.columns),
    timeframe: wanted.timeframe.text,
    rollup: entry.def.name,
    rollupTimeframe: entry.node.plan.bucketing.timeframe.text,
    cursor: barsCursor(found),
  };
}

/** Visible columns of bars read; where a column grows from the bar before, that bar is read too. */
async function visible(
  state: EngineState,
  entry: RollupEntry,
  { partials, rows }: BarsRead,
): Promise<ColumnSet> {
  if (!needsBarBefore(entry.node.plan) || rows.length === 0)
    return visibleBars(entry, partials, rows, nothingBefore);
  const earliest = new Map<number, number>();
  for (const row of rows) {
    const known = earliest.get(partials.group[row]) ?? Number.POSITIVE_INFINITY;
    earliest.set(partials.group[row], Math.min(known, partials.start[row]));
  }
  const before = new Map<number, BarsRead>();
  for (const [group, start] of earliest) {
    const range: Range = { fromNs: null, toNs: BigInt(start), order: 'desc', limit: 1, after: null };
    before.set(group, await readBars(state, barsTarget(entry), Int32Array.of(group), range, true));
  }
  const lastBefore = (group: number, slot: number): number => {
    const bar = must(before.get(group), 'bar before');
    if (bar.rows.length === 0) return Number.NaN;
    return asDoubles(bar.partials.slots[slot].store(bar.rows)[0])[0];
  };
  return visibleBars(entry, partials, rows, { valueOf: lastBefore, areAdjacent: true });
}

/** See `Database.latest`. */
export function latest(state: EngineState, table: string, filter: SeriesFilter | undefined): ColumnSet {
  const entry = state.catalog.find(table);
  if (entry.kind === 'plain') {
    throw new CandelaError('UNSUPPORTED', `'${table}' is a plain table: it has no series`, {
      help: 'Read it, or use SQL.',
    });
  }
  const series = matchSeries(entry, filter);
  if (entry.kind === 'rows') return entry.table.latest(series ?? allOf(entry.table.series));
  return liveBars(entry, series ?? allOf(entry.groups.index)).rows;
}

function allOf(index: SeriesIndex): Int32Array {
  return Int32Array.from({ length: index.count }, (_, series) => series);
}

/**
 * Whole closed bars again, as a correction shows them. Where a column grows from the bar before, the closed bar after
 * a corrected one changes with it.
 */
export async function readAgain(
  state: EngineState,
  entry: RollupEntry,
  keys: BarKey[],
): Promise<GroupedBars> {
  const withNext = needsBarBefore(entry.node.plan);
  const reads = keys.map(({ group, start }) => {
    const fromNs = BigInt(start);
    const range: Range = withNext
      ? { fromNs, toNs: null, order: 'asc', limit: 2, after: null }
      : { fromNs, toNs: fromNs + 1n, order: 'asc', limit: null, after: null };
    return readBars(state, barsTarget(entry), Int32Array.of(group), range, false);
  });
  const found = await Promise.all(reads);
  const sets: ColumnSet[] = [];
  for (const bars of found) sets.push(await visible(state, entry, bars));
  const groups = found.flatMap(({ partials, rows }) => Array.from(rows, (row) => partials.group[row]));
  return { groups: Int32Array.from(groups), rows: concatSets(sets) };
}

/** Numbers of the series a filter picks, null for all. Throws `COLUMN_NOT_FOUND`. */
export function matchSeries(
  entry: RowsEntry | RollupEntry,
  filter: SeriesFilter | undefined,
): Int32Array | null {
  const key = entry.kind === 'rows' ? entry.def.seriesKey : entry.groups.key;
  for (const name of Object.keys(filter ?? {})) {
    if (key.includes(name)) continue;
    throw new CandelaError(
      'COLUMN_NOT_FOUND',
      `'${name}' is not part of the series key of '${entry.def.name}' (${key.join(', ')})`,
    );
  }
  return (entry.kind === 'rows' ? entry.table.series : entry.groups.index).match(filter);
}

/** Throws `COLUMN_NOT_FOUND` for a column that the table does not show. */
function checkColumns(entry: Entry, columns: string[] | undefined): void {
  const known = entry.kind === 'rollup' ? visibleNames(entry) : entry.def.columns.map(({ name }) => name);
  const unknown = columns?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new CandelaError(
      'COLUMN_NOT_FOUND',
      `'${entry.def.name}' has no column '${unknown}'; it has ${known.join(', ')}`,
    );
  }
}
