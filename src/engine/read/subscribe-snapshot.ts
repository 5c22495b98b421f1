import { concatSets, takeSetRows } from '../../market/column-ops.ts';
import type { RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import type { BusEvent, ReadResult, SeriesFilter, SubscribeRequest } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { matchSeries, read } from './read-path.ts';

/** Series beyond which a snapshot is one read of the newest rows of all, instead of one per series. */
const seriesOneByOneMax = 1_000;

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
  const index = entry.kind === 'rows' ? entry.table.series : entry.groups.index;
  const wanted =
    matchSeries(entry, request.series) ?? Int32Array.from({ length: index.count }, (_, series) => series);
  const limit = request.snapshot ?? 0;
  const live = request.live !== false;
  const one = (series: SeriesFilter | undefined, rows: number): Promise<ReadResult> =>
    read(state, { table, order: 'desc', limit: rows, live, ...(series ? { series } : {}) });
  const reads =
    index.key.length === 0 || wanted.length > seriesOneByOneMax || wanted.length === 0
      ? [one(request.series, limit * Math.max(1, wanted.length))]
      : Array.from(wanted, (series) => one(keyOf(index, series), limit));
  const sets = await Promise.all(reads);
  const rows = concatSets(sets.map((set) => takeSetRows(set, descending(set.rowCount))));
  return { type: 'snapshot', table, lsn, rows };
}

function keyOf(index: RowsEntry['table']['series'], series: number): SeriesFilter {
  return Object.fromEntries(index.key.map(({ name }, i) => [name, [index.values[i][series] ?? '']]));
}

function descending(count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => count - 1 - i);
}
