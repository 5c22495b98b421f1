/** From partial bars to the columns a reader sees. */
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import { joinedSums } from './exact-slots.ts';
import type { Partials } from './partials.ts';
import { arrivalLimit } from './partials.ts';
import type { Output, RollupPlan } from './plan.ts';
import { asDoubles } from './slots.ts';

/** What `increase` columns count from. */
export interface BarsBefore {
  /** The value of a `last` slot in the group's bar before the one that starts at `start`, or NaN. */
  valueOf(group: number, lastSlot: number, start: number): number;
  /** Are between a group's rows no bars that are not among them? Then only the first of them is asked for. */
  areAdjacent: boolean;
}

/** For rows that are all there is. */
export const nothingBefore: BarsBefore = { valueOf: () => Number.NaN, areAdjacent: true };

/** The output columns of the rows named, which are whole bars where there are `increase` columns. */
export function outputColumns(
  plan: RollupPlan,
  partials: Partials,
  rows: Int32Array,
  before: BarsBefore,
): ColumnSet {
  return {
    rowCount: rows.length,
    names: plan.outputs.map(({ name }) => name),
    columns: plan.outputs.map((output) => outputColumn(output, partials, rows, before)),
  };
}

function outputColumn(output: Output, partials: Partials, rows: Int32Array, before: BarsBefore): ColumnData {
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
  const column = joinedColumn(stored);
  // Sums of int64 are kept as decimals; beyond 64 bits there is no int64 to show, so null.
  if (column.kind !== 'decimal' || output.type.kind !== 'int64') return column;
  const fits = column.coefficients.map((sum, i) => !column.nulls?.[i] && BigInt.asIntN(64, sum) === sum);
  return {
    kind: 'int64',
    values: BigInt64Array.from(column.coefficients, (sum, i) => (fits[i] ? sum : 0n)),
    nulls: Uint8Array.from(fits, (fit) => (fit ? 0 : 1)),
  };
}

/** A slot's stored columns as the one that they stand for. */
export function joinedColumn(stored: ColumnData[]): ColumnData {
  const [column, second] = stored;
  if (column.kind !== 'double' || second?.kind !== 'double') return joinedSums(stored);
  // An infinite sum has no rounding error to add.
  const whole = column.values.map((sum, i) => (Number.isFinite(sum) ? sum + second.values[i] : sum));
  return { kind: 'double', values: whole };
}

function total(partials: Partials, slot: number, rows: Int32Array): Float64Array {
  return asDoubles(joinedColumn(partials.slots[slot].store(rows)));
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
  before: BarsBefore,
): ColumnData {
  const totals = asDoubles(partials.slots[slots.last].store(rows)[0]);
  const firsts = asDoubles(partials.slots[slots.first].store(rows)[0]);
  const values = new Float64Array(rows.length);
  const previous = new Map<number, number>();
  const { group: groups, start: starts } = partials;
  const inTime = Int32Array.from(rows.keys()).sort((a, b) => starts[rows[a]] - starts[rows[b]]);
  for (const at of inTime) {
    const group = groups[rows[at]];
    const known = previous.get(group) ?? before.valueOf(group, slots.last, starts[rows[at]]);
    const from = Number.isNaN(known) ? firsts[at] : known;
    const value = totals[at];
    // A counter that fell was set back to zero in between, as a day's volume is at midnight.
    values[at] = value < from ? value : value - from;
    if (before.areAdjacent) previous.set(group, value);
  }
  return { kind: 'double', values };
}
