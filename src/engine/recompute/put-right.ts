/** After the store has taken an amendment: memory, in one synchronous step. */
import type { RollupNode } from '../rollup/rollup-node.ts';
import { noBar } from './buckets.ts';
import type { AmendmentPlan, PlannedLevel } from './plan-amendment.ts';

/** What is left in memory of series and groups that changed is their latest row, newest closed bar and open bar. */
export function putRight({ entry, latest, levels }: AmendmentPlan): void {
  const { table } = entry;
  for (const [series, rows] of latest) table.amendLatest(series, rows);
  table.hot.forget(latest.keys());
  for (const level of levels) putLevelRight(level);
  table.appliedCount++;
  table.amendedCount++;
}

/** The same for one level of a rollup. */
export function putLevelRight({ entry, bars, open, newest, newestClosed }: PlannedLevel): void {
  const { node, groups } = entry;
  node.reserveGroups(groups.index.count);
  groups.storedCount = groups.index.count;
  for (const [group, row] of open) {
    if (row === noBar) node.open.rows[group] = 0;
    else {
      node.open.copyRow(bars, row, group, node.ownSlots);
      node.openEnd[group] = node.plan.bucketing.bucketOf(bars.start[row]).end;
    }
  }
  for (const [group, bar] of newestClosed) {
    const start = bar ? bar.start[0] : Number.NEGATIVE_INFINITY;
    if (bar) node.pinned.copyRow(bar, 0, group, node.ownSlots);
    else node.pinned.rows[group] = 0;
    node.closed.evictedMaxT[group] = Math.max(node.closed.evictedMaxT[group], start);
    node.closed.latestT[group] = start;
    node.flushedMax[group] = start;
  }
  node.closed.forget(newestClosed.keys());
  for (const group of newest.keys()) node.lastStart[group] = newestStart(node, group);
}

/** As recovery would find it. */
function newestStart({ open, closed }: RollupNode, group: number): number {
  const start = open.rows[group] > 0 ? open.start[group] : Number.NEGATIVE_INFINITY;
  return Math.max(start, closed.latestT[group]);
}
