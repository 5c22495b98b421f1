/**
 * Slots: the mergeable parts that bars are made of, as columns.
 *
 * A slot is one column (or two) of accumulators. `fold` takes values of ticks into rows, `mergeRow` takes a row of an
 * equal slot into another, so that any split of the ticks into parts gives the same bar: a minimum is a minimum of
 * minima, a sum a sum of sums, a first value the value of the earliest first (see `partials.ts` for the order).
 *
 * Folds are plain loops over typed arrays: `target[i]` is the row that tick i belongs to.
 */
import type { ColumnData, Decimal } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import type { ValueStore } from '../hot/value-store.ts';
import { createValueStore } from '../hot/value-store.ts';

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

/** A column of accumulators; rows are owned by the enclosing `Partials`. */
export interface Slot {
  grow(capacity: number): void;
  /** Empties rows 0 … count-1 for a new fold. */
  clear(count: number): void;
  /** Folds ticks 0 … count-1. Slots that pick a row (`first`, `last`) take their values in `pick` instead. */
  fold(ticks: TickColumns, count: number, target: Int32Array): void;
  /** `first` and `last`: row r takes the value of tick `rows[r]`. */
  pick(ticks: TickColumns, rows: Int32Array, count: number): void;
  copyRow(from: Slot, fromRow: number, toRow: number): void;
  /** `earlier`/`later`: does the other row hold the earlier first, the later last tick? */
  mergeRow(from: Slot, fromRow: number, toRow: number, earlier: boolean, later: boolean): void;
  /** The stored columns' values for `rows`, in the order of `storedColumnsOf`. */
  store(rows: Int32Array): ColumnData[];
  /** The inverse of `store`: row `toRow` takes row `fromRow` of the stored columns. */
  load(stored: ColumnData[], fromRow: number, toRow: number): void;
  bytesPerRow: number;
}

/** An empty slot with room for `capacity` rows. */
export function createSlot(spec: SlotSpec, capacity: number): Slot {
  switch (spec.fn) {
    case 'first':
    case 'last':
      return new PickSlot(spec, capacity);
    case 'count':
      return new CountSlot(spec, capacity);
    case 'min':
    case 'max':
      return spec.type.kind === 'double'
        ? new DoubleExtremeSlot(spec, capacity)
        : new ExactExtremeSlot(spec, capacity);
    case 'sum':
      return spec.type.kind === 'double'
        ? new DoubleSumSlot(spec, capacity)
        : new ExactSumSlot(spec, capacity);
    default:
      return new WeightedSumSlot(spec, capacity);
  }
}

/** The first or last value of a row, of any type; null counts as a value. */
class PickSlot implements Slot {
  readonly values: ValueStore;
  readonly #column: number;
  readonly #isFirst: boolean;
  readonly bytesPerRow: number;

  constructor(spec: SlotSpec, capacity: number) {
    this.values = createValueStore(spec.type, capacity);
    this.bytesPerRow = this.values.bytesPerRow;
    this.#column = spec.column;
    this.#isFirst = spec.fn === 'first';
  }

  grow(capacity: number): void {
    this.values.grow(capacity);
  }
  clear(): void {}
  fold(): void {}
  get isFirst(): boolean {
    return this.#isFirst;
  }
  pick(ticks: TickColumns, rows: Int32Array, count: number): void {
    this.values.takeRows(ticks[this.#column], rows, count);
  }
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.values.copyRow((from as PickSlot).values, fromRow, toRow);
  }
  mergeRow(from: Slot, fromRow: number, toRow: number, earlier: boolean, later: boolean): void {
    if (this.#isFirst ? earlier : later) this.copyRow(from, fromRow, toRow);
  }
  store(rows: Int32Array): ColumnData[] {
    return [this.values.gather(rows)];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values.setFrom(stored[0], fromRow, toRow);
  }
}

/**
 * Does this slot take its values in `pick`, and of the first (true) or the last (false) tick? Undefined for
 * other slots.
 */
export function picksFirst(slot: Slot): boolean | undefined {
  return slot instanceof PickSlot ? slot.isFirst : undefined;
}

/** Counts the rows whose value is not null. */
class CountSlot implements Slot {
  readonly bytesPerRow = 8;
  counts: Float64Array;
  readonly #column: number;

  constructor(spec: SlotSpec, capacity: number) {
    this.counts = new Float64Array(capacity);
    this.#column = spec.column;
  }

  grow(capacity: number): void {
    this.counts = grown(this.counts, capacity);
  }
  clear(count: number): void {
    this.counts.fill(0, 0, count);
  }
  fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.#column];
    if (column) countPresent(column, count, target, this.counts);
  }
  pick(): void {}
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.counts[toRow] = (from as CountSlot).counts[fromRow];
  }
  mergeRow(from: Slot, fromRow: number, toRow: number): void {
    this.counts[toRow] += (from as CountSlot).counts[fromRow];
  }
  store(rows: Int32Array): ColumnData[] {
    return [{ kind: 'int64', values: BigInt64Array.from(rows, (row) => BigInt(this.counts[row])) }];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.counts[toRow] = Number((stored[0] as { values: BigInt64Array }).values[fromRow]);
  }
}

function countPresent(column: ColumnData, count: number, target: Int32Array, into: Float64Array): void {
  if (column.kind === 'double') {
    const { values } = column;
    for (let i = 0; i < count; i++) if (!Number.isNaN(values[i])) into[target[i]]++;
  } else if (column.kind === 'text') {
    for (let i = 0; i < count; i++) if (column.codes[i] >= 0) into[target[i]]++;
  } else {
    for (let i = 0; i < count; i++) if (!column.nulls?.[i]) into[target[i]]++;
  }
}

/** Minimum or maximum of doubles; NaN (null) until there is a value. */
class DoubleExtremeSlot implements Slot {
  readonly bytesPerRow = 8;
  values: Float64Array;
  readonly #column: number;
  readonly #isMin: boolean;

  constructor(spec: SlotSpec, capacity: number) {
    this.values = new Float64Array(capacity);
    this.#column = spec.column;
    this.#isMin = spec.fn === 'min';
  }

  grow(capacity: number): void {
    this.values = grown(this.values, capacity);
  }
  clear(count: number): void {
    this.values.fill(Number.NaN, 0, count);
  }
  fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.#column];
    if (column?.kind !== 'double') return;
    if (this.#isMin) foldMin(column.values, count, target, this.values);
    else foldMax(column.values, count, target, this.values);
  }
  pick(): void {}
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.values[toRow] = (from as DoubleExtremeSlot).values[fromRow];
  }
  mergeRow(from: Slot, fromRow: number, toRow: number): void {
    const other = (from as DoubleExtremeSlot).values[fromRow];
    const own = this.values[toRow];
    // A comparison with NaN is false: "not own <= other" also holds where own is still null.
    if (!Number.isNaN(other) && !(this.#isMin ? own <= other : own >= other)) this.values[toRow] = other;
  }
  store(rows: Int32Array): ColumnData[] {
    return [{ kind: 'double', values: Float64Array.from(rows, (row) => this.values[row]) }];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values[toRow] = (stored[0] as { values: Float64Array }).values[fromRow];
  }
}

function foldMin(values: Float64Array, count: number, target: Int32Array, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i];
    const row = target[i];
    if (!Number.isNaN(value) && !(into[row] <= value)) into[row] = value;
  }
}

function foldMax(values: Float64Array, count: number, target: Int32Array, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i];
    const row = target[i];
    if (!Number.isNaN(value) && !(into[row] >= value)) into[row] = value;
  }
}

/** Minimum or maximum of int64, decimal or timestamp values, compared exactly. */
class ExactExtremeSlot implements Slot {
  readonly bytesPerRow: number;
  readonly values: ValueStore;
  readonly #column: number;
  readonly #isMin: boolean;

  constructor(spec: SlotSpec, capacity: number) {
    this.values = createValueStore(spec.type, capacity);
    this.bytesPerRow = this.values.bytesPerRow;
    this.#column = spec.column;
    this.#isMin = spec.fn === 'min';
  }

  grow(capacity: number): void {
    this.values.grow(capacity);
  }
  clear(count: number): void {
    this.values.clear(count);
  }
  fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.#column];
    if (!column) return;
    for (let i = 0; i < count; i++) {
      if (this.values.beats(column, i, target[i], this.#isMin)) this.values.setFrom(column, i, target[i]);
    }
  }
  pick(): void {}
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.values.copyRow((from as ExactExtremeSlot).values, fromRow, toRow);
  }
  mergeRow(from: Slot, fromRow: number, toRow: number): void {
    const column = (from as ExactExtremeSlot).values.gather(Int32Array.of(fromRow));
    if (this.values.beats(column, 0, toRow, this.#isMin)) this.values.setFrom(column, 0, toRow);
  }
  store(rows: Int32Array): ColumnData[] {
    return [this.values.gather(rows)];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values.setFrom(stored[0], fromRow, toRow);
  }
}

/** Sum of doubles with Neumaier's compensation: total = sum + compensation; sum is NaN until there is a value. */
class DoubleSumSlot implements Slot {
  readonly bytesPerRow = 16;
  sums: Float64Array;
  compensations: Float64Array;
  protected readonly column: number;

  constructor(spec: SlotSpec, capacity: number) {
    this.sums = new Float64Array(capacity);
    this.compensations = new Float64Array(capacity);
    this.column = spec.column;
  }

  grow(capacity: number): void {
    this.sums = grown(this.sums, capacity);
    this.compensations = grown(this.compensations, capacity);
  }
  clear(count: number): void {
    this.sums.fill(Number.NaN, 0, count);
    this.compensations.fill(0, 0, count);
  }
  fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.column];
    if (column?.kind !== 'double') return;
    const { values } = column;
    const { sums, compensations } = this;
    for (let i = 0; i < count; i++) {
      const value = values[i];
      if (!Number.isNaN(value)) addCompensated(sums, compensations, target[i], value);
    }
  }
  pick(): void {}
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.sums[toRow] = (from as DoubleSumSlot).sums[fromRow];
    this.compensations[toRow] = (from as DoubleSumSlot).compensations[fromRow];
  }
  mergeRow(from: Slot, fromRow: number, toRow: number): void {
    const other = from as DoubleSumSlot;
    const value = other.sums[fromRow];
    if (Number.isNaN(value)) return;
    addCompensated(this.sums, this.compensations, toRow, value);
    this.compensations[toRow] += other.compensations[fromRow];
  }
  store(rows: Int32Array): ColumnData[] {
    return [
      { kind: 'double', values: Float64Array.from(rows, (row) => this.sums[row]) },
      { kind: 'double', values: Float64Array.from(rows, (row) => this.compensations[row]) },
    ];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.sums[toRow] = (stored[0] as { values: Float64Array }).values[fromRow];
    this.compensations[toRow] = (stored[1] as { values: Float64Array }).values[fromRow];
  }
}

/** Neumaier 1974: the rounding error of each addition is gathered apart. */
function addCompensated(sums: Float64Array, compensations: Float64Array, row: number, value: number): void {
  const sum = sums[row];
  if (Number.isNaN(sum)) {
    sums[row] = value;
    return;
  }
  const total = sum + value;
  compensations[row] += Math.abs(sum) >= Math.abs(value) ? sum - total + value : value - total + sum;
  sums[row] = total;
}

/**
 * The two sums of a vwap: Σ value × weight (`product`) and Σ weight (`weight`), in doubles whatever the
 * columns' types.
 */
class WeightedSumSlot extends DoubleSumSlot {
  readonly #weight: number;
  readonly #isProduct: boolean;

  constructor(spec: SlotSpec, capacity: number) {
    super(spec, capacity);
    this.#weight = spec.weight;
    this.#isProduct = spec.fn === 'product';
  }

  override fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.column];
    const weightColumn = ticks[this.#weight];
    if (!column || !weightColumn) return;
    const values = asDoubles(column);
    const weights = asDoubles(weightColumn);
    for (let i = 0; i < count; i++) {
      const product = values[i] * weights[i];
      if (!Number.isNaN(product)) {
        addCompensated(this.sums, this.compensations, target[i], this.#isProduct ? product : weights[i]);
      }
    }
  }
}

/** Sum of int64 or decimal values, exact: a bigint at the column's scale. */
class ExactSumSlot implements Slot {
  readonly bytesPerRow = 32;
  readonly sums: (bigint | null)[] = [];
  /** Greatest scale among the values summed: how many decimals the sum shows. */
  scales: Uint8Array;
  readonly #column: number;
  readonly #scale: number;
  readonly #isDecimal: boolean;

  constructor(spec: SlotSpec, capacity: number) {
    this.#column = spec.column;
    this.#isDecimal = spec.type.kind === 'decimal';
    this.#scale = scaleOf(spec.type);
    this.scales = new Uint8Array(capacity);
  }

  grow(capacity: number): void {
    const scales = new Uint8Array(capacity);
    scales.set(this.scales);
    this.scales = scales;
  }
  clear(count: number): void {
    this.sums.fill(null, 0, Math.min(count, this.sums.length));
    this.scales.fill(0, 0, count);
  }
  fold(ticks: TickColumns, count: number, target: Int32Array): void {
    const column = ticks[this.#column];
    if (!column || (column.kind !== 'int64' && column.kind !== 'decimal')) return;
    for (let i = 0; i < count; i++) {
      if (column.nulls?.[i]) continue;
      if (column.kind === 'int64') this.#add(target[i], column.values[i], 0);
      else
        this.#add(
          target[i],
          rescaled(column.coefficients[i], column.scales[i], this.#scale),
          column.scales[i],
        );
    }
  }
  pick(): void {}
  #add(row: number, value: bigint, scale: number): void {
    this.sums[row] = (this.sums[row] ?? 0n) + value;
    if (scale > this.scales[row]) this.scales[row] = scale;
  }
  copyRow(from: Slot, fromRow: number, toRow: number): void {
    this.sums[toRow] = (from as ExactSumSlot).sums[fromRow] ?? null;
    this.scales[toRow] = (from as ExactSumSlot).scales[fromRow];
  }
  mergeRow(from: Slot, fromRow: number, toRow: number): void {
    const other = from as ExactSumSlot;
    const value = other.sums[fromRow];
    if (value !== null && value !== undefined) this.#add(toRow, value, other.scales[fromRow]);
  }
  /** Shown at the greatest scale of what was summed, as PostgreSQL does. */
  valueAt(row: number): Decimal | null {
    const sum = this.sums[row];
    if (sum === null || sum === undefined) return null;
    return { coefficient: rescaled(sum, this.#scale, this.scales[row]), scale: this.scales[row] };
  }
  store(rows: Int32Array): ColumnData[] {
    const values = Array.from(rows, (row) => this.valueAt(row));
    return [
      {
        kind: 'decimal',
        coefficients: values.map((value) => value?.coefficient ?? 0n),
        scales: Uint8Array.from(values, (value) => value?.scale ?? 0),
        nulls: Uint8Array.from(values, (value) => (value === null ? 1 : 0)),
      },
    ];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    const column = stored[0];
    if (column.kind !== 'decimal' || column.nulls?.[fromRow]) {
      this.sums[toRow] = null;
      this.scales[toRow] = 0;
      return;
    }
    const scale = column.scales[fromRow];
    this.sums[toRow] = rescaled(column.coefficients[fromRow], scale, this.#scale);
    this.scales[toRow] = this.#isDecimal ? scale : 0;
  }
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

function grown(values: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(values);
  return larger;
}
