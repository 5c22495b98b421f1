/**
 * Partial bars as columns of the store, and back. The stored columns are, in order: series number, bucket start,
 * LSN, time and arrival number of the first and of the last tick, number of ticks, then each slot's one or two columns.
 */
import { takeDoubles, toInt64, widenInt32 } from '../../market/column-ops.ts';
import type { ColumnData } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import type { StoredColumn } from '../../storage/storage.ts';
import { arrivalLimit, Partials } from './partials.ts';
import type { RollupPlan } from './plan.ts';
import type { SlotSpec } from './slots.ts';

/** Names of the columns every stored bar has besides its bucket start. */
export const barColumns = {
  series: '_sid',
  lsn: '_lsn',
  firstTime: '_first_time',
  firstArrival: '_first_arrival',
  lastTime: '_last_time',
  lastArrival: '_last_arrival',
  rows: '_rows',
} as const;

const fixedColumns = 8;

/**
 * The columns a slot is stored in. Ticks columns stand in their names by number: no two slots share a name, nor
 * does one
 * have that of a column of the user's.
 */
export function slotColumns(slot: SlotSpec): StoredColumn[] {
  const name = `_${slot.fn}_${slot.column}${slot.weight < 0 ? '' : `_${slot.weight}`}`;
  const columns: StoredColumn[] = [{ name, type: storedSlotType(slot), nullable: true }];
  if (isCompensated(slot))
    columns.push({ name: `${name}_compensation`, type: { kind: 'double' }, nullable: true });
  if (slot.fn === 'sum' && slot.type.kind === 'decimal')
    columns.push({ name: `${name}_beyond`, type: { kind: 'text' }, nullable: true });
  return columns;
}

/** Does the slot keep a compensation beside its sum? */
export function isCompensated(slot: SlotSpec): boolean {
  return slot.fn === 'product' || slot.fn === 'weight' || (slot.fn === 'sum' && slot.type.kind === 'double');
}

/** The stored columns of a rollup's bars. */
export function storedBarColumns(plan: RollupPlan, time: ColumnDef): StoredColumn[] {
  const int64 = { kind: 'int64' } as const;
  return [
    { name: barColumns.series, type: { kind: 'int32' }, nullable: false },
    { name: time.name, type: time.type, nullable: false },
    { name: barColumns.lsn, type: int64, nullable: false },
    { name: barColumns.firstTime, type: time.type, nullable: false },
    { name: barColumns.firstArrival, type: int64, nullable: false },
    { name: barColumns.lastTime, type: time.type, nullable: false },
    { name: barColumns.lastArrival, type: int64, nullable: false },
    { name: barColumns.rows, type: int64, nullable: false },
    ...plan.slots.flatMap(slotColumns),
  ];
}

function storedSlotType(slot: SlotSpec): StoredColumn['type'] {
  if (isCompensated(slot)) return { kind: 'double' };
  if (slot.fn === 'count') return { kind: 'int64' };
  if (slot.fn !== 'sum') return slot.type;
  // Sums of int64 may leave 64 bits; sums of decimals keep their decimals and gain whole digits.
  if (slot.type.kind === 'decimal' && slot.type.scale === undefined) return { kind: 'decimal' };
  return { kind: 'decimal', precision: 38, scale: slot.type.kind === 'decimal' ? (slot.type.scale ?? 0) : 0 };
}

/** The rows named as stored columns; `lsn` goes into each. */
export function toStored(partials: Partials, rows: Int32Array, lsn: number): ColumnData[] {
  const groups = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) groups[i] = partials.group[rows[i]];
  const columns: ColumnData[] = [
    { kind: 'int64', values: widenInt32(groups) },
    { kind: 'timestamp', values: toInt64(takeDoubles(partials.start, rows)) },
    { kind: 'int64', values: new BigInt64Array(rows.length).fill(BigInt(lsn)) },
    ...positionColumns(partials.firstT, partials.firstTie, rows),
    ...positionColumns(partials.lastT, partials.lastTie, rows),
    { kind: 'int64', values: toInt64(takeDoubles(partials.rows, rows)) },
  ];
  for (const slot of partials.slots) columns.push(...slot.store(rows));
  return columns;
}

/** Time and arrival number of positions (see `partials.ts`). */
function positionColumns(t: Float64Array, tie: Float64Array, rows: Int32Array): [ColumnData, ColumnData] {
  const rests = new Float64Array(rows.length);
  const arrivals = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    const rest = Math.floor(tie[rows[i]] / arrivalLimit);
    rests[i] = rest;
    arrivals[i] = tie[rows[i]] - rest * arrivalLimit;
  }
  return [
    { kind: 'timestamp', values: toInt64(takeDoubles(t, rows), rests) },
    { kind: 'int64', values: toInt64(arrivals) },
  ];
}

/** Stored columns as partial bars, and each row's LSN. */
export function fromStored(
  plan: RollupPlan,
  columns: ColumnData[],
  count: number,
): { partials: Partials; lsn: Float64Array } {
  const partials = new Partials(plan.slots, count);
  partials.length = count;
  const longs = (index: number): BigInt64Array => (columns[index] as { values: BigInt64Array }).values;
  const lsn = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    partials.group[row] = Number(longs(0)[row]);
    partials.start[row] = Number(longs(1)[row]);
    lsn[row] = Number(longs(2)[row]);
    setPosition(partials.firstT, partials.firstTie, row, longs(3)[row], longs(4)[row]);
    setPosition(partials.lastT, partials.lastTie, row, longs(5)[row], longs(6)[row]);
    partials.rows[row] = Number(longs(7)[row]);
  }
  let index = fixedColumns;
  for (const [i, slot] of partials.slots.entries()) {
    const stored = columns.slice(index, index + slotColumns(plan.slots[i]).length);
    for (let row = 0; row < count; row++) slot.load(stored, row, row);
    index += stored.length;
  }
  return { partials, lsn };
}

function setPosition(t: Float64Array, tie: Float64Array, row: number, timeNs: bigint, arrival: bigint): void {
  const rest = timeNs & 255n;
  t[row] = Number(timeNs - rest);
  tie[row] = Number(rest) * arrivalLimit + Number(arrival);
}
