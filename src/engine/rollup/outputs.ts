/** From partial bars to the columns a reader sees. */
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import type { Partials } from './partials.ts';
import { arrivalLimit } from './partials.ts';
import type { Output, RollupPlan } from './plan.ts';
import { asDoubles } from './slots.ts';

/** The value a group's `increase` columns count from: that of the `last` slot in the bar before, or NaN. */
export type ValueBefore = (group: number, lastSlot: number) => number;

/**
 * The output columns of the rows named. For `increase` columns the rows must be whole bars, those of a group in
 * ascending or descending order of time; `before` gives the value ahead of the earliest.
 */
export function outputColumns(
  plan: RollupPlan,
  partials: Partials,
  rows: Int32Array,
  before: ValueBefore,
): ColumnSet {
  return {
    rowCount: rows.length,
    names: plan.outputs.map(({ name }) => name),
    columns: plan.outputs.map((output) => outputColumn(output, partials, rows, before)),
  };
}

function outputColumn(output: Output, partials: Partials, rows: Int32Array, before: ValueBefore): ColumnData {
  const { source } = output;
  switch (source.from) {
    case 'slot':
      return slotColumn(output, partials.slots[source.slot].store(rows));
    case 'rows':
      return { kind: 'int64', values: toInt64(takeDoubles(partials.rows, rows)) };
    case 'avg':
      return ratio(total(partials, source.sum, rows), total(partials, source.count, rows));
    case 'vwap':
      return ratio(total(partials, source.product, rows), total(partials, source.weight, rows));
    case 'first-time':
      return times(partials.firstT, partials.firstTie, rows);
    case 'last-time':
      return times(partials.lastT, partials.lastTie, rows);
    default:
      return increases(partials, rows, source, before);
  }
}

function slotColumn(output: Output, stored: ColumnData[]): ColumnData {
  const [column, compensation] = stored;
  if (column.kind === 'double' && compensation?.kind === 'double') {
    return { kind: 'double', values: column.values.map((sum, i) => sum + compensation.values[i]) };
  }
  // Sums of int64 are kept as decimals; beyond 64 bits there is no int64 to show, so null.
  if (column.kind !== 'decimal' || output.type.kind !== 'int64') return column;
  const fits = column.coefficients.map((sum, i) => !column.nulls?.[i] && BigInt.asIntN(64, sum) === sum);
  return {
    kind: 'int64',
    values: BigInt64Array.from(column.coefficients, (sum, i) => (fits[i] ? sum : 0n)),
    nulls: Uint8Array.from(fits, (fit) => (fit ? 0 : 1)),
  };
}

function total(partials: Partials, slot: number, rows: Int32Array): Float64Array {
  const [column, compensation] = partials.slots[slot].store(rows);
  const values = asDoubles(column);
  return compensation?.kind === 'double' ? values.map((sum, i) => sum + compensation.values[i]) : values;
}

function ratio(numerators: Float64Array, denominators: Float64Array): ColumnData {
  const values = numerators.map((value, i) => (denominators[i] === 0 ? Number.NaN : value / denominators[i]));
  return { kind: 'double', values };
}

function times(t: Float64Array, tie: Float64Array, rows: Int32Array): ColumnData {
  const rest = Float64Array.from(rows, (row) => Math.floor(tie[row] / arrivalLimit));
  return { kind: 'timestamp', values: toInt64(takeDoubles(t, rows), rest) };
}

function increases(
  partials: Partials,
  rows: Int32Array,
  slots: { first: number; last: number },
  before: ValueBefore,
): ColumnData {
  const totals = asDoubles(partials.slots[slots.last].store(rows)[0]);
  const firsts = asDoubles(partials.slots[slots.first].store(rows)[0]);
  const values = new Float64Array(rows.length);
  const previous = new Map<number, number>();
  const isDescending = rows.length > 1 && partials.start[rows[0]] > partials.start[rows[rows.length - 1]];
  for (let i = 0; i < rows.length; i++) {
    const at = isDescending ? rows.length - 1 - i : i;
    const group = partials.group[rows[at]];
    const known = previous.get(group) ?? before(group, slots.last);
    const from = Number.isNaN(known) ? firsts[at] : known;
    const value = totals[at];
    // A counter that fell was set back to zero in between, as a day's volume is at midnight.
    values[at] = value < from ? value : value - from;
    previous.set(group, value);
  }
  return { kind: 'double', values };
}
