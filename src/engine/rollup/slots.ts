/**
 * Slots: the mergeable parts that bars are made of, as columns.
 *
 * A slot is one column (or two) of accumulators. `fold` takes values of ticks into rows, `mergeRows` takes rows of an
 * equal slot into others, so that any split of the ticks into parts gives the same bar: a minimum is a minimum of
 * minima, a sum a sum of sums, a first value the value of the earliest first (see `partials.ts` for the order).
 *
 * Everything works on whole columns: a loop of its own for each slot over typed arrays, one call a batch.
 */
import type { ColumnData } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import type { MergeOrder, Moves } from './moves.ts';

/**
 * What a slot accumulates. `product` and `weight` are the two sums of a vwap, over rows where neither value is
 * null.
 */
export type SlotFunction = 'first' | 'last' | 'min' | 'max' | 'sum' | 'count' | 'product' | 'weight';

/** One slot of a rollup: a function over columns of the ticks table. */
export interface SlotSpec {
  fn: SlotFunction;
  /** Index of the ticks table's column. */
  column: number;
  /** Second column of `product` and `weight`: the weight; else -1. */
  weight: number;
  /** Type of `column`. */
  type: ColumnType;
}

/** The columns a batch of ticks offers, by column index; undefined where the batch has none (all null). */
export type TickColumns = readonly (ColumnData | undefined)[];

/** A batch of ticks, and which row each belongs to. */
export interface AssignedTicks {
  count: number;
  columns: TickColumns;
  /** Row of each tick. */
  target: Int32Array;
  /** Rows there are. */
  rowCount: number;
  /** Of each row the earliest and the latest tick. */
  firstTick: Int32Array;
  lastTick: Int32Array;
}

/** A column of accumulators; rows are owned by the enclosing `Partials`. */
export interface Slot {
  readonly bytesPerRow: number;
  grow(capacity: number): void;
  /** Rows 0 … rowCount-1 become what their ticks give. */
  fold(ticks: AssignedTicks): void;
  /** Doubles may be left to `moves.carry`. */
  copyRows(from: Slot, moves: Moves): void;
  mergeRows(from: Slot, moves: Moves, order: MergeOrder): void;
  /** The stored columns' values for `rows`, in the order of `storedColumnsOf`. */
  store(rows: Int32Array): ColumnData[];
  /** The inverse of `store`: row `toRow` takes row `fromRow` of the stored columns. */
  load(stored: ColumnData[], fromRow: number, toRow: number): void;
}

/** Decimals kept after the point by a column of this type. */
export function scaleOf(type: ColumnType): number {
  return type.kind === 'decimal' ? (type.scale ?? 20) : 0;
}

/** The coefficient at another scale; going down drops digits that are zero by construction. */
export function rescaled(coefficient: bigint, from: number, to: number): bigint {
  if (from === to) return coefficient;
  return from < to ? coefficient * 10n ** BigInt(to - from) : coefficient / 10n ** BigInt(from - to);
}

/** The column's values as doubles, null as NaN. */
export function asDoubles(column: ColumnData): Float64Array {
  switch (column.kind) {
    case 'double':
      return column.values;
    case 'decimal':
      return Float64Array.from(column.coefficients, (coefficient, i) =>
        column.nulls?.[i] ? Number.NaN : Number(coefficient) / 10 ** column.scales[i],
      );
    case 'int64':
      return Float64Array.from(column.values, (value, i) => (column.nulls?.[i] ? Number.NaN : Number(value)));
    default:
      return new Float64Array(0);
  }
}
