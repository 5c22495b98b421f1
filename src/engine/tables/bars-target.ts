import type { RollupEntry } from '../catalog/catalog.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { barColumns, storedBarColumns } from '../rollup/stored-bars.ts';

/** A rollup and how its bars lie in the store: what reads and flushes need to know. */
export interface BarsTarget {
  node: RollupNode;
  /** All stored columns, in order. */
  storedColumns: string[];
  timeName: string;
  seriesName: string;
  /** Series that exist: what "all" means. */
  seriesCount: number;
}

/** The target of a catalog entry. */
export function barsTarget({ node, groups, time }: RollupEntry): BarsTarget {
  return {
    node,
    storedColumns: storedBarColumns(node.plan, time).map(({ name }) => name),
    timeName: time.name,
    seriesName: barColumns.series,
    seriesCount: groups.index.count,
  };
}
