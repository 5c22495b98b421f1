/** Slots whose accumulators are doubles: the usual case, so the fast one. NaN is null. */
import { takeDoubles, toInt64 } from '../../market/column-ops.ts';
import type { ColumnData } from '../../market/columns.ts';
import type { MergeOrder, Moves } from './moves.ts';
import type { AssignedTicks, Slot, SlotSpec } from './slots.ts';
import { asDoubles } from './slots.ts';

/** First or last value of a double column; null counts as a value. */
export class DoublePickSlot implements Slot {
  readonly bytesPerRow = 8;
  values: Float64Array;
  readonly #column: number;
  readonly #isFirst: boolean;

  constructor(spec: SlotSpec, capacity: number) {
    this.values = new Float64Array(capacity);
    this.#column = spec.column;
    this.#isFirst = spec.fn === 'first';
  }

  grow(capacity: number): void {
    this.values = grown(this.values, capacity);
  }
  fold({ columns, rowCount, firstTick, lastTick }: AssignedTicks): void {
    const column = columns[this.#column];
    if (column?.kind === 'double')
      pickRows(column.values, this.#isFirst ? firstTick : lastTick, rowCount, this.values);
    else this.values.fill(Number.NaN, 0, rowCount);
  }
  copyRows(from: Slot, moves: Moves): void {
    moves.carry((from as DoublePickSlot).values, this.values);
  }
  mergeRows(from: Slot, moves: Moves, { earlier, later }: MergeOrder): void {
    const wins = this.#isFirst ? earlier : later;
    const { values } = from as DoublePickSlot;
    for (let i = 0; i < moves.count; i++) {
      if (wins[i] === 1) this.values[moves.to[i]] = values[moves.from[i]];
    }
  }
  store(rows: Int32Array): ColumnData[] {
    return [{ kind: 'double', values: takeDoubles(this.values, rows) }];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values[toRow] = doublesOf(stored[0])[fromRow];
  }
}

function pickRows(values: Float64Array, ticks: Int32Array, count: number, into: Float64Array): void {
  for (let row = 0; row < count; row++) into[row] = values[ticks[row]];
}

/** Minimum or maximum of doubles; NaN until there is a value. */
export class DoubleExtremeSlot implements Slot {
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
  fold({ columns, count, target, rowCount }: AssignedTicks): void {
    this.values.fill(Number.NaN, 0, rowCount);
    const column = columns[this.#column];
    if (column?.kind !== 'double') return;
    if (this.#isMin) foldMin(column.values, count, target, this.values);
    else foldMax(column.values, count, target, this.values);
  }
  copyRows(from: Slot, moves: Moves): void {
    moves.carry((from as DoubleExtremeSlot).values, this.values);
  }
  mergeRows(from: Slot, moves: Moves): void {
    if (this.#isMin) mergeMin((from as DoubleExtremeSlot).values, this.values, moves);
    else mergeMax((from as DoubleExtremeSlot).values, this.values, moves);
  }
  store(rows: Int32Array): ColumnData[] {
    return [{ kind: 'double', values: takeDoubles(this.values, rows) }];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values[toRow] = doublesOf(stored[0])[fromRow];
  }
}

// A comparison with NaN is false: "not own <= value" also holds where own is still null.

function foldMin(values: Float64Array, count: number, target: Int32Array, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i];
    const row = target[i];
    if (!(into[row] <= value) && !Number.isNaN(value)) into[row] = value;
  }
}

function foldMax(values: Float64Array, count: number, target: Int32Array, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = values[i];
    const row = target[i];
    if (!(into[row] >= value) && !Number.isNaN(value)) into[row] = value;
  }
}

function mergeMin(from: Float64Array, into: Float64Array, { count, from: rows, to }: Moves): void {
  for (let i = 0; i < count; i++) {
    const value = from[rows[i]];
    const row = to[i];
    if (!(into[row] <= value) && !Number.isNaN(value)) into[row] = value;
  }
}

function mergeMax(from: Float64Array, into: Float64Array, { count, from: rows, to }: Moves): void {
  for (let i = 0; i < count; i++) {
    const value = from[rows[i]];
    const row = to[i];
    if (!(into[row] >= value) && !Number.isNaN(value)) into[row] = value;
  }
}

/** Sum of doubles with compensation: total = sum + compensation; sum is NaN until there is a value. */
export class DoubleSumSlot implements Slot {
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
  fold(ticks: AssignedTicks): void {
    const column = ticks.columns[this.column];
    this.foldValues(ticks, column?.kind === 'double' ? column.values : undefined);
  }
  /** Rows become the sums of these values, by tick; undefined: all null. */
  protected foldValues({ count, target, rowCount }: AssignedTicks, values: Float64Array | undefined): void {
    const { sums, compensations } = this;
    sums.fill(values ? 0 : Number.NaN, 0, rowCount);
    compensations.fill(0, 0, rowCount);
    if (values && foldSum(values, count, target, sums, compensations))
      clearEmpty(values, count, target, rowCount, sums);
  }
  copyRows(from: Slot, moves: Moves): void {
    moves.carry((from as DoubleSumSlot).sums, this.sums);
    moves.carry((from as DoubleSumSlot).compensations, this.compensations);
  }
  mergeRows(from: Slot, moves: Moves): void {
    mergeSums(from as DoubleSumSlot, this, moves);
  }
  store(rows: Int32Array): ColumnData[] {
    return [
      { kind: 'double', values: takeDoubles(this.sums, rows) },
      { kind: 'double', values: takeDoubles(this.compensations, rows) },
    ];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.sums[toRow] = doublesOf(stored[0])[fromRow];
    this.compensations[toRow] = doublesOf(stored[1])[fromRow];
  }
}

/** Adds each value to its row's sum, the rounding error (Knuth's TwoSum) to its compensation. Was there any null? */
function foldSum(
  values: Float64Array,
  count: number,
  target: Int32Array,
  sums: Float64Array,
  compensations: Float64Array,
): boolean {
  let hasNull = false;
  for (let i = 0; i < count; i++) {
    const value = values[i];
    if (Number.isNaN(value)) {
      hasNull = true;
      continue;
    }
    const row = target[i];
    const sum = sums[row];
    const total = sum + value;
    const added = total - sum;
    compensations[row] += sum - (total - added) + (value - added);
    sums[row] = total;
  }
  return hasNull;
}

/** Rows all of whose values are null have no sum. */
function clearEmpty(
  values: Float64Array,
  count: number,
  target: Int32Array,
  rowCount: number,
  sums: Float64Array,
): void {
  const hasValue = new Uint8Array(rowCount);
  for (let i = 0; i < count; i++) if (!Number.isNaN(values[i])) hasValue[target[i]] = 1;
  for (let row = 0; row < rowCount; row++) if (hasValue[row] === 0) sums[row] = Number.NaN;
}

interface Sums {
  sums: Float64Array;
  compensations: Float64Array;
}

function mergeSums(from: Sums, into: Sums, { count, from: fromRows, to }: Moves): void {
  const { sums, compensations } = into;
  for (let i = 0; i < count; i++) {
    const value = from.sums[fromRows[i]];
    if (Number.isNaN(value)) continue;
    const row = to[i];
    const sum = Number.isNaN(sums[row]) ? 0 : sums[row];
    const total = sum + value;
    const added = total - sum;
    compensations[row] += sum - (total - added) + (value - added) + from.compensations[fromRows[i]];
    sums[row] = total;
  }
}

/**
 * The two sums of a vwap: Σ value × weight (`product`) and Σ weight (`weight`), in doubles whatever the
 * columns' types.
 */
export class WeightedSumSlot extends DoubleSumSlot {
  readonly #weight: number;
  readonly #isProduct: boolean;
  /** What is summed, by tick: scratch. */
  #terms = new Float64Array(0);

  constructor(spec: SlotSpec, capacity: number) {
    super(spec, capacity);
    this.#weight = spec.weight;
    this.#isProduct = spec.fn === 'product';
  }

  override fold(ticks: AssignedTicks): void {
    const column = ticks.columns[this.column];
    const weightColumn = ticks.columns[this.#weight];
    const terms = column && weightColumn ? this.#termsOf(column, weightColumn, ticks.count) : undefined;
    this.foldValues(ticks, terms);
  }

  #termsOf(column: ColumnData, weightColumn: ColumnData, count: number): Float64Array {
    if (this.#terms.length < count) this.#terms = new Float64Array(count * 2);
    const fill = this.#isProduct ? multiply : weightsOf;
    fill(asDoubles(column), asDoubles(weightColumn), count, this.#terms);
    return this.#terms;
  }
}

function multiply(values: Float64Array, weights: Float64Array, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) into[i] = values[i] * weights[i];
}

function weightsOf(values: Float64Array, weights: Float64Array, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) into[i] = Number.isNaN(values[i] * weights[i]) ? Number.NaN : weights[i];
}

/** Counts the rows whose value is not null. */
export class CountSlot implements Slot {
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
  fold({ columns, count, target, rowCount }: AssignedTicks): void {
    this.counts.fill(0, 0, rowCount);
    const column = columns[this.#column];
    if (column) countPresent(column, count, target, this.counts);
  }
  copyRows(from: Slot, moves: Moves): void {
    moves.carry((from as CountSlot).counts, this.counts);
  }
  mergeRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const { counts } = from as CountSlot;
    for (let i = 0; i < count; i++) this.counts[to[i]] += counts[fromRows[i]];
  }
  store(rows: Int32Array): ColumnData[] {
    return [{ kind: 'int64', values: toInt64(takeDoubles(this.counts, rows)) }];
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

function doublesOf(column: ColumnData): Float64Array {
  return (column as { values: Float64Array }).values;
}

function grown(values: Float64Array, capacity: number): Float64Array {
  const larger = new Float64Array(capacity);
  larger.set(values);
  return larger;
}
