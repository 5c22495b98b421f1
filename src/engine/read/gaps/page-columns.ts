/** The visible columns of a page: those of its real bars, and those of the bars filled in between. */
import { concatSets, nullColumn, takeSetRows, toInt64 } from '../../../market/column-ops.ts';
import type { ColumnData, ColumnSet } from '../../../market/columns.ts';
import type { GapMode } from '../../../market/schema.ts';
import type { RollupEntry } from '../../catalog/catalog.ts';
import type { BarsBefore } from '../../rollup/outputs.ts';
import { outputColumns } from '../../rollup/outputs.ts';
import type { Partials } from '../../rollup/partials.ts';
import type { Output, RollupPlan } from '../../rollup/plan.ts';
import { asDoubles } from '../../rollup/slots.ts';
import type { BarPage } from './bar-page.ts';

/** Bucket start, series key, aggregates; see `outputColumns` for `before`. */
export function pageColumns(
  { groups, time }: Pick<RollupEntry, 'groups' | 'time'>,
  plan: RollupPlan,
  page: BarPage,
  mode: GapMode,
  before: BarsBefore,
): ColumnSet {
  const outputs = pageOutputs(plan, page, mode, before);
  return {
    rowCount: page.rows.length,
    names: [time.name, ...groups.key, ...outputs.names],
    columns: [
      { kind: 'timestamp', values: toInt64(page.starts) },
      ...groups.index.keyColumnsOf(page.groups),
      ...outputs.columns,
    ],
  };
}

/** The rows of a page's real bars, in their order. */
export function realRows({ rows, filled }: BarPage): Int32Array {
  return rows.filter((_, i) => filled[i] === 0);
}

function pageOutputs(plan: RollupPlan, page: BarPage, mode: GapMode, before: BarsBefore): ColumnSet {
  const { partials, rows, filled } = page;
  const real = outputColumns(plan, partials, realRows(page), before);
  if (real.rowCount === rows.length) return real;
  const rowsBefore = rows.filter((_, i) => filled[i] === 1);
  const made: ColumnSet = {
    rowCount: rowsBefore.length,
    names: real.names,
    columns: plan.outputs.map((output, i) => {
      const { kind } = real.columns[i];
      return mode === 'flat'
        ? flatColumn(plan, output, kind, partials, rowsBefore)
        : nullColumn(kind, rowsBefore.length);
    }),
  };
  let [nextReal, nextMade] = [0, real.rowCount];
  const order = Int32Array.from(filled, (isFilled) => (isFilled ? nextMade++ : nextReal++));
  return takeSetRows(concatSets([real, made]), order);
}

/**
 * What a column shows in a bar without ticks: prices stay where the bar before left them, nothing was traded. Without
 * a `last` of its column a price is not known.
 */
function flatColumn(
  { slots }: RollupPlan,
  { base, type }: Output,
  kind: ColumnData['kind'],
  partials: Partials,
  rowsBefore: Int32Array,
): ColumnData {
  switch (base.fn) {
    case 'sum':
    case 'count':
    case 'increase':
      return zeros(kind, rowsBefore.length, type.kind === 'decimal' ? (type.scale ?? 0) : 0);
    case 'first-time':
    case 'last-time':
      return nullColumn(kind, rowsBefore.length);
    default: {
      const slot = slots.findIndex(({ fn, column }) => fn === 'last' && column === base.column);
      if (slot < 0) return nullColumn(kind, rowsBefore.length);
      const [last] = partials.slots[slot].store(rowsBefore);
      return last.kind === kind ? last : { kind: 'double', values: asDoubles(last) };
    }
  }
}

function zeros(kind: ColumnData['kind'], count: number, scale: number): ColumnData {
  switch (kind) {
    case 'int64':
      return { kind, values: new BigInt64Array(count) };
    case 'decimal':
      return { kind, coefficients: Array(count).fill(0n), scales: new Uint8Array(count).fill(scale) };
    default:
      return { kind: 'double', values: new Float64Array(count) };
  }
}
