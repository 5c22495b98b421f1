/**
 * Which rows of a batch are there already, for tables with `dedup`.
 *
 * A tick later than every tick of its series, stored or before it in the batch, is new: that takes one loop over typed
 * arrays, and for most batches that is all. The others are *suspects*: the rows with their series and times are looked
 * up, in memory along the chain of the series, and in the store for times to which memory does not reach back. Then
 * the batch is gone through in order, so that duplicates within it are found like any others.
 */
import { must } from '../../core/assert.ts';
import { concatSets, nullColumn } from '../../market/column-ops.ts';
import { type ColumnData, type ColumnSet, takeRows } from '../../market/columns.ts';
import type { DedupDef } from '../../market/schema.ts';
import { splitTimes } from '../../market/time.ts';
import type { RowsEntry } from '../catalog/catalog.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import type { Amendment } from '../recompute/amendment.ts';
import { type RowBlock, type RowTable, storedTimeName } from '../tables/row-table.ts';
import { type Admitted, columnKindOf } from './admit.ts';
import { textOf } from './row-text.ts';

/** What is to be done with a batch. */
export interface Resolved {
  /** Rows to be written, in order; null: all. */
  rows: Int32Array | null;
  duplicates: number;
  corrected: number;
  /** Rows of before that get values of the batch; null if there are none. */
  amendment: Amendment | null;
}

/** Everything is new. */
export const allNew: Resolved = { rows: null, duplicates: 0, corrected: 0, amendment: null };

/** A row that a later one may be the same as: in the table (by arrival number) or in the batch (by place in `kept`). */
interface Known {
  arrival: bigint | null;
  keptAt: number;
  columns: readonly (ColumnData | undefined)[];
  row: number;
}

/** Rows by series, time and the text of the `by` columns; only for series and times of suspects. */
type KnownRows = Map<number, Map<bigint, Map<string, Known>>>;

/** Sorts the rows of a batch out; `series` are their numbers. No other batch of the table may be under way. */
export async function resolveRows(
  state: EngineState,
  entry: RowsEntry,
  { rowCount, columns }: Admitted,
  series: Int32Array,
): Promise<Resolved> {
  const { table, def } = entry;
  const dedup = must(def.dedup, 'dedup of a table');
  const time = columns[def.columns.findIndex(({ name }) => name === def.timeColumn)];
  const { values: times } = must(time, 'time column') as { values: BigInt64Array };
  const known = suspects(table, series, times, rowCount);
  if (!known) return allNew;
  const batch = table.rowColumns.map(({ index }) => columns[index]);
  const key = keyColumns(entry, dedup);
  // Memory first: what is flushed and evicted while the store answers would be in neither.
  const memory = memoryRows(table, known);
  const stored = await storedRows(state, table, known);
  if (stored) addKnown(known, stored, key);
  if (memory) addKnown(known, memory, key);
  return sortOut({ table, dedup, key, known, batch, series, times, rowCount });
}

/** Positions among `rowColumns` of the columns that tell ticks of one series and time apart. */
function keyColumns({ table }: RowsEntry, { by }: DedupDef): number[] {
  const all = table.rowColumns.map((_, position) => position);
  if (by === 'row') return all;
  return all.filter((position) => by.includes(table.rowColumns[position].def.name));
}

let latestT = new Float64Array(0);
let latestRest = new Uint8Array(0);
let seenIn = new Float64Array(0);
let batchNumber = 0;

/** Series and times of rows that are not later than all of their series before them; undefined if all rows are. */
function suspects(
  { hot }: RowTable,
  series: Int32Array,
  times: BigInt64Array,
  rowCount: number,
): KnownRows | undefined {
  const t256 = new Float64Array(rowCount);
  const rest = new Uint8Array(rowCount);
  splitTimes(times, t256, rest);
  batchNumber++;
  let found: KnownRows | undefined;
  for (let row = 0; row < rowCount; row++) {
    const s = series[row];
    if (s >= seenIn.length) reserve(s);
    if (seenIn[s] !== batchNumber) {
      seenIn[s] = batchNumber;
      latestT[s] = s < hot.latestT.length ? hot.latestT[s] : Number.NEGATIVE_INFINITY;
      latestRest[s] = s < hot.latestRest.length ? hot.latestRest[s] : 0;
    }
    if (t256[row] > latestT[s] || (t256[row] === latestT[s] && rest[row] > latestRest[s])) {
      latestT[s] = t256[row];
      latestRest[s] = rest[row];
      continue;
    }
    found ??= new Map();
    const byTime = found.get(s) ?? new Map<bigint, Map<string, Known>>();
    found.set(s, byTime);
    if (!byTime.has(times[row])) byTime.set(times[row], new Map());
  }
  return found;
}

function reserve(series: number): void {
  const capacity = Math.max(64, (series + 1) * 2);
  // The batch's number is above all stamps; what this batch has seen is kept.
  const [t, rest, stamps] = [
    new Float64Array(capacity),
    new Uint8Array(capacity),
    new Float64Array(capacity),
  ];
  t.set(latestT);
  rest.set(latestRest);
  stamps.set(seenIn);
  [latestT, latestRest, seenIn] = [t, rest, stamps];
}

/** The columns that sets of known rows have: series, time, arrival number, row columns. */
function columnNames({ def, rowColumns: columns }: RowTable): string[] {
  const names = [rowColumns.series, storedTimeName(def), rowColumns.version];
  return [...names, ...columns.map((column) => column.def.name)];
}

/** Rows of suspects' times that may be in the store only. */
async function storedRows(
  { storage }: EngineState,
  table: RowTable,
  known: KnownRows,
): Promise<ColumnSet | undefined> {
  const { evictedMaxT } = table.hot;
  const series: number[] = [];
  const timesNs: bigint[] = [];
  for (const [s, byTime] of known) {
    if (s >= evictedMaxT.length) continue;
    for (const timeNs of byTime.keys()) {
      if (Number(timeNs - (timeNs & 255n)) > evictedMaxT[s]) continue;
      series.push(s);
      timesNs.push(timeNs);
    }
  }
  if (series.length === 0) return undefined;
  return storage.lookup({
    table: physicalId(table.id, tableRole.rows),
    columns: columnNames(table),
    series: Int32Array.from(series),
    timesNs: BigInt64Array.from(timesNs),
  });
}

/** Rows of suspects' times in memory. */
function memoryRows(table: RowTable, known: KnownRows): ColumnSet | undefined {
  const picks = new Map<RowBlock, number[]>();
  for (const [series, byTime] of known) {
    let least = Number.POSITIVE_INFINITY;
    for (const timeNs of byTime.keys()) least = Math.min(least, Number(timeNs - (timeNs & 255n)));
    table.hot.walk(series, 0, (block, at, row) => {
      const isOrdered = row > table.hot.disorderRow[series];
      if (block.t[at] < least) return !isOrdered;
      if (!byTime.has(block.payload.timesNs[at])) return true;
      const own = picks.get(block);
      if (own) own.push(at);
      else picks.set(block, [at]);
      return true;
    });
  }
  if (picks.size === 0) return undefined;
  return concatSets([...picks].map(([block, rows]) => blockSet(table, block, Int32Array.from(rows))));
}

function blockSet(table: RowTable, block: RowBlock, rows: Int32Array): ColumnSet {
  const { payload, baseRow } = block;
  return {
    rowCount: rows.length,
    names: columnNames(table),
    columns: [
      { kind: 'int64', values: BigInt64Array.from(rows, (at) => BigInt(block.series[at])) },
      { kind: 'timestamp', values: BigInt64Array.from(rows, (at) => payload.timesNs[at]) },
      { kind: 'int64', values: BigInt64Array.from(rows, (at) => BigInt(baseRow + at)) },
      ...payload.stores.map((store) => store.gather(rows)),
    ],
  };
}

/** Of rows that are the same, as they may be from before the table had `dedup`, the newest counts. */
function addKnown(known: KnownRows, { columns: all, rowCount }: ColumnSet, key: readonly number[]): void {
  const [series, times, arrivals] = all.slice(0, 3) as { values: BigInt64Array }[];
  const columns = all.slice(3);
  for (let row = 0; row < rowCount; row++) {
    const byKey = known.get(Number(series.values[row]))?.get(times.values[row]);
    if (!byKey) continue;
    const text = textOf(columns, key, row);
    const arrival = arrivals.values[row];
    const other = byKey.get(text);
    if (other?.arrival === undefined || other.arrival === null || other.arrival < arrival)
      byKey.set(text, { arrival, keptAt: -1, columns, row });
  }
}

interface Batch {
  table: RowTable;
  dedup: DedupDef;
  key: readonly number[];
  known: KnownRows;
  /** In the order of `rowColumns`. */
  batch: readonly (ColumnData | undefined)[];
  series: Int32Array;
  times: BigInt64Array;
  rowCount: number;
}

function sortOut({ table, dedup, key, known, batch, series, times, rowCount }: Batch): Resolved {
  const everything = table.rowColumns.map((_, position) => position);
  const kept: number[] = [];
  const amended = new Map<bigint, number>();
  let duplicates = 0;
  let corrected = 0;
  for (let row = 0; row < rowCount; row++) {
    const byKey = known.get(series[row])?.get(times[row]);
    if (!byKey) {
      kept.push(row);
      continue;
    }
    const text = textOf(batch, key, row);
    const same = byKey.get(text);
    if (!same) {
      byKey.set(text, { arrival: null, keptAt: kept.length, columns: batch, row });
      kept.push(row);
      continue;
    }
    const isEqual = textOf(batch, everything, row) === textOf(same.columns, everything, same.row);
    if (dedup.keep === 'first' || isEqual) {
      duplicates++;
      continue;
    }
    corrected++;
    if (same.arrival === null) kept[same.keptAt] = row;
    else amended.set(same.arrival, row);
    byKey.set(text, { ...same, columns: batch, row });
  }
  const rows = Int32Array.from(kept);
  return { rows, duplicates, corrected, amendment: amendmentOf(table, batch, { amended, series, times }) };
}

function amendmentOf(
  table: RowTable,
  batch: readonly (ColumnData | undefined)[],
  { amended, series, times }: { amended: Map<bigint, number>; series: Int32Array; times: BigInt64Array },
): Amendment | null {
  if (amended.size === 0) return null;
  const rows = Int32Array.from(amended.values());
  return {
    series: rows.map((row) => series[row]),
    timesNs: BigInt64Array.from(rows, (row) => times[row]),
    arrivals: BigInt64Array.from(amended.keys()),
    isGone: new Uint8Array(rows.length),
    columns: batch.map((column, i) =>
      column ? takeRows(column, rows) : nullColumn(columnKindOf(table.rowColumns[i].def.type), rows.length),
    ),
  };
}
