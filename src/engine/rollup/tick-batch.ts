/** Ticks on their way into bars. */
import type { Bucketing } from '../../market/bucketing.ts';
import { takeDoubles } from '../../market/column-ops.ts';
import { takeRows } from '../../market/columns.ts';
import type { TickColumns } from './slots.ts';

/**
 * A batch of ticks of one table as the fold takes it. Of ticks with equal times the one that arrived first
 * stands first.
 */
export interface TickBatch {
  count: number;
  /** Group of each tick. */
  group: Int32Array;
  /** Times: multiples of 256 ns, and what is left (see `market/time.ts`). */
  t256: Float64Array;
  rest: Uint8Array;
  /** Arrival number of the first tick … */
  firstArrival: number;
  /** … and of each, where they do not follow one another; null when they do. */
  arrivals: Float64Array | null;
  columns: TickColumns;
}

/** The ticks that belong to a bucket, in the same order; the batch itself where all do. */
export function insideOf(batch: TickBatch, bucketing: Bucketing): TickBatch {
  return ticksWhere(batch, (t) => bucketing.holds(t));
}

/** The ticks of times `from` ≤ t < `to`, multiples of 256 ns, in the same order; the batch itself where all are. */
export function ticksBetween(batch: TickBatch, from: number, to: number): TickBatch {
  return ticksWhere(batch, (t) => t >= from && t < to);
}

function ticksWhere(batch: TickBatch, isWanted: (t: number) => boolean): TickBatch {
  const { count, t256 } = batch;
  let kept = 0;
  for (let i = 0; i < count; i++) if (isWanted(t256[i])) kept++;
  if (kept === count) return batch;
  const rows = new Int32Array(kept);
  for (let i = 0, at = 0; i < count; i++) if (isWanted(t256[i])) rows[at++] = i;
  return {
    count: kept,
    group: rows.map((row) => batch.group[row]),
    t256: takeDoubles(t256, rows),
    rest: Uint8Array.from(rows, (row) => batch.rest[row]),
    firstArrival: batch.firstArrival,
    arrivals: Float64Array.from(rows, (row) => batch.arrivals?.[row] ?? batch.firstArrival + row),
    columns: batch.columns.map((column) => column && takeRows(column, rows)),
  };
}
