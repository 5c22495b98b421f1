/**
 * Reads of a rollup's bars: stored bars, closed bars in memory, late parts and the live bar, added together.
 *
 * What memory holds is copied synchronously when the read begins. A stored bar carries the log position up to which it
 * is complete; a part from memory counts only if it came about after that. So a flush that commits during the read
 * changes nothing, and a bar may lie in store and memory at once.
 */

import { concatSets } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import { sliceColumn } from '../../market/columns.ts';
import type { Timeframe } from '../../market/timeframe.ts';
import { bucketOf } from '../../market/timeframe.ts';
import type { ScanRequest, Storage } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { Partials } from '../rollup/partials.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import type { Range } from './range.ts';
import { ceil256 } from './range.ts';

/** Whole bars in the order asked for. */
export interface BarsRead {
  partials: Partials;
  /** Rows of `partials`, in order. */
  rows: Int32Array;
  /** Did the limit cut the result? */
  isCut: boolean;
}

/**
 * Bars of the groups named (null: all), ordered by (bucket start, group). The memory part is taken before the
 * first await.
 */
export function readBars(
  storage: Storage,
  source: BarsTarget,
  groups: Int32Array | null,
  range: Range,
  withLive: boolean,
): Promise<BarsRead> {
  const memory = gatherMemory(source, groups, range, withLive);
  const isCovered = isMemoryEnough(source, groups, range);
  if (isCovered || range.limit === 0) return Promise.resolve(finish(memory, undefined, range));
  const newest = fromNewest(source, groups, memory, range);
  if (newest) return Promise.resolve(newest);
  return readStore(storage, source, groups, range).then((stored) => finish(memory, stored, range));
}

/** Parts of bars with the log position of each; `Infinity` for what is not in the log of closed bars yet. */
interface Parts {
  partials: Partials;
  lsn: number[];
}

function gatherMemory(source: BarsTarget, groups: Int32Array | null, range: Range, withLive: boolean): Parts {
  const { node } = source;
  const parts: Parts = { partials: new Partials(node.plan.slots, 64), lsn: [] };
  const wanted = groups ?? Int32Array.from({ length: node.groupCount }, (_, group) => group);
  const from = range.fromNs === null ? Number.NEGATIVE_INFINITY : ceil256(range.fromNs);
  const bound = boundTo(range);
  const to = bound === null ? Number.POSITIVE_INFINITY : ceil256(bound);
  const live = new Partials(node.plan.slots, 1);
  const take = (partials: Partials, row: number, lsn: number): void => {
    parts.partials.push(partials, row, node.ownSlots);
    parts.lsn.push(lsn);
  };
  // One bar more than the limit tells that there is another page; the live bar may be another.
  const wholeMax =
    range.order === 'desc' && range.limit !== null ? range.limit + 1 : Number.POSITIVE_INFINITY;
  for (const group of wanted) {
    let whole = 0;
    node.closed.walk(group, 0, (block, at) => {
      const start = block.t[at];
      if (start >= from && start < to) take(block.payload.partials, at, block.payload.lsn[at]);
      // Late parts arrive after their bar: once past a whole bar, all parts of it have been seen.
      if (block.payload.late[at] === 1) return true;
      if (start < to) whole++;
      return whole < wholeMax && start >= from;
    });
    if (withLive && node.live(group, live, 0) && live.start[0] >= from && live.start[0] < to) {
      take(live, 0, Number.POSITIVE_INFINITY);
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
  if (read.rows.length < range.limit) return undefined;
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
    fromNs: boundFrom(range),
    toNs: boundTo(range),
    order: range.order,
    limit: range.limit === null ? null : range.limit + 1,
    versionBelow: null,
    after: null,
  };
  let set = await storage.scan(request);
  if (request.limit !== null && set.rowCount === request.limit)
    set = await wholeLastTime(storage, request, set, source);
  const { partials, lsn } = fromStored(source.node.plan, set.columns, set.rowCount);
  return { partials, lsn: [...lsn] };
}

/** The cursor's own bucket may hold bars of further series. */
function boundFrom(range: Range): bigint | null {
  if (!range.after || range.order !== 'asc') return range.fromNs;
  return range.fromNs === null || range.after.timeNs > range.fromNs ? range.after.timeNs : range.fromNs;
}

function boundTo(range: Range): bigint | null {
  if (!range.after || range.order !== 'desc') return range.toNs;
  const after = range.after.timeNs + 1n;
  return range.toNs === null || after < range.toNs ? after : range.toNs;
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

/** Adds up the parts of each bar, orders the bars and cuts at the limit. */
function finish(memory: Parts, stored: Parts | undefined, range: Range): BarsRead {
  const whole = new Partials(
    memory.partials.specs,
    Math.max(16, (stored?.partials.length ?? 0) + memory.partials.length),
  );
  const same = Int32Array.from(memory.partials.specs, (_, i) => i);
  const rowOf = new Map<number, Map<number, number>>();
  const lsnOf: number[] = [];
  const add = (parts: Parts): void => {
    for (let i = 0; i < parts.partials.length; i++) {
      const row = keyedRow(rowOf, parts.partials.group[i], parts.partials.start[i]);
      if (row === undefined) {
        setKeyedRow(
          rowOf,
          parts.partials.group[i],
          parts.partials.start[i],
          whole.push(parts.partials, i, same),
        );
        lsnOf.push(parts === stored ? parts.lsn[i] : Number.NEGATIVE_INFINITY);
      } else if (parts.lsn[i] > lsnOf[row]) whole.mergeRow(parts.partials, i, row, same);
    }
  };
  if (stored) add(stored);
  add(memory);
  return ordered(whole, range);
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

function ordered(whole: Partials, range: Range): BarsRead {
  const sign = range.order === 'asc' ? 1 : -1;
  const compare = (a: number, b: number): number =>
    sign * (whole.start[a] - whole.start[b] || whole.group[a] - whole.group[b]);
  const rows = Int32Array.from({ length: whole.length }, (_, row) => row).sort(compare);
  return cutBars({ partials: whole, rows, isCut: false }, range);
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

/**
 * Merges whole bars into those of a longer timeframe; `rows` must be in order of time. The result is in the
 * same order.
 */
export function mergeToTimeframe(read: BarsRead, timeframe: Timeframe): BarsRead {
  const { partials } = read;
  const merged = new Partials(partials.specs, Math.max(16, read.rows.length));
  const same = Int32Array.from(partials.specs, (_, i) => i);
  const rowOf: RowOf = new Map();
  for (const row of read.rows) {
    const { start } = bucketOf(timeframe, partials.start[row]);
    const known = keyedRow(rowOf, partials.group[row], start);
    if (known !== undefined) {
      merged.mergeRow(partials, row, known, same);
      continue;
    }
    const added = merged.push(partials, row, same);
    merged.start[added] = start;
    setKeyedRow(rowOf, partials.group[row], start, added);
  }
  return {
    partials: merged,
    rows: Int32Array.from({ length: merged.length }, (_, row) => row),
    isCut: read.isCut,
  };
}
