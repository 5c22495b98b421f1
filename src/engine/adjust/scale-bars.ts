/** Partial bars in the terms of today: doubles, whatever the columns' types, so that they go on merging. */
import type { ColumnData } from '../../market/columns.ts';
import { Moves } from '../rollup/moves.ts';
import { joinedColumn } from '../rollup/outputs.ts';
import { Partials } from '../rollup/partials.ts';
import type { Output, RollupPlan } from '../rollup/plan.ts';
import { asDoubles, type Slot, type SlotSpec } from '../rollup/slots.ts';
import type { RowFactors } from './factors.ts';
import type { Roles, Scaling } from './roles.ts';
import { slotScaling } from './roles.ts';

/** A plan whose slots are scaled, and how. */
export interface ScaledPlan {
  plan: RollupPlan;
  /** Of each slot how it is scaled, null for those copied. */
  scalings: (Scaling | null)[];
  /**
   * Slots beyond those of the plan it came from: the increases of counters, as sums. A counter cannot be scaled and
   * then subtracted, for it counts on across the ex date; what it grew by can.
   */
  increases: { slot: number; output: Output; scaling: Scaling | null }[];
}

/** The plan with price and size slots as doubles. */
export function scaledPlan({ bucketing, slots, outputs }: RollupPlan, roles: Roles): ScaledPlan {
  const scalings = slots.map((spec) => slotScaling(roles, spec));
  const scaled: SlotSpec[] = slots.map((spec, i) => (scalings[i] ? asDouble(spec) : spec));
  const increases: ScaledPlan['increases'] = [];
  const shown = outputs.map((output): Output => {
    if (output.source.from !== 'increase') return output;
    const sum: SlotSpec = { ...slots[output.source.last], fn: 'sum', type: { kind: 'double' } };
    const slot = scaled.push(sum) - 1;
    increases.push({ slot, output, scaling: slotScaling(roles, sum) });
    return { ...output, source: { from: 'slot', slot } };
  });
  const plan = { bucketing, slots: scaled, outputs: shown };
  return { plan, scalings: scaled.map((_, i) => scalings[i] ?? null), increases };
}

function asDouble(spec: SlotSpec): SlotSpec {
  return { ...spec, type: { kind: 'double' } };
}

/** Rows to be scaled. */
export interface RawBars {
  partials: Partials;
  rows: Int32Array;
  /** The slots of the scaled plan's source among those of `partials`. */
  slotFrom: Int32Array;
  /** By row: what it grew by, for each of the plan's increases. */
  increases: Float64Array[];
  factors: RowFactors;
}

/** The rows named, scaled: row i of the result is `rows[i]`. */
export function scaleBars({ plan, scalings, increases }: ScaledPlan, raw: RawBars): Partials {
  const { partials, rows, factors } = raw;
  const scaled = new Partials(plan.slots, rows.length);
  scaled.length = rows.length;
  const moves = new Moves();
  for (let i = 0; i < rows.length; i++) moves.add(rows[i], i);
  copyPositions(partials, scaled, rows);
  for (let i = 0; i < raw.slotFrom.length; i++) {
    const from = partials.slots[raw.slotFrom[i]];
    const scaling = scalings[i];
    if (scaling) load(scaled.slots[i], asDoubles(joinedColumn(from.store(rows))), scaling, factors);
    else scaled.slots[i].copyRows(from, moves);
  }
  for (const [i, { slot, scaling }] of increases.entries())
    load(scaled.slots[slot], raw.increases[i], scaling ?? unscaled, factors);
  return scaled;
}

const unscaled: Scaling = { price: 0, size: 0 };

function load(slot: Slot, values: Float64Array, scaling: Scaling, factors: RowFactors): void {
  const scaled: ColumnData = { kind: 'double', values: scaleDoubles(values, scaling, factors) };
  // Sums carry a compensation beside them; where there is none it is not looked at.
  const compensation: ColumnData = { kind: 'double', values: new Float64Array(values.length) };
  for (let row = 0; row < values.length; row++) slot.load([scaled, compensation], row, row);
}

/** Values times their factors; null stays null. */
export function scaleDoubles(values: Float64Array, scaling: Scaling, factors: RowFactors): Float64Array {
  const scaled = values.slice();
  for (let i = 0; i < scaling.price; i++) multiply(scaled, factors.price);
  for (let i = 0; i < scaling.size; i++) multiply(scaled, factors.size);
  return scaled;
}

function multiply(values: Float64Array, factors: Float64Array): void {
  for (let row = 0; row < values.length; row++) values[row] *= factors[row];
}

function copyPositions(from: Partials, to: Partials, rows: Int32Array): void {
  for (let i = 0; i < rows.length; i++) to.group[i] = from.group[rows[i]];
  for (const name of ['start', 'firstT', 'firstTie', 'lastT', 'lastTie', 'rows'] as const)
    for (let i = 0; i < rows.length; i++) to[name][i] = from[name][rows[i]];
}
