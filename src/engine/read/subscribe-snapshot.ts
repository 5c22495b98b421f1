import { concatSets, takeSetRows } from '../../market/column-ops.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { BusEvent, SubscribeRequest } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { latest, matchSeries, readNewest } from './read-path.ts';

/**
 * The state a subscription starts from: the newest rows per series, ascending in time. Memory is read before
 * the first await.
 */
export async function snapshotEvent(
  state: EngineState,
  entry: RowsEntry | RollupEntry,
  request: SubscribeRequest,
): Promise<BusEvent> {
  const table = entry.def.name;
  const lsn = state.appliedLsn;
  const limit = request.snapshot ?? 0;
  const live = request.live !== false;
  // One row of each series: memory has them side by side.
  if (limit === 1 && live)
    return { type: 'snapshot', table, lsn, rows: latest(state, table, request.series) };
  const index = entry.kind === 'rows' ? entry.table.series : entry.groups.index;
  const wanted = matchSeries(entry, request.series) ?? Int32Array.from({ length: index.count }, (_, i) => i);
  const sets = await Promise.all(
    Array.from(wanted, (series) => readNewest(state, entry, series, { limit, live })),
  );
  // Without any series the empty set still says what columns there are.
  if (sets.length === 0) sets.push(latest(state, table, request.series));
  const rows = concatSets(sets.map((set) => takeSetRows(set, descending(set.rowCount))));
  return { type: 'snapshot', table, lsn, rows };
}

function descending(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => count - 1 - i);
}
