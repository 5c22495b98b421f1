/**
 * Reads of a rollup's bars: stored bars, closed bars in memory, late parts and the live bar, added together.
 *
 * What memory holds is copied synchronously when the read begins. A stored bar carries the log position up to which it
 * is complete; a part from memory counts only if it came about after that. So a bar may lie in store and memory
 * at once.
 * Where a flush overtook the read, some stored bars are of a later moment than the copy: then the read begins again. A
 * read that was overtaken time and again shows each bar whole, but those stored meanwhile as of a later moment.
 */

import type { Bucketing } from '../../market/bucketing.ts';
import { concatSets } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import { sliceColumn } from '../../market/columns.ts';
import type { ScanRequest, Storage } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { Partials } from '../rollup/partials.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import type { Range } from './range.ts';
import { ceil256, keptPart } from './range.ts';
import { scanStore } from './scan-store.ts';

/** Whole bars in the order asked for. */
export interface BarsRead {
  partials: Partials;
  /** Rows of `partials`, in order. */
  rows: Int32Array;
  /** Did the limit cut the result? */
  isCut: boolean;
}

/** What a read needs of the engine. */
export type BarsState = Pick<EngineState, 'storage' | 'appliedLsn' | 'flushedLsn'>;

/** How often a read begins because a flush overtook it. */
export const attemptsMax = 4;

/**
 * Bars of the groups named (null: all), ordered by (bucket start, group). The memory part is taken before the
 * first await.
 */
export async function readBars(
  state: BarsState,
  source: BarsTarget,
  groups: Int32Array | null,
  asked: Range,
  withLive: boolean,
): Promise<BarsRead> {
  const range = keptPart(asked, source.node.droppedBeforeNs);
  for (let attempt = 1; ; attempt++) {
    const { flushedLsn } = state;
    const memory = gatherMemory(source, groups, range, withLive ? state.appliedLsn : null);
    const isCovered = isMemoryEnough(source, groups, range);
    if (isCovered || range.limit === 0) return finish(memory, undefined, range);
    const newest = fromNewest(source, groups, memory, range);
    if (newest) return newest;
    const stored = await readStore(state.storage, source, groups, range);
    const isOvertaken = stored.lsn.some((lsn) => lsn > flushedLsn);
    if (!isOvertaken || attempt === attemptsMax) return finish(memory, stored, range);
  }
}

/** Parts of bars with the log position up to which each is complete. */
export interface Parts {
  partials: Partials;
  lsn: number[];
}

/** The parts in memory, with the live bars as of `liveLsn` unless that is null. */
export function gatherMemory(
  source: BarsTarget,
  groups: Int32Array | null,
  range: Range,
  liveLsn: number | null,
): Parts {
  const { node } = source;
  const parts: Parts = { partials: new Partials(node.plan.slots, 64), lsn: [] };
  const wanted = groups ?? Int32Array.from({ length: node.groupCount }, (_, group) => group);
  const from = range.fromNs === null ? Number.NEGATIVE_INFINITY : ceil256(range.fromNs);
  const to = range.toNs === null ? Number.POSITIVE_INFINITY : ceil256(range.toNs);
  // Of the cursor's bucket on, which may have bars of further series.
  const newest =
    range.after && range.order === 'desc' ? Number(range.after.timeNs) : Number.POSITIVE_INFINITY;
  const live = new Partials(node.plan.slots, 1);
  const take = (partials: Partials, row: number, lsn: number): void => {
    parts.partials.push(partials, row, node.ownSlots);
    parts.lsn.push(lsn);
  };
  // One bar more than the limit tells that there is another page; another may be that of the cursor.
  const wholeMax =
    range.order === 'desc' && range.limit !== null ? range.limit + 2 : Number.POSITIVE_INFINITY;
  for (const group of wanted) {
    let whole = 0;
    node.closed.walk(group, 0, (block, at) => {
      const start = block.t[at];
      if (start >= from && start < to && start <= newest)
        take(block.payload.partials, at, block.payload.lsn[at]);
      // Late parts arrive after their bar: once past a whole bar, all parts of it have been seen.
      if (block.payload.late[at] === 1) return true;
      if (start < to && start <= newest) whole++;
      return whole < wholeMax && start >= from;
    });
    if (liveLsn !== null && node.live(group, live, 0) && live.start[0] >= from && live.start[0] < to) {
      take(live, 0, liveLsn);
    }
  }
  return parts;
}

function isMemoryEnough({ node, seriesCount }: BarsTarget, groups: Int32Array | null, range: Range): boolean {
  const { evictedMaxT } = node.closed;
  const from = range.fromNs === null ? Number.NEGATIVE_INFINITY : ceil256(range.fromNs);
  const isEnough = (group: number): boolean =>
    group >= evictedMaxT.length ||
    evictedMaxT[group] === Number.NEGATIVE_INFINITY ||
    from > evictedMaxT[group];
  if (groups) return groups.every(isEnough);
  for (let group = 0; group < seriesCount; group++) if (!isEnough(group)) return false;
  return true;
}

/** One series, newest bars first, a limit: memory is enough when the oldest bar taken is above everything evicted. */
function fromNewest(
  source: BarsTarget,
  groups: Int32Array | null,
  memory: Parts,
  range: Range,
): BarsRead | undefined {
  if (range.order !== 'desc' || range.limit === null || groups?.length !== 1) return undefined;
  const read = finish(memory, undefined, range);
  // Without a further bar in memory the store has to say whether there is another page.
  if (!read.isCut) return undefined;
  const oldest = read.partials.start[read.rows[read.rows.length - 1]];
  return oldest > source.node.closed.evictedMaxT[groups[0]] ? read : undefined;
}

async function readStore(
  storage: Storage,
  source: BarsTarget,
  groups: Int32Array | null,
  range: Range,
): Promise<Parts> {
  const request: ScanRequest = {
    table: physicalId(source.node.id, tableRole.rows),
    columns: source.storedColumns,
    series: groups,
    ...boundsBeyondCursor(range),
    order: range.order,
    limit: range.limit === null ? null : range.limit + 1,
    versionBelow: null,
    after: null,
  };
  let set = await scanStore(storage, request);
  if (request.limit !== null && set.rowCount === request.limit)
    set = await wholeLastTime(storage, request, set, source);
  if (range.after) {
    // The cursor's own bucket may hold bars of further series, which must not use up the limit.
    const { timeNs } = range.after;
    const own = await storage.scan({ ...request, fromNs: timeNs, toNs: timeNs + 1n, limit: null });
    set = concatSets([own, set]);
  }
  const { partials, lsn } = fromStored(source.node.plan, set.columns, set.rowCount);
  return { partials, lsn: [...lsn] };
}

/** The range behind the cursor's bucket. */
function boundsBeyondCursor({ fromNs, toNs, order, after }: Range): Pick<Range, 'fromNs' | 'toNs'> {
  if (!after) return { fromNs, toNs };
  if (order === 'desc') return { fromNs, toNs: toNs === null || after.timeNs < toNs ? after.timeNs : toNs };
  const next = after.timeNs + 1n;
  return { fromNs: fromNs === null || next > fromNs ? next : fromNs, toNs };
}

/**
 * The store cut among bars of equal time in an order of its own: replace that last time by all of its bars, so that the
 * limit can then be applied by (time, series).
 */
async function wholeLastTime(
  storage: Storage,
  request: ScanRequest,
  set: ColumnSet,
  source: BarsTarget,
): Promise<ColumnSet> {
  const times = (set.columns[request.columns.indexOf(source.timeName)] as { values: BigInt64Array }).values;
  const last = times[set.rowCount - 1];
  const keep = times.indexOf(last);
  const whole = await storage.scan({ ...request, fromNs: last, toNs: last + 1n, limit: null });
  const head: ColumnSet = {
    ...set,
    rowCount: keep,
    columns: set.columns.map((column) => sliceColumn(column, 0, keep)),
  };
  return concatSets([head, whole]);
}

/**
 * Adds up the parts of each bar, orders the bars and cuts at the limit. Takes over what is stored, where each bar is
 * one row: most reads of the past have nothing to add to it.
 */
export function finish(memory: Parts, stored: Parts | undefined, range: Range): BarsRead {
  const { partials: parts, lsn } = memory;
  const whole = stored?.partials ?? new Partials(parts.specs, Math.max(16, parts.length));
  const storedCount = whole.length;
  if (parts.length > 0) {
    const same = Int32Array.from(parts.specs, (_, i) => i);
    const rowOf: RowOf = new Map();
    for (let row = 0; row < storedCount; row++) setKeyedRow(rowOf, whole.group[row], whole.start[row], row);
    for (let i = 0; i < parts.length; i++) {
      const row = keyedRow(rowOf, parts.group[i], parts.start[i]);
      if (row === undefined) setKeyedRow(rowOf, parts.group[i], parts.start[i], whole.push(parts, i, same));
      else if (!stored || row >= storedCount || lsn[i] > stored.lsn[row]) whole.mergeRow(parts, i, row, same);
    }
  }
  return cutBars({ partials: whole, rows: rowsInOrder(whole, range.order), isCut: false }, range);
}

type RowOf = Map<number, Map<number, number>>;

function keyedRow(rowOf: RowOf, group: number, start: number): number | undefined {
  return rowOf.get(group)?.get(start);
}

function setKeyedRow(rowOf: RowOf, group: number, start: number, row: number): void {
  const byStart = rowOf.get(group);
  if (byStart) byStart.set(start, row);
  else rowOf.set(group, new Map([[start, row]]));
}

/** All rows by (bucket start, group). */
function rowsInOrder({ length, start, group }: Partials, order: 'asc' | 'desc'): Int32Array {
  const sign = order === 'asc' ? 1 : -1;
  const compare = (a: number, b: number): number => sign * (start[a] - start[b] || group[a] - group[b]);
  return Int32Array.from({ length }, (_, row) => row).sort(compare);
}

/** Leaves out bars up to the cursor and beyond the limit; `rows` must be in the range's order. */
export function cutBars({ partials, rows, isCut }: BarsRead, range: Range): BarsRead {
  const { after, limit } = range;
  const sign = range.order === 'asc' ? 1 : -1;
  let kept = rows;
  if (after) {
    const start = Number(after.timeNs);
    const group = Number(after.tie);
    kept = rows.filter((row) => sign * (partials.start[row] - start || partials.group[row] - group) > 0);
  }
  const isOver = limit !== null && kept.length > limit;
  return { partials, rows: isOver ? kept.slice(0, limit) : kept, isCut: isOver || isCut };
}

/** Merges whole bars into those of a longer timeframe, in the order given, by (bucket start, group). */
export function mergeToTimeframe(read: BarsRead, wanted: Bucketing, order: 'asc' | 'desc'): BarsRead {
  const { partials } = read;
  const merged = new Partials(partials.specs, Math.max(16, read.rows.length));
  const same = Int32Array.from(partials.specs, (_, i) => i);
  const rowOf: RowOf = new Map();
  for (const row of read.rows) {
    const { start } = wanted.bucketOf(partials.start[row]);
    const known = keyedRow(rowOf, partials.group[row], start);
    if (known !== undefined) {
      merged.mergeRow(partials, row, known, same);
      continue;
    }
    const added = merged.push(partials, row, same);
    merged.start[added] = start;
    setKeyedRow(rowOf, partials.group[row], start, added);
  }
  return { partials: merged, rows: rowsInOrder(merged, order), isCut: read.isCut };
}
