/** Bars made again from the ticks over a range of time: see `Database.refresh`. */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing } from '../../market/bucketing.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { RefreshRequest, RefreshResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { ceil256, floor256 } from '../read/range.ts';
import type { Partials } from '../rollup/partials.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import { barsTarget } from '../tables/bars-target.ts';
import type { WritePath } from '../write/write-path.ts';
import { levelOps } from './amendment-ops.ts';
import { addBucket, type Buckets, countBuckets, setBar, type TimeSpan } from './buckets.ts';
import { horizonOf, type LevelChange, levelChange, rootChange } from './level-change.ts';
import { type PlannedLevel, withLevelsAbove, withoutIncomplete } from './plan-amendment.ts';
import { putLevelRight } from './put-right.ts';
import { allBarsFromTicks } from './root-bars.ts';
import { onlyChanged } from './same-bars.ts';

/** Bars of the lowest level made at a time, about. */
const barsPerStep = 65_536;
const timesMin = -(2n ** 62n);
const timesMax = 2n ** 62n;

/** See the head of this file. Writers wait for one step at a time. */
export async function refresh(path: WritePath, request: RefreshRequest): Promise<RefreshResult> {
  const { state } = path;
  const entry = state.catalog.find(request.table);
  const isTicks = entry.kind === 'rows' && entry.def.kind === 'ticks';
  if (!isTicks && entry.kind !== 'rollup')
    throw new CandelaError('UNSUPPORTED', `'${request.table}' has no rollups to refresh`);
  const wanted = isTicks ? state.catalog.rollupsOf(entry) : family(state, entry as RollupEntry);
  const result: RefreshResult = { bars: 0, changed: 0, skipped: 0 };
  // What there is to refresh is counted in the store.
  await path.flusher.flush();
  // Lower levels first, each over whole bars of those above: a bar is made of bars that have been made again.
  for (const rollup of wanted) {
    for await (const span of spans(state, rollup, neededRange(rollup, wanted, request))) {
      const found = await path.gate.exclusive(() => refreshSpan(path, rollup, span));
      result.bars += found.bars;
      result.changed += found.changed;
      result.skipped += found.skipped;
    }
  }
  return result;
}

/** A rollup, the levels below it, and those built on it. */
function family({ catalog }: EngineState, { node }: RollupEntry): RollupEntry[] {
  const below = node.levels.map((level) => level.node);
  return catalog
    .rollups()
    .filter((other) => below.includes(other.node) || other.node.levels.some((level) => level.node === node));
}

/** Half-open. */
interface Bounds {
  fromNs: bigint;
  toNs: bigint;
}

/** Whole bars of the rollup, and of those built on it, that overlap the range asked for. */
function neededRange(
  rollup: RollupEntry,
  wanted: readonly RollupEntry[],
  { fromNs, toNs }: RefreshRequest,
): Bounds {
  const above = wanted.filter(({ node }) => node.levels.some((level) => level.node === rollup.node));
  const froms = above.map(({ node }) =>
    fromNs === undefined ? timesMin : BigInt(node.plan.bucketing.bucketOf(floor256(fromNs)).start),
  );
  const tos = above.map(({ node }) =>
    toNs === undefined ? timesMax : BigInt(lastEnd(node.plan.bucketing, toNs)),
  );
  return { fromNs: froms.reduce((a, b) => (a < b ? a : b)), toNs: tos.reduce((a, b) => (a > b ? a : b)) };
}

/** Whole buckets within the bounds that may have ticks or bars, a step's worth at a time. */
async function* spans(
  { storage }: EngineState,
  { id, node, ticks, groups }: RollupEntry,
  bounds: Bounds,
): AsyncGenerator<TimeSpan> {
  const { bucketing } = node.plan;
  const buckets = Math.max(1, Math.floor(barsPerStep / Math.max(1, groups.index.count)));
  const widthNs = stepWidthNs(bucketing.timeframe.widthNs * buckets);
  const versions = { versionFrom: 0n, versionBelow: 2n ** 63n - 1n };
  const tables = [node.source?.id ?? ticks.id, id].map((owner) => physicalId(owner, tableRole.rows));
  const counts = await Promise.all(
    tables.map((table) => storage.countByTime({ ...bounds, ...versions, widthNs, table })),
  );
  const starts = new Set(counts.flat().map(({ startNs }) => startNs));
  let done = Number(bounds.fromNs);
  for (const startNs of [...starts].sort((a, b) => (a < b ? -1 : 1))) {
    const from = Math.max(done, bucketing.bucketOf(Number(startNs)).start);
    const endNs = startNs + widthNs < bounds.toNs ? startNs + widthNs : bounds.toNs;
    const to = lastEnd(bucketing, endNs);
    if (from < to) yield { from, to, lastStart: bucketing.bucketOf(to - 256).start };
    done = Math.max(done, to);
  }
}

/**
 * About so many ns as a power of two, which slices all of time into whole multiples: no slice begins or ends beyond
 * what 64 bits hold.
 */
function stepWidthNs(wantedNs: number): bigint {
  return 1n << BigInt(Math.floor(Math.log2(Math.min(wantedNs, 2 ** 61))));
}

/** The end of the last bucket that begins before a time. */
function lastEnd(bucketing: Bucketing, toNs: bigint): number {
  const t = ceil256(toNs);
  const { start, end } = bucketing.bucketOf(t - 256);
  return start < t ? end : t;
}

async function refreshSpan(
  { state, flusher, publisher }: WritePath,
  rollup: RollupEntry,
  span: TimeSpan,
): Promise<RefreshResult> {
  const result: RefreshResult = { bars: 0, changed: 0, skipped: 0 };
  await flusher.flush([], async () => {
    // It may have been dropped meanwhile.
    if (state.catalog.get(rollup.def.name) !== rollup) return;
    const { change, skipped } = rollup.node.source
      ? await fromSource(state, rollup, rollup.node.source, span)
      : await fromTicks(state, rollup, span);
    result.skipped = skipped;
    // Were the newest bucket of a group another, the open bars above would be, too.
    const isMoved = [...change.newest.values()].some(({ before, now }) => before !== now);
    const changed: PlannedLevel[] = [];
    for (const level of await withLevelsAbove(state, change, () => isMoved)) {
      result.bars += countBuckets(level.closed) + level.open.size;
      const others = await onlyChanged(state, level);
      result.changed += countBuckets(others.closed) + others.open.size;
      if (others.newest.size > 0) changed.push(others);
    }
    if (changed.length === 0) return;
    const ops: StorageOp[] = changed.flatMap((level) => levelOps(level, state.appliedLsn));
    await state.storage.commit(ops);
    for (const level of changed) putLevelRight(level);
    rollup.ticks.table.appliedCount++;
    publisher.publishAmendedBars(changed);
  });
  return result;
}

interface SpanChange {
  change: LevelChange;
  skipped: number;
}

async function fromTicks(state: EngineState, rollup: RollupEntry, span: TimeSpan): Promise<SpanChange> {
  const found = await allBarsFromTicks(state, rollup, span);
  const all = await storedBuckets(state, rollup, span);
  for (const [group, byStart] of found.rows) for (const start of byStart.keys()) addBucket(all, group, start);
  const { open, groupCount } = rollup.node;
  for (let group = 0; group < groupCount; group++) {
    const start = open.start[group];
    if (open.rows[group] > 0 && start >= span.from && start < span.to) addBucket(all, group, start);
  }
  const total = countBuckets(all);
  const touched = withoutIncomplete(rollup, all);
  return {
    change: await rootChange(state, rollup, touched, found),
    skipped: total - countBuckets(touched),
  };
}

/** As if every bar of the source in the span had changed. */
async function fromSource(
  state: EngineState,
  rollup: RollupEntry,
  node: RollupNode,
  span: TimeSpan,
): Promise<SpanChange> {
  const entry = state.catalog.entryOf(node);
  const sourceBars = await storedBars(state, entry, span);
  const source: LevelChange = {
    entry,
    bars: sourceBars,
    closed: new Map(),
    open: new Map(),
    newest: new Map(),
    live: new Set(),
  };
  for (let row = 0; row < sourceBars.length; row++)
    setBar(source.closed, sourceBars.group[row], sourceBars.start[row], row);
  const stored = await storedBuckets(state, rollup, span);
  const root = node.levels[node.levels.length - 1].node;
  for (const group of new Set([...source.closed.keys(), ...stored.keys()])) {
    const isOpen = group < root.groupCount && root.open.rows[group] > 0;
    const { start } = node.plan.bucketing.bucketOf(root.open.start[group]);
    const newest = isOpen ? start : Number.NEGATIVE_INFINITY;
    source.newest.set(group, { before: newest, now: newest });
  }
  const from = Math.max(horizonOf(node), horizonOf(rollup.node));
  const isIncomplete = (start: number): boolean => start < from;
  const skipped = [...stored.values()].reduce(
    (sum, starts) => sum + [...starts].filter(isIncomplete).length,
    0,
  );
  return { change: await levelChange(state, rollup, source, stored), skipped };
}

/** Buckets in the span that have a stored bar. */
async function storedBuckets(state: EngineState, rollup: RollupEntry, span: TimeSpan): Promise<Buckets> {
  const { group, start, length } = await storedBars(state, rollup, span);
  const buckets: Buckets = new Map();
  for (let row = 0; row < length; row++) addBucket(buckets, group[row], start[row]);
  return buckets;
}

async function storedBars(
  state: EngineState,
  rollup: RollupEntry,
  { from, to }: TimeSpan,
): Promise<Partials> {
  const { node, storedColumns } = barsTarget(rollup);
  const set = await state.storage.scan({
    table: physicalId(rollup.id, tableRole.rows),
    columns: storedColumns,
    series: null,
    fromNs: BigInt(from),
    toNs: BigInt(to),
    order: 'asc',
    limit: null,
    versionBelow: null,
    after: null,
  });
  return fromStored(node.plan, set.columns, set.rowCount).partials;
}
