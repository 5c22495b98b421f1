/**
 * From a rollup's definition to its slots: which accumulators it needs, how its visible columns come out of them, and
 * whether they continue those of the rollup it reads from.
 */
import { CandelaError } from '../../core/errors.ts';
import type { Bucketing } from '../../market/bucketing.ts';
import { bucketingOptions, createBucketing, divides } from '../../market/bucketing.ts';
import type { Aggregate, ColumnDef, ColumnType, RollupDef } from '../../market/schema.ts';
import { sameSlot } from './partials.ts';
import type { SlotFunction, SlotSpec } from './slots.ts';

/** How a visible column is made of slots (by index in the plan's `slots`). */
export type OutputSource =
  | { from: 'slot'; slot: number }
  | { from: 'rows' }
  | { from: 'avg'; sum: number; count: number }
  | { from: 'vwap'; product: number; weight: number }
  | { from: 'first-time' | 'last-time' }
  /** Growth of a `last` slot since the bar before; since the bar's own first tick where there is none before. */
  | { from: 'increase'; last: number; first: number };

/** One visible column of a rollup. */
export interface Output {
  name: string;
  type: ColumnType;
  source: OutputSource;
  /** The aggregate over the ticks table that this column is, however many levels lie between. */
  base: BaseAggregate;
}

/** An aggregate in terms of the ticks table's columns (indexes; -1 where there is none). */
export interface BaseAggregate {
  fn: Aggregate['fn'];
  column: number;
  weight: number;
}

/** Everything the engine needs to run a rollup. */
export interface RollupPlan {
  bucketing: Bucketing;
  slots: SlotSpec[];
  outputs: Output[];
}

/** What a rollup reads from: the ticks table's columns, and the plan of the rollup between if there is one. */
export interface PlanSource {
  name: string;
  tickColumns: readonly ColumnDef[];
  /** The rollup's time column, whose type the times of the first and last tick have, too. */
  time: ColumnDef;
  /** Undefined when the source is the ticks table itself. */
  rollup: RollupPlan | undefined;
}

/** Plans a rollup. Throws `INVALID_ARGUMENT`, `INVALID_SCHEMA` or `UNSUPPORTED` naming the aggregate. */
export function planRollup(def: RollupDef, source: PlanSource): RollupPlan {
  const bucketing = createBucketing(def.timeframe, bucketingOptions(def));
  if (source.rollup && !divides(source.rollup.bucketing, bucketing)) {
    throw new CandelaError(
      'INVALID_SCHEMA',
      `rollup '${def.name}': ${bucketing.label} is not whole ${source.rollup.bucketing.label} bars of '${source.name}'`,
      {
        help: 'Choose a multiple of the source, in the same time zone or calendar, or build on the ticks table.',
      },
    );
  }
  const plan: RollupPlan = { bucketing, slots: [], outputs: [] };
  for (const aggregate of def.aggregates) {
    const base = source.rollup ? continued(def, aggregate, source.rollup) : baseOf(def, aggregate, source);
    plan.outputs.push(outputOf(plan, aggregate.name, base, source));
  }
  return plan;
}

/** Adds a slot to the plan unless it is there, and returns its index. */
function slotIndex(plan: RollupPlan, fn: SlotFunction, base: BaseAggregate, source: PlanSource): number {
  const spec: SlotSpec = {
    fn,
    column: base.column,
    weight: fn === 'product' || fn === 'weight' ? base.weight : -1,
    type: source.tickColumns[base.column].type,
  };
  const present = plan.slots.findIndex((slot) => sameSlot(slot, spec));
  return present >= 0 ? present : plan.slots.push(spec) - 1;
}

function outputOf(plan: RollupPlan, name: string, base: BaseAggregate, source: PlanSource): Output {
  const slot = (fn: SlotFunction): number => slotIndex(plan, fn, base, source);
  const type: ColumnType = base.column >= 0 ? source.tickColumns[base.column].type : { kind: 'int64' };
  const double: ColumnType = { kind: 'double' };
  switch (base.fn) {
    case 'first':
    case 'last':
    case 'min':
    case 'max':
      return { name, type, base, source: { from: 'slot', slot: slot(base.fn) } };
    case 'sum':
      return { name, type: sumType(type), base, source: { from: 'slot', slot: slot('sum') } };
    case 'count':
      return {
        name,
        type: { kind: 'int64' },
        base,
        source: base.column < 0 ? { from: 'rows' } : { from: 'slot', slot: slot('count') },
      };
    case 'avg':
      return { name, type: double, base, source: { from: 'avg', sum: slot('sum'), count: slot('count') } };
    case 'vwap':
      return {
        name,
        type: double,
        base,
        source: { from: 'vwap', product: slot('product'), weight: slot('weight') },
      };
    case 'increase':
      return {
        name,
        type: double,
        base,
        source: { from: 'increase', last: slot('last'), first: slot('first') },
      };
    default:
      return { name, type: source.time.type, base, source: { from: base.fn } };
  }
}

/** A sum of decimals keeps their decimals and may need more whole digits. */
function sumType(type: ColumnType): ColumnType {
  if (type.kind !== 'decimal') return type;
  return type.scale === undefined
    ? { kind: 'decimal' }
    : { kind: 'decimal', precision: 38, scale: type.scale };
}

function baseOf(def: RollupDef, aggregate: Aggregate, source: PlanSource): BaseAggregate {
  const index = (name: string): number => {
    const column = source.tickColumns.findIndex((candidate) => candidate.name === name);
    if (column < 0) throw noColumn(def, aggregate, name, source.name);
    return column;
  };
  const column = 'of' in aggregate && aggregate.of !== undefined ? index(aggregate.of) : -1;
  const weight = aggregate.fn === 'vwap' ? index(aggregate.weight) : -1;
  for (const checked of [column, weight]) {
    if (checked >= 0) checkType(def, aggregate, source.tickColumns[checked]);
  }
  return { fn: aggregate.fn, column, weight };
}

function checkType(def: RollupDef, aggregate: Aggregate, column: ColumnDef): void {
  const { kind } = column.type;
  const isNumber = kind === 'double' || kind === 'int64' || kind === 'decimal';
  const fits =
    aggregate.fn === 'first' || aggregate.fn === 'last' || aggregate.fn === 'count'
      ? true
      : aggregate.fn === 'min' || aggregate.fn === 'max'
        ? kind !== 'json' && kind !== 'boolean'
        : isNumber;
  if (fits) return;
  throw new CandelaError(
    'INVALID_SCHEMA',
    `${placeOf(def, aggregate)}: ${aggregate.fn} does not apply to '${column.name}' of type ${kind}`,
  );
}

/** Which functions continue which: a minimum of minima is the minimum of all, a sum of counts is the count of all. */
const continuations: Partial<Record<Aggregate['fn'], readonly Aggregate['fn'][]>> = {
  first: ['first'],
  last: ['last'],
  min: ['min'],
  max: ['max'],
  sum: ['sum', 'count'],
  avg: ['avg'],
  vwap: ['vwap'],
  increase: ['increase'],
};

function continued(def: RollupDef, aggregate: Aggregate, source: RollupPlan): BaseAggregate {
  if (aggregate.fn === 'first-time' || aggregate.fn === 'last-time')
    return { fn: aggregate.fn, column: -1, weight: -1 };
  if (!('of' in aggregate) || aggregate.of === undefined) {
    throw new CandelaError(
      'UNSUPPORTED',
      `${placeOf(def, aggregate)}: count over a rollup would count bars, not ticks`,
      { help: 'Sum a count column of the source instead.' },
    );
  }
  const output = source.outputs.find((candidate) => candidate.name === aggregate.of);
  if (!output) throw noColumn(def, aggregate, aggregate.of, def.source);
  if (continuations[aggregate.fn]?.includes(output.base.fn)) {
    return output.base;
  }
  throw new CandelaError(
    'UNSUPPORTED',
    `${placeOf(def, aggregate)}: ${aggregate.fn} of '${output.name}', itself a ${output.base.fn}, does not merge`,
    {
      help: 'Over a rollup use the function its column was made with (sum for counts), or build on the ticks table.',
    },
  );
}

function noColumn(def: RollupDef, aggregate: Aggregate, column: string, source: string): CandelaError {
  return new CandelaError(
    'COLUMN_NOT_FOUND',
    `${placeOf(def, aggregate)}: '${source}' has no column '${column}'`,
  );
}

function placeOf(def: RollupDef, aggregate: Aggregate): string {
  return `rollup '${def.name}', column '${aggregate.name}'`;
}
