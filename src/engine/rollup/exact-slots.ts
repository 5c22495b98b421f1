/** Slots for values that doubles cannot hold: int64, exact decimals, times, text. */
import {
  type ColumnData,
  columnOf,
  type Decimal,
  type Scalar,
  textColumn,
  valueAt,
} from '../../market/columns.ts';
import type { ValueStore } from '../hot/value-store.ts';
import { createValueStore } from '../hot/value-store.ts';
import type { MergeOrder, Moves } from './moves.ts';
import type { AssignedTicks, Slot, SlotSpec } from './slots.ts';
import { rescaled, scaleOf } from './slots.ts';

/** The first or last value of a row, of any type; null counts as a value. */
export class PickSlot implements Slot {
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
  fold({ columns, rowCount, firstTick, lastTick }: AssignedTicks): void {
    this.values.takeRows(columns[this.#column], this.#isFirst ? firstTick : lastTick, rowCount);
  }
  copyRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const other = (from as PickSlot).values;
    for (let i = 0; i < count; i++) this.values.copyRow(other, fromRows[i], to[i]);
  }
  mergeRows(from: Slot, { count, from: fromRows, to }: Moves, { earlier, later }: MergeOrder): void {
    const other = (from as PickSlot).values;
    const wins = this.#isFirst ? earlier : later;
    for (let i = 0; i < count; i++) if (wins[i] === 1) this.values.copyRow(other, fromRows[i], to[i]);
  }
  store(rows: Int32Array): ColumnData[] {
    return [this.values.gather(rows)];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values.setFrom(stored[0], fromRow, toRow);
  }
}

/** Minimum or maximum of int64, decimal, timestamp or text values, compared exactly. */
export class ExactExtremeSlot implements Slot {
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
  fold({ columns, count, target, rowCount }: AssignedTicks): void {
    this.values.clear(rowCount);
    const column = columns[this.#column];
    if (column) for (let i = 0; i < count; i++) this.#take(column, i, target[i]);
  }
  #take(column: ColumnData, fromRow: number, toRow: number): void {
    if (this.values.beats(column, fromRow, toRow, this.#isMin)) this.values.setFrom(column, fromRow, toRow);
  }
  copyRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const other = (from as ExactExtremeSlot).values;
    for (let i = 0; i < count; i++) this.values.copyRow(other, fromRows[i], to[i]);
  }
  mergeRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const column = (from as ExactExtremeSlot).values.gather(fromRows.subarray(0, count));
    for (let i = 0; i < count; i++) this.#take(column, i, to[i]);
  }
  store(rows: Int32Array): ColumnData[] {
    return [this.values.gather(rows)];
  }
  load(stored: ColumnData[], fromRow: number, toRow: number): void {
    this.values.setFrom(stored[0], fromRow, toRow);
  }
}

/** Sum of int64 or decimal values, exact: a bigint at the column's scale. */
export class ExactSumSlot implements Slot {
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
  fold({ columns, count, target, rowCount }: AssignedTicks): void {
    this.sums.fill(null, 0, Math.min(rowCount, this.sums.length));
    this.scales.fill(0, 0, rowCount);
    const column = columns[this.#column];
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
  #add(row: number, value: bigint, scale: number): void {
    this.sums[row] = (this.sums[row] ?? 0n) + value;
    if (scale > this.scales[row]) this.scales[row] = scale;
  }
  copyRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const { sums, scales } = from as ExactSumSlot;
    for (let i = 0; i < count; i++) {
      this.sums[to[i]] = sums[fromRows[i]] ?? null;
      this.scales[to[i]] = scales[fromRows[i]];
    }
  }
  mergeRows(from: Slot, { count, from: fromRows, to }: Moves): void {
    const { sums, scales } = from as ExactSumSlot;
    for (let i = 0; i < count; i++) {
      const value = sums[fromRows[i]];
      if (value !== null && value !== undefined) this.#add(to[i], value, scales[fromRows[i]]);
    }
  }
  /** Shown at the greatest scale of what was summed, as PostgreSQL does. */
  #valueAt(row: number): Decimal | null {
    const sum = this.sums[row];
    if (sum === null || sum === undefined) return null;
    return { coefficient: rescaled(sum, this.#scale, this.scales[row]), scale: this.scales[row] };
  }
  store(rows: Int32Array): ColumnData[] {
    const values = Array.from(rows, (row) => this.#valueAt(row));
    if (!this.#isDecimal) return [columnOf('decimal', values)];
    // A sum that the store's decimal cannot hold lies beside it as text.
    const isBeyond = Array.from(rows, (row) => isBeyondStore(this.sums[row] ?? 0n));
    return [
      columnOf(
        'decimal',
        values.map((value, i) => (isBeyond[i] ? null : value)),
      ),
      textColumn(values.map((value, i) => (value && isBeyond[i] ? sumText(value) : null))),
    ];
  }
  load([column, beyond]: ColumnData[], fromRow: number, toRow: number): void {
    const sum =
      (beyond ? sumOfText(valueAt(beyond, fromRow)) : null) ?? (valueAt(column, fromRow) as Decimal | null);
    this.sums[toRow] = sum && rescaled(sum.coefficient, sum.scale, this.#scale);
    this.scales[toRow] = sum && this.#isDecimal ? sum.scale : 0;
  }
}

const storedLimit = 10n ** 38n;

function isBeyondStore(sum: bigint): boolean {
  return sum >= storedLimit || -sum >= storedLimit;
}

function sumText({ coefficient, scale }: Decimal): string {
  return `${coefficient}e-${scale}`;
}

function sumOfText(text: Scalar): Decimal | null {
  if (typeof text !== 'string') return null;
  const [coefficient, scale] = text.split('e-');
  return { coefficient: BigInt(coefficient), scale: Number(scale) };
}

/** The stored columns of exact sums as one column, those of the text put back. */
export function joinedSums([column, beyond]: ColumnData[]): ColumnData {
  if (beyond?.kind !== 'text' || !beyond.codes.some((code) => code >= 0)) return column;
  return columnOf(
    'decimal',
    Array.from(beyond.codes, (_, row) => sumOfText(valueAt(beyond, row)) ?? valueAt(column, row)),
  );
}
