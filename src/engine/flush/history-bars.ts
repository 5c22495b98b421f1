/** What a flush does with bars that a back-fill brought: most are new to the store, some belong to bars that it has. */
import type { Storage, StorageOp } from '../../storage/storage.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import { Partials } from '../rollup/partials.ts';
import type { ClosedBlock } from '../rollup/rollup-node.ts';
import { fromStored, toStored } from '../rollup/stored-bars.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import { BarKeys } from './bar-keys.ts';

/** Rows `from` … `to`-1 of a block. */
export interface Span {
  block: ClosedBlock;
  from: number;
  to: number;
}

/** Rows turned into columns at a time, so that nobody waits for long. */
const rowsPerTurn = 16_384;

/**
 * Rows of the history whose bar has no part among the closed rows that are flushed with it; the others go to `shared`.
 */
export function pastRows(
  history: Partials,
  spans: readonly Span[],
  shared: (row: number) => void,
): Int32Array {
  const keys = new BarKeys();
  if (history.length > 0) {
    for (const { block, from, to } of spans)
      for (let at = from; at < to; at++) keys.add(block.series[at], block.t[at], at);
  }
  const past = new Int32Array(history.length);
  let count = 0;
  for (let row = 0; row < history.length; row++) {
    if (keys.get(history.group[row], history.start[row]) === undefined) past[count++] = row;
    else shared(row);
  }
  return past.subarray(0, count);
}

/** Steps that store the rows named of the history, merged with what the store has of their bars. */
export async function historyOps(
  storage: Storage,
  target: BarsTarget,
  rows: Int32Array,
  lsn: number,
): Promise<StorageOp[]> {
  const { node, seriesName, timeName } = target;
  if (rows.length === 0) return [];
  const history = node.history.partials;
  const table = physicalId(node.id, tableRole.rows);
  const stored = await storedBetween(storage, target, history, rows);
  const merged = new Partials(node.plan.slots, 16);
  const isNew = (row: number): boolean => {
    const known = stored.keys.get(history.group[row], history.start[row]);
    if (known === undefined) return true;
    // A copy: should the commit fail, the history is to be as it was.
    merged.mergeRow(stored.bars, known, merged.push(history, row, node.ownSlots), node.ownSlots);
    return false;
  };
  const added = stored.bars.length === 0 ? rows : rows.filter(isNew);
  const ops: StorageOp[] = [];
  for (let from = 0; from < added.length; from += rowsPerTurn) {
    const some = added.subarray(from, from + rowsPerTurn);
    ops.push({ op: 'append', table, columns: toStored(history, some, lsn), rowCount: some.length });
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (merged.length === 0) return ops;
  const columns = toStored(merged, rowsBetween(0, merged.length), lsn);
  return [...ops, { op: 'replace', table, key: [seriesName, timeName], columns, rowCount: merged.length }];
}

/** The stored bars from the earliest to the latest of the rows: few, since a back-fill comes to each time once. */
async function storedBetween(
  storage: Storage,
  { node, storedColumns }: BarsTarget,
  history: Partials,
  rows: Int32Array,
): Promise<{ bars: Partials; keys: BarKeys }> {
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    earliest = Math.min(earliest, history.start[row]);
    latest = Math.max(latest, history.start[row]);
  }
  const set = await storage.scan({
    table: physicalId(node.id, tableRole.rows),
    columns: storedColumns,
    series: null,
    fromNs: BigInt(earliest),
    toNs: BigInt(latest) + 1n,
    order: 'asc',
    limit: null,
    versionBelow: null,
    after: null,
  });
  const bars = fromStored(node.plan, set.columns, set.rowCount).partials;
  const keys = new BarKeys();
  for (let row = 0; row < bars.length; row++) keys.add(bars.group[row], bars.start[row], row);
  return { bars, keys };
}
