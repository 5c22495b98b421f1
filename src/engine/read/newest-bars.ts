/** The newest bar before a time of each of many series: out of memory, and one look into the store for the rest. */
import { physicalId, tableRole } from '../catalog/layout.ts';
import { Partials } from '../rollup/partials.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import type { Range } from './range.ts';
import { ceil256 } from './range.ts';
import type { BarsRead, BarsState, Parts } from './read-bars.ts';
import { attemptsMax, finish, gatherMemory, readBars } from './read-bars.ts';

/** One whole bar. */
export interface BarRow {
  partials: Partials;
  row: number;
}

/** Of each group that has one its newest bar, live or closed, that starts before `start`. */
export async function newestBarsBefore(
  state: BarsState,
  source: BarsTarget,
  groups: readonly number[],
  start: number,
): Promise<Map<number, BarRow>> {
  const found = new Map<number, BarRow>();
  const others: number[] = [];
  for (const group of groups) {
    const newest = newestInMemory(source.node, group, start);
    if (newest) found.set(group, newest);
    else others.push(group);
  }
  if (others.length > 0) {
    const { partials, rows } = await olderBars(state, source, Int32Array.from(others), start);
    for (const row of rows) {
      const group = partials.group[row];
      if (!found.has(group)) found.set(group, { partials, row });
    }
  }
  return kept(found, source.node.droppedBeforeNs);
}

/** {@link newestBarsBefore} of one group. */
export async function newestBarBefore(
  state: BarsState,
  source: BarsTarget,
  group: number,
  start: number,
): Promise<BarRow | null> {
  return (await newestBarsBefore(state, source, [group], start)).get(group) ?? null;
}

/** The newest bar of all or the newest closed one, which memory always has, if it starts before `start`. */
function newestInMemory(node: RollupNode, group: number, start: number): BarRow | null {
  const partials = new Partials(node.plan.slots, 1);
  if (node.live(group, partials, 0) && partials.start[0] < start) return { partials, row: 0 };
  return node.lastClosed(group, partials, 0) && partials.start[0] < start ? { partials, row: 0 } : null;
}

/** Bars before `start`, newest first, among them the newest of each group. */
async function olderBars(
  state: BarsState,
  source: BarsTarget,
  groups: Int32Array,
  start: number,
): Promise<BarsRead> {
  const range: Range = { fromNs: null, toNs: BigInt(start), order: 'desc', limit: 1, after: null };
  if (groups.length === 1) return readBars(state, source, groups, range, true);
  const { node, storedColumns } = source;
  const series = groups.filter((group) => node.closed.evictedMaxT[group] > Number.NEGATIVE_INFINITY);
  for (let attempt = 1; ; attempt++) {
    const { flushedLsn } = state;
    const memory = gatherMemory(source, groups, range, state.appliedLsn);
    if (series.length === 0) return finish(memory, undefined, { ...range, limit: null });
    const of = { series, toNs: BigInt(start) };
    const set = await state.storage.lastRows(physicalId(node.id, tableRole.rows), storedColumns, of);
    const { partials, lsn } = fromStored(node.plan, set.columns, set.rowCount);
    const stored: Parts = { partials, lsn: [...lsn] };
    const isOvertaken = stored.lsn.some((one) => one > flushedLsn);
    if (!isOvertaken || attempt === attemptsMax) return finish(memory, stored, { ...range, limit: null });
  }
}

/** Without those that retention has dropped. */
function kept(found: Map<number, BarRow>, droppedBeforeNs: bigint | null): Map<number, BarRow> {
  if (droppedBeforeNs === null) return found;
  const first = ceil256(droppedBeforeNs);
  return new Map([...found].filter(([, { partials, row }]) => partials.start[row] >= first));
}
