/** Bars as a user sees them: bucket start, series key, aggregates. */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing } from '../../market/bucketing.ts';
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import type { ReadRequest } from '../database.ts';
import type { BarsBefore } from '../rollup/outputs.ts';
import { outputColumns } from '../rollup/outputs.ts';
import type { Partials } from '../rollup/partials.ts';
import type { RollupPlan } from '../rollup/plan.ts';

/** The rows named of partial bars that are whole; see `outputColumns` for `before`. */
export function visibleBars(
  entry: RollupEntry,
  partials: Partials,
  rows: Int32Array,
  before: BarsBefore,
): ColumnSet {
  const { groups, time, node } = entry;
  const keys = groups.index.keyColumnsOf(rows.map((row) => partials.group[row]));
  const outputs = outputColumns(node.plan, partials, rows, before);
  return {
    rowCount: rows.length,
    names: [time.name, ...groups.key, ...outputs.names],
    columns: [
      { kind: 'timestamp', values: toInt64(takeDoubles(partials.start, rows)) },
      ...keys,
      ...outputs.columns,
    ],
  };
}

/** The bars with the end of each bucket in their time column, the first, if `stamp` is `close`. */
export function stamped(bars: ColumnSet, bucketing: Bucketing, stamp: ReadRequest['stamp']): ColumnSet {
  if (stamp !== undefined && stamp !== 'open' && stamp !== 'close')
    throw new CandelaError('INVALID_ARGUMENT', `stamp '${String(stamp)}' is neither open nor close`);
  const [time, ...others] = bars.columns;
  if (stamp !== 'close' || time.kind !== 'timestamp') return bars;
  const ends = Float64Array.from(time.values, (start) => bucketing.bucketOf(Number(start)).end);
  return { ...bars, columns: [{ kind: 'timestamp', values: toInt64(ends) }, ...others] };
}

/** Names of a rollup's visible columns. */
export function visibleNames({ groups, time, node }: RollupEntry): string[] {
  return [time.name, ...groups.key, ...node.plan.outputs.map(({ name }) => name)];
}

/** Does the rollup have columns that need the bar before? */
export function needsBarBefore(plan: RollupPlan): boolean {
  return plan.outputs.some(({ source }) => source.from === 'increase');
}

/** The column set with only the columns named, in that order. Names must exist. */
export function project(set: ColumnSet, names: readonly string[] | undefined): ColumnSet {
  if (names === undefined) return set;
  return {
    rowCount: set.rowCount,
    names: [...names],
    columns: names.map((name) => set.columns[set.names.indexOf(name)]),
  };
}
