/**
 * Reads of ticks and bars tables: what the store holds and what only memory holds, at one point in the log.
 *
 * The memory part is gathered synchronously when the read begins, together with the number of the first row that is not
 * in the store (`hot.flushedRow`); the store is then asked only for rows below that number. So it does not matter
 * whether a flush commits in between: no row is missed and none comes twice. Only bars take the place of others when
 * they are stored: a read of bars that a flush of later ones overtakes begins again. Where memory covers the whole
 * range the store is not asked at all.
 */

import { concatSets, narrowToInt32, takeSetRows, widenInt32 } from '../../market/column-ops.ts';
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import type { Storage } from '../../storage/storage.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import type { RowBlock, RowTable } from '../tables/row-table.ts';
import { storedTimeName } from '../tables/row-table.ts';
import type { Position, Range } from './range.ts';
import { floor256, isInRange, keptPart, sortedRows } from './range.ts';
import { scanStore } from './scan-store.ts';

/** Rows in their order: series numbers, times, arrival numbers, and the row columns. */
export interface RowsRead {
  series: Int32Array;
  timesNs: BigInt64Array;
  arrivals: BigInt64Array;
  columns: ColumnData[];
  /** Position of the last row when the limit cut the rest; null when there is no more. */
  next: Position | null;
}

/** Reads rows of the series named (null: all). The memory part is taken before the first await. */
export function readRows(
  storage: Storage,
  table: RowTable,
  series: Int32Array | null,
  asked: Range,
): Promise<RowsRead> {
  return tryRows(storage, table, series, asked, 1);
}

/**
 * How often a read of bars begins again because a flush overtook it; then it takes what the store has, which is of that
 * moment or of a later one.
 */
const triesMax = 4;

function tryRows(
  storage: Storage,
  table: RowTable,
  series: Int32Array | null,
  asked: Range,
  tries: number,
): Promise<RowsRead> {
  const { hot } = table;
  const range = keptPart(asked, table.droppedBeforeNs);
  if (table.def.kind === 'state') return Promise.resolve(readStates(table, series, range));
  const isCovered = isMemoryEnough(table, series, range);
  const memory = gatherMemory(table, series, range, isCovered ? hot.firstRow : hot.flushedRow);
  if (isCovered || range.limit === 0) return Promise.resolve(finish(table, range, [memory]));
  const newest = fromNewest(table, series, range);
  if (newest) return Promise.resolve(newest);
  const { amendedCount } = table;
  const { nextRow } = hot;
  const isLast = table.def.kind === 'bars' && tries === triesMax;
  const below = isLast ? null : hot.flushedRow;
  const limit = storedLimit(table, range, memory);
  return readStore(storage, table, series, { ...range, limit }, below).then((stored) => {
    // What memory gave is of before an amendment, what the store gave may be of after it.
    if (table.amendedCount !== amendedCount) return readRows(storage, table, series, range);
    // Bars that came after the read began may have taken the place of stored ones that belong to it.
    const isOvertaken = table.def.kind === 'bars' && table.cutRow > nextRow && !isLast;
    if (isOvertaken) return tryRows(storage, table, series, range, tries + 1);
    return finish(table, range, [stored, memory]);
  });
}

/** The one row that each series of a state table has is in memory. */
function readStates(table: RowTable, series: Int32Array | null, range: Range): RowsRead {
  const wanted = series ?? Int32Array.from({ length: table.series.count }, (_, one) => one);
  const latest = table.latestRows(wanted);
  const rows: ColumnSet = {
    rowCount: latest.series.length,
    names: columnNames(table),
    columns: [
      { kind: 'int64', values: widenInt32(latest.series) },
      { kind: 'timestamp', values: latest.timesNs },
      { kind: 'int64', values: latest.arrivals },
      ...latest.columns,
    ],
  };
  return finish(table, range, [rows]);
}

/** Are all rows of the range in memory? */
function isMemoryEnough(table: RowTable, series: Int32Array | null, range: Range): boolean {
  const { evictedMaxT } = table.hot;
  // A row in the very 256 ns in which the range begins may be on either side: strictly above is sure.
  const from = range.fromNs === null ? Number.NEGATIVE_INFINITY : floor256(range.fromNs);
  if (series) return series.every((s) => s >= evictedMaxT.length || isAbove(from, evictedMaxT[s]));
  for (let s = 0; s < table.series.count && s < evictedMaxT.length; s++)
    if (!isAbove(from, evictedMaxT[s])) return false;
  return true;
}

function isAbove(from: number, evicted: number): boolean {
  return evicted === Number.NEGATIVE_INFINITY || from > evicted;
}

/** One series, newest rows first, a limit: enough when the oldest row taken is above everything evicted. */
function fromNewest(table: RowTable, series: Int32Array | null, range: Range): RowsRead | undefined {
  if (range.order !== 'desc' || range.limit === null || series?.length !== 1) return undefined;
  const rows = finish(table, range, [gatherMemory(table, series, range, table.hot.firstRow)]);
  // Without a further row in memory the store has to say whether there is another page.
  if (rows.next === null) return undefined;
  const oldest = rows.next.timeNs;
  return floor256(oldest) > table.hot.evictedMaxT[series[0]] ? rows : undefined;
}

const seriesName = rowColumns.series;

function gatherMemory(table: RowTable, series: Int32Array | null, wanted: Range, fromRow: number): ColumnSet {
  const picks: { block: RowBlock; at: number }[] = [];
  // A bar here takes the place of those written before, also where it is not among the rows wanted itself.
  const range = table.def.kind === 'bars' ? { ...wanted, limit: null, after: null } : wanted;
  const consider = (block: RowBlock, at: number): boolean => {
    const isIn = isInRange(range, block.payload.timesNs[at], BigInt(block.baseRow + at));
    if (isIn) picks.push({ block, at });
    return isIn;
  };
  if (series) {
    for (const s of series) walkSeries(table, s, range, fromRow, consider);
  } else {
    scanBlocks(table, range, fromRow, consider);
  }
  return gatherPicks(table, picks);
}

/**
 * Rows of all series, from the end that the limit counts from. Once as many are found as are wanted, rows beyond the
 * farthest of them are of no use: blocks that hold nothing else are passed over.
 */
function scanBlocks(
  table: RowTable,
  range: Range,
  fromRow: number,
  consider: (block: RowBlock, at: number) => boolean,
): void {
  const isAscending = range.order === 'asc';
  const wanted = range.limit === null ? Number.POSITIVE_INFINITY : range.limit + 1;
  let { low, high } = bounds(range);
  let taken = 0;
  let farthest = isAscending ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const blocks = isAscending ? table.hot.blocks : [...table.hot.blocks].reverse();
  for (const block of blocks) {
    if (block.maxT < low || block.minT > high) continue;
    for (let at = Math.max(0, fromRow - block.baseRow); at < block.length; at++) {
      const t = block.t[at];
      if (t < low || t > high || !consider(block, at)) continue;
      taken++;
      farthest = isAscending ? Math.max(farthest, t) : Math.min(farthest, t);
    }
    if (taken < wanted) continue;
    if (isAscending) high = Math.min(high, farthest);
    else low = Math.max(low, farthest);
  }
}

/** The range and its cursor as bounds of `t`, both inclusive: wide enough, the exact test comes after. */
function bounds({ fromNs, toNs, after, order }: Range): { low: number; high: number } {
  const low = fromNs === null ? Number.NEGATIVE_INFINITY : floor256(fromNs);
  const high = toNs === null ? Number.POSITIVE_INFINITY : floor256(toNs);
  if (!after) return { low, high };
  const t = floor256(after.timeNs);
  return order === 'asc' ? { low: Math.max(low, t), high } : { low, high: Math.min(high, t) };
}

/** A series' rows, newest first, until no older one can be in the range or within the limit. */
function walkSeries(
  table: RowTable,
  series: number,
  range: Range,
  fromRow: number,
  consider: (block: RowBlock, at: number) => boolean,
): void {
  const from = range.fromNs === null ? Number.NEGATIVE_INFINITY : floor256(range.fromNs);
  // One more than the limit tells that there is another page.
  const wanted = range.order === 'desc' && range.limit !== null ? range.limit + 1 : Number.POSITIVE_INFINITY;
  let taken = 0;
  table.hot.walk(series, fromRow, (block, at, row) => {
    if (consider(block, at)) taken++;
    const isOrdered = row > table.hot.disorderRow[series];
    return !isOrdered || (taken < wanted && block.t[at] >= from);
  });
}

function gatherPicks(table: RowTable, picks: { block: RowBlock; at: number }[]): ColumnSet {
  picks.sort((a, b) => a.block.baseRow + a.at - b.block.baseRow - b.at);
  const sets: ColumnSet[] = [];
  for (let from = 0; from < picks.length; ) {
    let to = from;
    while (to < picks.length && picks[to].block === picks[from].block) to++;
    const { block } = picks[from];
    const rows = Int32Array.from(picks.slice(from, to), (pick) => pick.at);
    sets.push(blockSet(table, block, rows));
    from = to;
  }
  return sets.length === 0 ? emptySet(table) : concatSets(sets);
}

function blockSet(table: RowTable, block: RowBlock, rows: Int32Array): ColumnSet {
  const { payload } = block;
  return {
    rowCount: rows.length,
    names: columnNames(table),
    columns: [
      { kind: 'int64', values: widenInt32(rows.map((at) => block.series[at])) },
      { kind: 'timestamp', values: BigInt64Array.from(rows, (at) => payload.timesNs[at]) },
      { kind: 'int64', values: BigInt64Array.from(rows, (at) => BigInt(block.baseRow + at)) },
      ...payload.stores.map((store) => store.gather(rows)),
    ],
  };
}

function emptySet(table: RowTable): ColumnSet {
  const none = Int32Array.of();
  return {
    rowCount: 0,
    names: columnNames(table),
    columns: [
      { kind: 'int64', values: new BigInt64Array(0) },
      { kind: 'timestamp', values: new BigInt64Array(0) },
      { kind: 'int64', values: new BigInt64Array(0) },
      ...table.pinned.payload.stores.map((store) => store.gather(none)),
    ],
  };
}

function columnNames(table: RowTable): string[] {
  return [
    seriesName,
    storedTimeName(table.def),
    rowColumns.version,
    ...table.rowColumns.map(({ def }) => def.name),
  ];
}

/**
 * How many rows of the store are enough. One more than asked for tells whether there is another page. A bar that memory
 * overwrites is a later arrival: it moves among those of its time, past the cursor or past rows that were cut.
 */
function storedLimit(table: RowTable, { limit }: Range, memory: ColumnSet): number | null {
  if (limit === null) return null;
  if (table.def.kind !== 'bars') return limit + 1;
  const counts = new Map<bigint, number>();
  const [, timesNs] = memory.columns as { values: BigInt64Array }[];
  let most = 0;
  for (const timeNs of timesNs.values) {
    const count = (counts.get(timeNs) ?? 0) + 1;
    counts.set(timeNs, count);
    if (count > most) most = count;
  }
  return limit + 1 + most;
}

function readStore(
  storage: Storage,
  table: RowTable,
  series: Int32Array | null,
  range: Range,
  below: number | null,
): Promise<ColumnSet> {
  return scanStore(storage, {
    table: physicalId(table.id, tableRole.rows),
    columns: columnNames(table),
    series,
    fromNs: range.fromNs,
    toNs: range.toNs,
    order: range.order,
    limit: range.limit,
    versionBelow: below === null ? null : BigInt(below),
    after: range.after && { timeNs: range.after.timeNs, version: range.after.tie },
  });
}

/** Puts the parts in one order, keeps the newest of overwritten rows, and cuts at the limit. */
function finish(table: RowTable, range: Range, parts: ColumnSet[]): RowsRead {
  const all = concatSets(parts);
  const [series, timesNs, arrivals] = all.columns as { values: BigInt64Array }[];
  let rows = sortedRows(timesNs.values, arrivals.values, range.order);
  if (table.def.kind !== 'ticks') {
    rows = newestOfKey(rows, series.values, timesNs.values, arrivals.values);
    rows = rows.filter((row) => isInRange(range, timesNs.values[row], arrivals.values[row]));
  }
  const isCut = range.limit !== null && rows.length > range.limit;
  if (isCut) rows = rows.slice(0, range.limit ?? 0);
  const taken = takeSetRows(all, rows);
  const longs = (index: number): BigInt64Array => (taken.columns[index] as { values: BigInt64Array }).values;
  const last = rows.length - 1;
  return {
    series: narrowToInt32(longs(0)),
    timesNs: longs(1),
    arrivals: longs(2),
    columns: taken.columns.slice(3),
    next: isCut && last >= 0 ? { timeNs: longs(1)[last], tie: longs(2)[last] } : null,
  };
}

/** Of bars written more than once the newest. */
function newestOfKey(
  rows: Int32Array,
  series: BigInt64Array,
  timesNs: BigInt64Array,
  arrivals: BigInt64Array,
): Int32Array {
  const newest = new Map<string, number>();
  for (const row of rows) {
    const key = `${series[row]}:${timesNs[row]}`;
    const other = newest.get(key);
    if (other === undefined || arrivals[row] > arrivals[other]) newest.set(key, row);
  }
  const kept = new Set(newest.values());
  return rows.filter((row) => kept.has(row));
}
