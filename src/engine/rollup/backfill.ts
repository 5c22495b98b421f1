/**
 * The first fill of a rollup, from the closed bars of the rollup it reads or from the ticks. Everything is in the store
 * and no writer is inside; the rollup is not attached yet.
 */

import { splitTimes } from '../../market/time.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { ownsGroups } from '../catalog/entries.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { planClosed } from '../flush/closed-bars.ts';
import { planSeries } from '../flush/pending-rows.ts';
import type { Position, Range } from '../read/range.ts';
import { readBars } from '../read/read-bars.ts';
import { readRows } from '../read/read-rows.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { rowsBetween } from './bar-intake.ts';
import type { RollupNode } from './rollup-node.ts';
import { toStored } from './stored-bars.ts';
import { TickFold } from './tick-fold.ts';

const pageRows = 65_536;

/** Fills the rollup and stores its bars. */
export async function backfill(state: EngineState, entry: RollupEntry): Promise<void> {
  const { node } = entry;
  if (node.source) await fromBars(state, entry, node.source);
  else await fromTicks(state, entry);
  await storeClosed(state, entry);
  await storeOpen(state, entry);
  node.publishedRow = node.closed.nextRow;
}

async function fromTicks(state: EngineState, entry: RollupEntry): Promise<void> {
  const { node, ticks, groups } = entry;
  const fold = new TickFold(node.plan.bucketing, node.plan.slots);
  for (let after: Position | null = null, isMore = true; isMore; ) {
    const rows = await readRows(state.storage, ticks.table, null, page(after));
    const count = rows.timesNs.length;
    const columns = ticks.table.tickColumns(rows.series, rows.timesNs, rows.columns);
    const t256 = new Float64Array(count);
    const rest = new Uint8Array(count);
    splitTimes(rows.timesNs, t256, rest);
    const applied = {
      lsn: state.appliedLsn,
      rowCount: count,
      series: rows.series,
      timesNs: rows.timesNs,
      columns,
    };
    const group = ownsGroups(entry) ? ticks.table.groupsOf(applied, groups) : rows.series;
    node.reserveGroups(groups.index.count);
    const arrivals = Float64Array.from(rows.arrivals, Number);
    const partials = fold.fold({
      count,
      group,
      t256,
      rest,
      firstArrival: 0,
      arrivals,
      columns,
    });
    node.merge(partials, rowsBetween(0, partials.length), state.appliedLsn);
    await storeClosed(state, entry);
    after = rows.next;
    isMore = after !== null;
  }
}

async function fromBars(state: EngineState, entry: RollupEntry, source: RollupNode): Promise<void> {
  const { node } = entry;
  const target = barsTarget(state.catalog.entryOf(source));
  node.reserveGroups(source.groupCount);
  for (let after: Position | null = null, isMore = true; isMore; ) {
    const { partials, rows, isCut } = await readBars(state, target, null, page(after), false);
    node.merge(partials, rows, state.appliedLsn);
    await storeClosed(state, entry);
    const last = rows[rows.length - 1];
    isMore = isCut;
    if (isCut) after = { timeNs: BigInt(partials.start[last]), tie: BigInt(partials.group[last]) };
  }
  // The source's open bars have begun buckets that end ours, though they will only be handed over when they close.
  const [root] = source.levels.slice(-1);
  const { open } = root.node;
  const groups = rowsBetween(0, source.groupCount).filter((group) => open.rows[group] > 0);
  node.advance(groups, groups.length, open.start, state.appliedLsn);
}

function page(after: Position | null): Range {
  return { fromNs: null, toNs: null, order: 'asc', limit: pageRows, after };
}

/** Moves closed bars to the store so that memory stays bounded. */
async function storeClosed(state: EngineState, entry: RollupEntry): Promise<void> {
  const { node } = entry;
  const { closed } = node;
  const toRow = closed.nextRow;
  if (toRow === closed.flushedRow) return;
  const plan = await planClosed(state.storage, barsTarget(entry), closed.flushedRow, toRow, state.appliedLsn);
  await state.commits.run(() => state.storage.commit(plan.ops));
  node.noteFlushed(plan.newest);
  closed.flushedRow = toRow;
  while (closed.evictOldest());
}

async function storeOpen(state: EngineState, entry: RollupEntry): Promise<void> {
  const { node, groups } = entry;
  const rows: number[] = [];
  for (let group = 0; group < node.groupCount; group++) if (node.open.rows[group] > 0) rows.push(group);
  const columns = toStored(node.open, Int32Array.from(rows), state.appliedLsn);
  const series = ownsGroups(entry) ? planSeries(entry.id, groups.index, 0, groups.index.count) : [];
  const table = physicalId(node.id, tableRole.open);
  await state.commits.run(() =>
    state.storage.commit([...series, { op: 'rewrite', table, columns, rowCount: rows.length }]),
  );
  groups.storedCount = groups.index.count;
}
