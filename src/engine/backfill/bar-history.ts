/** Closed bars of a slice of time, for a rollup that is built on them. */
import type { Storage } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { fromStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import type { HistoryPart, Span } from './history-source.ts';

/** The stored bars of a span, newest first. Bars of one time cannot be told apart by a cursor, so it is one scan. */
export async function readStoredBars(
  storage: Storage,
  source: BarsTarget,
  span: Span,
): Promise<HistoryPart[]> {
  const bars = await storage.scan({
    table: physicalId(source.node.id, tableRole.rows),
    columns: source.storedColumns,
    series: null,
    ...span,
    order: 'desc',
    limit: null,
    versionBelow: null,
    after: null,
  });
  const { partials } = fromStored(source.node.plan, bars.columns, bars.rowCount);
  return [{ partials, rows: rowsBetween(0, partials.length) }];
}

/** Hands on closed bars, and late parts of them, of a span that only memory holds, as they were when they closed. */
export function mergePendingBars(
  source: RollupNode,
  node: RollupNode,
  { fromNs, toNs }: Span,
  lsn: number,
): void {
  const { closed } = source;
  for (const block of closed.blocks) {
    const from = Math.max(0, closed.flushedRow - block.baseRow);
    if (from >= block.length) continue;
    const { partials } = block.payload;
    const isWanted = (row: number): boolean => block.t[row] >= Number(fromNs) && block.t[row] < Number(toNs);
    node.merge(partials, rowsBetween(from, block.length).filter(isWanted), lsn);
  }
}
