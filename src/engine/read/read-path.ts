/** The read path: requests over names and filters become reads over series numbers, and rows become columns. */
import { CandelaError } from '../../core/errors.ts';
import { type BucketingOptions, bucketingOptions } from '../../market/bucketing.ts';
import { concatSets } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import { sliceColumn } from '../../market/columns.ts';
import { adjustRows } from '../adjust/adjust-rows.ts';
import { adjustmentOf, checkAdjust } from '../adjust/adjustment.ts';
import type { BarKey, GroupedBars } from '../bus/bar-events.ts';
import { liveBars } from '../bus/bar-events.ts';
import type { Entry, PlainEntry, RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type {
  BarsRequest,
  BarsResult,
  GapsRequest,
  GapsResult,
  ReadRequest,
  ReadResult,
  SeriesFilter,
} from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { SeriesIndex } from '../series/series-index.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { beforeRows } from './bars-before.ts';
import type { FoundTimeframe } from './find-timeframe.ts';
import { findTimeframe } from './find-timeframe.ts';
import { barStateName } from './gaps/bar-states.ts';
import { gapReport } from './gaps/gap-report.ts';
import { readMergedBars } from './merged-bars.ts';
import type { Range } from './range.ts';
import { checkRange, formatCursor } from './range.ts';
import type { BarsRead } from './read-bars.ts';
import { readBars } from './read-bars.ts';
import { pageOptions, readPage } from './read-page.ts';
import { readRows } from './read-rows.ts';
import { needsBarBefore, project, stamped, visibleBars, visibleNames } from './visible-bars.ts';

/** See `Database.read`. What memory holds is taken before the first await. */
export async function read(state: EngineState, request: ReadRequest): Promise<ReadResult> {
  const entry = state.catalog.find(request.table);
  const range = checkRange(request);
  if (entry.kind === 'rollup') {
    const wanted = entry.node.plan.bucketing;
    return readRollup(state, { entry, wanted, isStored: true }, range, request);
  }
  if (request.flags || (request.gaps ?? 'none') !== 'none')
    throw new CandelaError('UNSUPPORTED', `'${request.table}' is not a rollup: gaps and flags are of bars`);
  checkColumns(entry, request.columns);
  if (entry.kind === 'plain' && request.adjust)
    throw new CandelaError('UNSUPPORTED', `'${request.table}' is a plain table: it cannot be adjusted`);
  if (entry.kind === 'plain') return readPlain(state, entry, range, request.columns);
  return readTable(state, entry, range, request);
}

/** Bars of a rollup, or merged from it. */
async function readRollup(
  state: EngineState,
  { entry, wanted, isStored }: FoundTimeframe,
  range: Range,
  request: Omit<ReadRequest, 'table'> & BucketingOptions,
): Promise<ReadResult> {
  checkColumns(entry, request.columns, request.flags);
  const groups = matchSeries(entry, request.series);
  const withLive = request.live !== false;
  const options = pageOptions(request, entry);
  if (options) {
    const asked = bucketingOptions(request);
    const wantedPage = { entry, wanted, isStored, groups, range, withLive, asked, ...options };
    const { rows, cursor } = await readPage(state, wantedPage);
    return { ...project(stamped(rows, wanted, request.stamp), columnsOf(request)), cursor };
  }
  const target = barsTarget(entry);
  const found = isStored
    ? await readBars(state, target, groups, range, withLive)
    : await readMergedBars(state, target, groups, range, wanted, withLive);
  const rows = stamped(await visible(state, entry, found), wanted, request.stamp);
  return { ...project(rows, request.columns), cursor: barsCursor(found) };
}

/** The columns asked for; a column that flags add comes last unless it is named. */
function columnsOf({ columns, flags }: Omit<ReadRequest, 'table'>): string[] | undefined {
  return columns && flags && !columns.includes(barStateName) ? [...columns, barStateName] : columns;
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
  checkAdjust(request.adjust);
  const adjustment = request.adjust && (await adjustmentOf(state, entry, request.adjust, {}));
  const rows = await readRows(state.storage, entry.table, matchSeries(entry, request.series), range);
  const columns = adjustment ? await adjustRows(entry, adjustment, rows) : rows.columns;
  const set = entry.table.columnSet(rows.series, rows.timesNs, columns);
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
  const found = findTimeframe(state.catalog, request);
  const { entry, wanted } = found;
  return {
    ...(await readRollup(state, found, checkRange(request), request)),
    timeframe: wanted.timeframe.text,
    rollup: entry.def.name,
    rollupTimeframe: entry.node.plan.bucketing.timeframe.text,
  };
}

/** See `Database.gaps`. */
export function gaps(state: EngineState, request: GapsRequest): Promise<GapsResult> {
  return gapReport(state, request, ({ entry }) => {
    const all = entry.kind === 'rollup' ? entry.groups.index : entry.table.series;
    return matchSeries(entry, request.series) ?? allOf(all);
  });
}

/** Visible columns of bars read; where a column grows from the bar before, that bar is read too. */
async function visible(
  state: EngineState,
  entry: RollupEntry,
  { partials, rows }: BarsRead,
): Promise<ColumnSet> {
  return visibleBars(entry, partials, rows, await beforeRows(state, barsTarget(entry), partials, rows));
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
function checkColumns(entry: Entry, columns: string[] | undefined, flags?: boolean): void {
  const known = entry.kind === 'rollup' ? visibleNames(entry) : entry.def.columns.map(({ name }) => name);
  const unknown = columns?.find((name) => !known.includes(name) && !(flags && name === barStateName));
  if (unknown !== undefined) {
    throw new CandelaError(
      'COLUMN_NOT_FOUND',
      `'${entry.def.name}' has no column '${unknown}'; it has ${known.join(', ')}`,
    );
  }
}
