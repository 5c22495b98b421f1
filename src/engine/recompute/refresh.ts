/** Bars made again from the ticks over a range of time: see `Database.refresh`. */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing } from '../../market/bucketing.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { RefreshRequest, RefreshResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { ceil256, floor256 } from '../read/range.ts';
import { barsTarget } from '../tables/bars-target.ts';
import type { WritePath } from '../write/write-path.ts';
import { levelOps } from './amendment-ops.ts';
import { addBucket, type Buckets, countBuckets, type TimeSpan } from './buckets.ts';
import { rootChange } from './level-change.ts';
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
  for (const root of wanted.filter(({ node }) => node.source === null)) {
    for await (const span of spans(state, root, request)) {
      const found = await path.gate.exclusive(() => refreshSpan(path, root, span, new Set(wanted)));
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

/** Whole buckets of the lowest level that overlap the range and may have ticks or bars, a step's worth at a time. */
async function* spans(
  { storage }: EngineState,
  { id, node, ticks, groups }: RollupEntry,
  { fromNs, toNs }: RefreshRequest,
): AsyncGenerator<TimeSpan> {
  const { bucketing } = node.plan;
  const buckets = Math.max(1, Math.floor(barsPerStep / Math.max(1, groups.index.count)));
  const widthNs = BigInt(Math.round(bucketing.timeframe.widthNs)) * BigInt(buckets);
  const bounds = {
    // The bucket that the range begins in belongs to it.
    fromNs: fromNs === undefined ? timesMin : BigInt(bucketing.bucketOf(floor256(fromNs)).start),
    toNs: toNs === undefined ? timesMax : BigInt(lastEnd(bucketing, toNs)),
    widthNs,
    versionFrom: 0n,
    versionBelow: 2n ** 63n - 1n,
  };
  const tables = [physicalId(ticks.id, tableRole.rows), physicalId(id, tableRole.rows)];
  const counts = await Promise.all(tables.map((table) => storage.countByTime({ ...bounds, table })));
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

/** The end of the last bucket that begins before a time. */
function lastEnd(bucketing: Bucketing, toNs: bigint): number {
  const t = ceil256(toNs);
  const { start, end } = bucketing.bucketOf(t - 256);
  return start < t ? end : t;
}

async function refreshSpan(
  { state, flusher, publisher }: WritePath,
  root: RollupEntry,
  span: TimeSpan,
  wanted: ReadonlySet<RollupEntry>,
): Promise<RefreshResult> {
  const result: RefreshResult = { bars: 0, changed: 0, skipped: 0 };
  await flusher.flush([], async () => {
    // It may have been dropped meanwhile.
    if (state.catalog.get(root.def.name) !== root) return;
    const found = await allBarsFromTicks(state, root, span);
    const all = await bucketsIn(state, root, span, found.rows);
    const total = countBuckets(all);
    const touched = withoutIncomplete(root, all);
    result.skipped = total - countBuckets(touched);
    const change = await rootChange(state, root, touched, found);
    const levels = await withLevelsAbove(state, change, (entry) => wanted.has(entry));
    const changed: PlannedLevel[] = [];
    for (const level of levels) {
      result.bars += countBuckets(level.closed) + level.open.size;
      const others = await onlyChanged(state, level);
      result.changed += countBuckets(others.closed) + others.open.size;
      if (others.newest.size > 0) changed.push(others);
    }
    if (changed.length === 0) return;
    const ops: StorageOp[] = changed.flatMap((level) => levelOps(level, state.appliedLsn));
    await state.storage.commit(ops);
    for (const level of changed) putLevelRight(level);
    root.ticks.table.appliedCount++;
    publisher.publishAmendedBars(changed);
  });
  return result;
}

/** Buckets in the span with ticks, a stored bar or the open bar. */
async function bucketsIn(
  state: EngineState,
  root: RollupEntry,
  { from, to }: TimeSpan,
  found: ReadonlyMap<number, ReadonlyMap<number, number>>,
): Promise<Buckets> {
  const { node, seriesName, timeName } = barsTarget(root);
  const buckets: Buckets = new Map();
  for (const [group, byStart] of found) for (const start of byStart.keys()) addBucket(buckets, group, start);
  const set = await state.storage.scan({
    table: physicalId(root.id, tableRole.rows),
    columns: [seriesName, timeName],
    series: null,
    fromNs: BigInt(from),
    toNs: BigInt(to),
    order: 'asc',
    limit: null,
    versionBelow: null,
    after: null,
  });
  const [groups, starts] = set.columns as { values: BigInt64Array }[];
  for (let row = 0; row < set.rowCount; row++)
    addBucket(buckets, Number(groups.values[row]), Number(starts.values[row]));
  for (let group = 0; group < node.groupCount; group++) {
    const start = node.open.start[group];
    if (node.open.rows[group] > 0 && start >= from && start < to) addBucket(buckets, group, start);
  }
  return buckets;
}
