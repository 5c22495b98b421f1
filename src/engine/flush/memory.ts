/** How much memory the newest rows take, and which of them go when it is short. */
import type { Catalog } from '../catalog/catalog.ts';
import type { HotRows } from '../hot/hot-rows.ts';
import type { ClosedPayload } from '../rollup/rollup-node.ts';
import type { RowPayload } from '../tables/row-table.ts';

interface Part {
  hot: HotRows<RowPayload> | HotRows<ClosedPayload>;
  bytesPerRow: number;
}

/** Bytes of a block's own arrays, per row. */
const blockBytesPerRow = 17;

function partsOf(catalog: Catalog): Part[] {
  return catalog.all().flatMap((entry): Part[] => {
    if (entry.kind === 'rows')
      return [{ hot: entry.table.hot, bytesPerRow: entry.table.bytesPerRow + blockBytesPerRow }];
    if (entry.kind === 'rollup')
      return [{ hot: entry.node.closed, bytesPerRow: entry.node.open.bytesPerRow + blockBytesPerRow }];
    return [];
  });
}

/** Bytes of rows that are not in the store yet, about. */
export function pendingBytesOf(catalog: Catalog): number {
  return partsOf(catalog).reduce((bytes, part) => bytes + part.bytesPerRow * part.hot.pendingRows, 0);
}

/** Bytes of all rows in memory, about. */
export function hotBytesOf(catalog: Catalog): number {
  return partsOf(catalog).reduce((bytes, part) => bytes + bytesOf(part), 0);
}

function bytesOf({ hot, bytesPerRow }: Part): number {
  return bytesPerRow * hot.capacityRows;
}

/**
 * Evicts the oldest flushed blocks, of the table that holds most, until the rows in memory fit the budget or
 * none may go.
 */
export function evictToBudget(catalog: Catalog, bytesMax: number): void {
  let parts = partsOf(catalog);
  let excess = hotBytesOf(catalog) - bytesMax;
  while (excess > 0 && parts.length > 0) {
    const largest = parts.reduce((a, b) => (bytesOf(a) >= bytesOf(b) ? a : b));
    const before = bytesOf(largest);
    if (largest.hot.evictOldest()) excess -= before - bytesOf(largest);
    else parts = parts.filter((part) => part !== largest);
  }
}
