/** Bars as a user sees them: bucket start, series key, aggregates. */
import type { ColumnSet } from '../../market/columns.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import type { ValueBefore } from '../rollup/outputs.ts';
import { outputColumns } from '../rollup/outputs.ts';
import type { Partials } from '../rollup/partials.ts';
import type { RollupPlan } from '../rollup/plan.ts';
import { toInt64 } from '../rollup/stored-bars.ts';

/** The rows named of partial bars that are whole; see `outputColumns` for `before`. */
export function visibleBars(
  entry: RollupEntry,
  partials: Partials,
  rows: Int32Array,
  before: ValueBefore,
): ColumnSet {
  const { groups, time, node } = entry;
  const starts = Float64Array.from(rows, (row) => partials.start[row]);
  const keys = groups.index.keyColumnsOf(rows.map((row) => partials.group[row]));
  const outputs = outputColumns(node.plan, partials, rows, before);
  return {
    rowCount: rows.length,
    names: [time.name, ...groups.key, ...outputs.names],
    columns: [
      { kind: 'timestamp', values: toInt64(starts, new Float64Array(rows.length)) },
      ...keys,
      ...outputs.columns,
    ],
  };
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
