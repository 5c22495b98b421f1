/**
 * What an amendment of ticks changes at one level of a rollup, worked out before anything is changed.
 *
 * Everything is in the store, nothing only in memory. A level is then: closed bars (stored), and per group an open bar,
 * which holds the closed bars of the level below in the bucket that the newest tick lies in. The level that takes the
 * ticks holds that newest bucket itself:
 *
 * ```
 *   1s  closed … 10:01:57  10:01:58   open 10:01:59
 *   1m  closed … 09:59  10:00         open 10:01   made of 1s bars 10:01:00 … 10:01:58
 * ```
 *
 * The state after an amendment is what it would be had the ticks been so from the beginning: where the newest bucket of
 * a group lost all its ticks, the bucket before it is open again, at every level.
 */
import { must } from '../../core/assert.ts';
import { bucketsWithin } from '../../market/bucketing.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { Partials } from '../rollup/partials.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { addBucket, type BarRows, type Buckets, noBar, setBar, spansOf } from './buckets.ts';
import type { FoundBars } from './root-bars.ts';

/** See the head of this file. Groups that do not change are not in it. */
export interface LevelChange {
  entry: RollupEntry;
  /** Holds the rows that the maps name. */
  bars: Partials;
  /** Closed bars that are new or other than before; `noBar`: there is none in this bucket any more. */
  closed: BarRows;
  /** Open bars that are other than before; `noBar`: there is none. */
  open: Map<number, number>;
  /** Per group the start of the bucket that its newest tick lay in before, and lies in now; -Infinity: no tick. */
  newest: Map<number, { before: number; now: number }>;
  /** Groups whose live bar, which takes in the levels below, is other than before. */
  live: Set<number>;
}

const none = Number.NEGATIVE_INFINITY;

/** Before this time retention has dropped rows or bars. */
export function horizonOf({ droppedBeforeNs }: { droppedBeforeNs: bigint | null }): number {
  return droppedBeforeNs === null ? none : Number(droppedBeforeNs);
}

/** Stored bars read at a time. */
const barsPerRead = 131_072;

/** The change of the level that takes the ticks: `touched` buckets were folded again to `found`. */
export async function rootChange(
  state: EngineState,
  entry: RollupEntry,
  touched: Buckets,
  { bars, rows }: FoundBars,
): Promise<LevelChange> {
  const { node } = entry;
  const change: LevelChange = {
    entry,
    bars,
    closed: new Map(),
    open: new Map(),
    newest: new Map(),
    live: new Set(),
  };
  for (const [group, starts] of touched) {
    const rowOf = (start: number): number => rows.get(group)?.get(start) ?? noBar;
    const isOpen = group < node.groupCount && node.open.rows[group] > 0;
    const before = isOpen ? node.open.start[group] : none;
    let now = isOpen && !starts.has(before) ? before : none;
    for (const start of starts) if (start > now && rowOf(start) !== noBar) now = start;
    // The newest bucket is empty: the closed bar before it opens again.
    const reopened = now < before ? await newestStored(state, entry, group, starts) : undefined;
    let row = rowOf(now);
    if (reopened && reopened.start[0] > now) {
      now = reopened.start[0];
      row = bars.push(reopened, 0, node.ownSlots);
      setBar(change.closed, group, now, noBar);
    }
    for (const start of starts) {
      if (start === now && start < before) setBar(change.closed, group, start, noBar);
      else if (start < now) setBar(change.closed, group, start, rowOf(start));
      else if (start > now && start < before) setBar(change.closed, group, start, noBar);
    }
    if (now > before && isOpen && !starts.has(before))
      setBar(change.closed, group, before, bars.push(node.open, group, node.ownSlots));
    if (now !== before || starts.has(now)) change.open.set(group, now === none ? noBar : row);
    change.newest.set(group, { before, now });
  }
  change.live = new Set(change.open.keys());
  return change;
}

/** The newest stored bar of a group whose bucket is not among those named. */
async function newestStored(
  state: EngineState,
  entry: RollupEntry,
  group: number,
  but: { has(start: number): boolean; size: number },
): Promise<Partials | undefined> {
  const { node, storedColumns } = barsTarget(entry);
  const set = await state.storage.scan({
    table: physicalId(node.id, tableRole.rows),
    columns: storedColumns,
    series: Int32Array.of(group),
    fromNs: null,
    toNs: null,
    order: 'desc',
    limit: but.size + 1,
    versionBelow: null,
    after: null,
  });
  const { partials } = fromStored(node.plan, set.columns, set.rowCount);
  for (let row = 0; row < partials.length; row++) {
    if (but.has(partials.start[row])) continue;
    const one = new Partials(node.plan.slots, 1);
    one.push(partials, row, node.ownSlots);
    return one;
  }
  return undefined;
}

/** The change of a level from that of the level it reads; `more` are buckets to be looked at besides those. */
export async function levelChange(
  state: EngineState,
  entry: RollupEntry,
  source: LevelChange,
  more: Buckets = new Map(),
): Promise<LevelChange> {
  const { bucketing, slots } = entry.node.plan;
  const startOf = (start: number): number => (start === none ? none : bucketing.bucketOf(start).start);
  const change: LevelChange = {
    entry,
    bars: new Partials(slots, 64),
    closed: new Map(),
    open: new Map(),
    newest: new Map(),
    live: new Set(source.live),
  };
  const touched: Buckets = new Map();
  // Some of the bars that a bucket is made of are gone: its bar stays as it is.
  const completeFrom = Math.max(horizonOf(source.entry.node), horizonOf(entry.node));
  for (const [group, newest] of source.newest) {
    const before = startOf(newest.before);
    const now = startOf(newest.now);
    change.newest.set(group, { before, now });
    for (const changed of source.closed.get(group)?.keys() ?? []) {
      const start = startOf(changed);
      if (start >= completeFrom) addBucket(touched, group, start);
    }
    for (const start of more.get(group) ?? []) if (start >= completeFrom) addBucket(touched, group, start);
    if (before === now) continue;
    if (now !== none) addBucket(touched, group, now);
    if (before !== none) addBucket(touched, group, before);
  }
  const rows = await mergeSource(state, entry, source, touched, change.bars);
  for (const [group, starts] of touched) {
    const { before, now } = must(change.newest.get(group), 'newest bucket');
    const rowOf = (start: number): number => rows.get(group)?.get(start) ?? noBar;
    for (const start of starts) {
      if (start < now) setBar(change.closed, group, start, rowOf(start));
      else if (start < before) setBar(change.closed, group, start, noBar);
      if (start === now) change.open.set(group, rowOf(start));
    }
    if (now === none) change.open.set(group, noBar);
  }
  for (const group of change.open.keys()) change.live.add(group);
  return change;
}

/** Closed bars of the source as they will be, merged to the buckets wanted. */
async function mergeSource(
  state: EngineState,
  { node }: RollupEntry,
  source: LevelChange,
  wanted: Buckets,
  into: Partials,
): Promise<BarRows> {
  const rows: BarRows = new Map();
  const add = (from: Partials, row: number): void => {
    const group = from.group[row];
    // A back-fill that has not come down to here will read them.
    if (from.start[row] < node.filledFrom) return;
    const { start } = node.plan.bucketing.bucketOf(from.start[row]);
    if (!wanted.get(group)?.has(start)) return;
    const known = rows.get(group)?.get(start);
    if (known !== undefined) {
      into.mergeRow(from, row, known, node.sourceSlots);
      return;
    }
    const added = into.push(from, row, node.sourceSlots);
    into.start[added] = start;
    setBar(rows, group, start, added);
  };
  const target = barsTarget(source.entry);
  const ratio = bucketsWithin(target.node.plan.bucketing, node.plan.bucketing);
  const bucketsMax = Math.max(1, Math.floor(barsPerRead / ratio / Math.max(1, wanted.size)));
  for (const span of spansOf(wanted, node.plan.bucketing, bucketsMax)) {
    const set = await state.storage.scan({
      table: physicalId(target.node.id, tableRole.rows),
      columns: target.storedColumns,
      series: Int32Array.from(wanted.keys()),
      fromNs: BigInt(span.from),
      toNs: BigInt(span.to),
      order: 'asc',
      limit: null,
      versionBelow: null,
      after: null,
    });
    const { partials } = fromStored(target.node.plan, set.columns, set.rowCount);
    for (let row = 0; row < partials.length; row++) {
      const isChanged = source.closed.get(partials.group[row])?.has(partials.start[row]);
      if (!isChanged) add(partials, row);
    }
  }
  for (const byStart of source.closed.values())
    for (const row of byStart.values()) if (row !== noBar) add(source.bars, row);
  return rows;
}

/** The newest closed bar that a changed group will have; undefined if none. */
export async function newestClosed(
  state: EngineState,
  { entry, bars, closed }: LevelChange,
  group: number,
): Promise<Partials | undefined> {
  const { node } = entry;
  const changed = closed.get(group) ?? new Map<number, number>();
  let found = await newestUnchanged(state, entry, group, changed);
  let newest = found?.start[0] ?? none;
  for (const [start, row] of changed) {
    if (row === noBar || start <= newest) continue;
    newest = start;
    found = new Partials(node.plan.slots, 1);
    found.push(bars, row, node.ownSlots);
  }
  return found;
}

/** Memory knows the newest closed bar; only where that one changes the store has to say which is next. */
async function newestUnchanged(
  state: EngineState,
  entry: RollupEntry,
  group: number,
  changed: ReadonlyMap<number, number>,
): Promise<Partials | undefined> {
  const { node } = entry;
  const one = new Partials(node.plan.slots, 1);
  if (!node.lastClosed(group, one, 0)) return undefined;
  return changed.has(one.start[0]) ? newestStored(state, entry, group, changed) : one;
}
