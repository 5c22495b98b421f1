/**
 * A ticks, bars or state table at run time: its series, its newest rows in memory, and the rollups built on it.
 */
import { createSerial, type Serial } from '../../core/serial.ts';
import type { ColumnData, ColumnSet } from '../../market/columns.ts';
import { columnOf, takeRows } from '../../market/columns.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import { splitTimes } from '../../market/time.ts';
import { isRowColumn, timeColumn } from '../catalog/layout.ts';
import type { HotBlock } from '../hot/hot-rows.ts';
import { HotRows } from '../hot/hot-rows.ts';
import type { ValueStore } from '../hot/value-store.ts';
import { createValueStore } from '../hot/value-store.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import type { TickColumns } from '../rollup/slots.ts';
import { ticksBetween } from '../rollup/tick-batch.ts';
import { TickFold } from '../rollup/tick-fold.ts';
import { SeriesIndex } from '../series/series-index.ts';
import { columnKindOf } from '../write/admit.ts';

/** A declared column that is stored in the row, with its index in the definition. */
export interface RowColumn {
  index: number;
  def: ColumnDef;
}

/** Values of one block of rows. */
export class RowPayload {
  timesNs: BigInt64Array;
  readonly stores: ValueStore[];

  constructor(columns: readonly RowColumn[], capacity: number) {
    this.timesNs = new BigInt64Array(capacity);
    this.stores = columns.map(({ def }) => createValueStore(def.type, capacity));
  }

  grow(capacity: number): void {
    const timesNs = new BigInt64Array(capacity);
    timesNs.set(this.timesNs);
    this.timesNs = timesNs;
    for (const store of this.stores) store.grow(capacity);
  }
}

/** A block of rows. */
export type RowBlock = HotBlock<RowPayload>;

/** Rows of one logged batch, ready to be applied. */
export interface AppliedRows {
  lsn: number;
  rowCount: number;
  series: Int32Array;
  timesNs: BigInt64Array;
  /** By column index of the definition; undefined means all null. */
  columns: TickColumns;
}

/** Rows as they are stored: times, arrival numbers, and columns in the order of `rowColumns`. */
export interface StoredRows {
  timesNs: BigInt64Array;
  arrivals: BigInt64Array;
  columns: ColumnData[];
}

/** A rollup that reads the ticks themselves, with its fold. */
interface Root {
  fold: TickFold;
  node: RollupNode;
  /** Groups other than the series: their numbers, and the columns they come from. */
  groups: { index: SeriesIndex; key: readonly string[] } | null;
}

/** See the head of this file. */
export class RowTable {
  readonly id: number;
  def: TableDef;
  readonly series: SeriesIndex;
  readonly hot: HotRows<RowPayload>;
  rowColumns: RowColumn[];
  readonly roots: Root[] = [];
  /** Tables with `dedup`: batches come one after the other. */
  readonly turns: Serial = createSerial();
  /** Per series its latest row once that has left the blocks: arrival number (-1: none), time, values. */
  readonly pinned: { row: Float64Array; timesNs: BigInt64Array; payload: RowPayload };
  /** Series that the store's dictionary holds, and that are logged durably. */
  storedSeries = 0;
  durableSeries = 0;
  /** Greatest time of any row, ns as in `t256`, and the wall clock when the last batch was applied. */
  watermarkT = Number.NEGATIVE_INFINITY;
  appliedAtMs = 0;
  /**
   * The horizon of retention, ns: rows of before were dropped, are shown to nobody, and what still comes for that time
   * is not kept. What needs all ticks of a bucket (recomputing it) must not begin before it. Null: nothing was dropped.
   */
  droppedBeforeNs: bigint | null = null;
  /** Batches applied: tells readers of derived state whether anything changed. */
  appliedCount = 0;
  /** Rows below this are in the store, or on their way there. */
  cutRow = 0;
  /** Amendments applied: a read that one overtook begins again. */
  amendedCount = 0;
  #t256 = new Float64Array(0);
  #rest = new Uint8Array(0);
  /** Does a rollup aggregate a column of the series key? */
  #isKeyFolded = false;

  constructor(id: number, def: TableDef, firstRow: number) {
    this.id = id;
    this.def = def;
    this.rowColumns = rowColumnsOf(def);
    const key = def.seriesKey.map((name) => ({
      name,
      type: (def.columns.find((c) => c.name === name) as ColumnDef).type,
    }));
    this.series = new SeriesIndex(key);
    this.hot = new HotRows(
      firstRow,
      (capacity) => new RowPayload(this.rowColumns, capacity),
      (block) => this.#pin(block),
    );
    this.pinned = {
      row: new Float64Array(16).fill(-1),
      timesNs: new BigInt64Array(16),
      payload: new RowPayload(this.rowColumns, 16),
    };
  }

  /** Bytes of memory a row takes, about. */
  get bytesPerRow(): number {
    const block = this.pinned.payload;
    return block.stores.reduce((bytes, store) => bytes + store.bytesPerRow, 25);
  }

  /** Appends the rows and brings every rollup up to date. Returns the first row's arrival number. */
  apply(rows: AppliedRows): number {
    const { hot, series } = this;
    this.#reserve(series.count);
    const firstRow = hot.nextRow;
    const t256 = this.#times(rows);
    const spans = hot.append(rows.series, t256, this.#rest, rows.rowCount);
    for (const { block, at, from, count } of spans) {
      block.payload.timesNs.set(rows.timesNs.subarray(from, from + count), at);
      for (const [i, store] of block.payload.stores.entries()) {
        store.append(rows.columns[this.rowColumns[i].index], from, from + count, at);
      }
    }
    const { rowCount: count } = rows;
    const columns = this.#isKeyFolded ? this.#withKey(rows.columns, rows.series) : rows.columns;
    for (const { fold, node, groups } of this.roots) {
      const group = groups ? this.groupsOf(rows, groups) : rows.series;
      if (groups) node.reserveGroups(groups.index.count);
      const batch = { count, group, t256, rest: this.#rest, firstArrival: firstRow, arrivals: null, columns };
      const { filledFrom } = node;
      const isFilled = filledFrom === Number.NEGATIVE_INFINITY;
      const partials = fold.fold(
        isFilled ? batch : ticksBetween(batch, filledFrom, Number.POSITIVE_INFINITY),
      );
      node.merge(partials, rowsBetween(0, partials.length), rows.lsn);
    }
    for (let i = 0; i < count; i++) if (t256[i] > this.watermarkT) this.watermarkT = t256[i];
    this.appliedCount++;
    return firstRow;
  }

  /** Numbers of the rows' groups where those are not the series. */
  groupsOf(rows: AppliedRows, groups: { index: SeriesIndex; key: readonly string[] }): Int32Array {
    const keys = this.series.keyColumnsOf(rows.series);
    const columns = groups.key.map((name) => {
      const own = this.def.seriesKey.indexOf(name);
      if (own >= 0) return keys[own];
      const index = this.def.columns.findIndex((column) => column.name === name);
      return (
        rows.columns[index] ??
        columnOf(columnKindOf(this.def.columns[index].type), Array(rows.rowCount).fill(null))
      );
    });
    return groups.index.resolve(columns, rows.rowCount);
  }

  /** States have no order but arrival, so all their times are one. */
  #times(rows: AppliedRows): Float64Array {
    if (this.#t256.length < rows.rowCount) {
      this.#t256 = new Float64Array(rows.rowCount * 2);
      this.#rest = new Uint8Array(rows.rowCount * 2);
    }
    if (this.def.kind === 'state') return this.#t256;
    splitTimes(rows.timesNs, this.#t256, this.#rest);
    return this.#t256;
  }

  #reserve(count: number): void {
    this.hot.reserveSeries(count);
    for (const { node, groups } of this.roots) if (!groups) node.reserveGroups(count);
    const { pinned } = this;
    if (count <= pinned.row.length) return;
    const capacity = Math.max(count, pinned.row.length * 2);
    const row = new Float64Array(capacity).fill(-1);
    row.set(pinned.row);
    const timesNs = new BigInt64Array(capacity);
    timesNs.set(pinned.timesNs);
    pinned.row = row;
    pinned.timesNs = timesNs;
    pinned.payload.grow(capacity);
  }

  /** Adds a rollup that reads this table's ticks. */
  addRoot(node: RollupNode, groups: { index: SeriesIndex; key: readonly string[] }): void {
    node.reserveGroups(groups.index.count);
    const isOwn = groups.index !== this.series;
    this.roots.push({
      node,
      fold: new TickFold(node.plan.bucketing, node.plan.slots),
      groups: isOwn ? groups : null,
    });
    this.#isKeyFolded ||= node.plan.slots.some(
      ({ column, weight }) => this.#isKey(column) || this.#isKey(weight),
    );
  }

  #isKey(index: number): boolean {
    return index >= 0 && this.def.seriesKey.includes(this.def.columns[index].name);
  }

  /** The columns with those of the series key, which rows do not carry. */
  #withKey(columns: TickColumns, series: Int32Array): TickColumns {
    const keys = this.series.keyColumnsOf(series);
    return columns.map((column, index) => {
      const key = this.def.seriesKey.indexOf(this.def.columns[index].name);
      return key >= 0 ? keys[key] : column;
    });
  }

  /** Takes a rollup out again. */
  removeRoot(node: RollupNode): void {
    const index = this.roots.findIndex((root) => root.node === node);
    if (index >= 0) this.roots.splice(index, 1);
  }

  /** Every rollup, lower levels before the ones built on them. */
  nodes(): RollupNode[] {
    const found: RollupNode[] = [];
    const visit = (node: RollupNode): void => {
      found.push(node);
      node.children.forEach(visit);
    };
    for (const { node } of this.roots) visit(node);
    return found;
  }

  /** Takes a changed definition; of columns added at its end the rows in memory hold null. */
  redefine(def: TableDef): void {
    this.def = def;
    const added = rowColumnsOf(def).slice(this.rowColumns.length);
    this.rowColumns = rowColumnsOf(def);
    for (const { def: column } of added) {
      for (const block of this.hot.blocks)
        block.payload.stores.push(createValueStore(column.type, block.capacity));
      this.pinned.payload.stores.push(createValueStore(column.type, this.pinned.row.length));
    }
  }

  /** At recovery: the latest stored row of a series; columns in the order of `rowColumns`. */
  restoreLatest(series: number, timeNs: bigint, arrival: number, columns: ColumnData[], row: number): void {
    this.#reserve(Math.max(series + 1, this.series.count));
    this.pinned.row[series] = arrival;
    this.pinned.timesNs[series] = timeNs;
    for (const [i, store] of this.pinned.payload.stores.entries()) store.setFrom(columns[i], row, series);
    const t = this.def.kind === 'state' ? 0 : Number(timeNs - (timeNs & 255n));
    this.hot.latestT[series] = t;
    this.hot.latestRest[series] = this.def.kind === 'state' ? 0 : Number(timeNs & 255n);
    this.hot.latestRow[series] = arrival;
    this.hot.evictedMaxT[series] = t;
    if (t > this.watermarkT) this.watermarkT = t;
  }

  /** The latest row of a series after its rows in the store were amended: the first of these; undefined if none. */
  amendLatest(series: number, rows: StoredRows | undefined): void {
    const { hot, pinned } = this;
    const evicted = hot.evictedMaxT[series];
    if (rows) this.restoreLatest(series, rows.timesNs[0], Number(rows.arrivals[0]), rows.columns, 0);
    else {
      pinned.row[series] = -1;
      hot.latestRow[series] = -1;
      hot.latestT[series] = Number.NEGATIVE_INFINITY;
      hot.latestRest[series] = 0;
    }
    hot.evictedMaxT[series] = Math.max(evicted, hot.evictedMaxT[series]);
  }

  #pin(block: RowBlock): void {
    for (let at = 0; at < block.length; at++) {
      const series = block.series[at];
      if (this.hot.latestRow[series] !== block.baseRow + at) continue;
      this.pinned.row[series] = block.baseRow + at;
      this.pinned.timesNs[series] = block.payload.timesNs[at];
      for (const [i, store] of this.pinned.payload.stores.entries())
        store.copyRow(block.payload.stores[i], at, series);
    }
  }

  /** The latest row of each series named that has any: the declared columns in order. */
  latest(wanted: Int32Array): ColumnSet {
    const rows = this.latestRows(wanted);
    const { droppedBeforeNs } = this;
    if (droppedBeforeNs === null) return this.columnSet(rows.series, rows.timesNs, rows.columns);
    const kept = Int32Array.from(rows.series.keys()).filter((row) => rows.timesNs[row] >= droppedBeforeNs);
    return this.columnSet(
      rows.series.filter((_, row) => rows.timesNs[row] >= droppedBeforeNs),
      rows.timesNs.filter((timeNs) => timeNs >= droppedBeforeNs),
      rows.columns.map((column) => takeRows(column, kept)),
    );
  }

  /** See `latest`: the rows as they are stored, with their arrival numbers. */
  latestRows(wanted: Int32Array): {
    series: Int32Array;
    timesNs: BigInt64Array;
    arrivals: BigInt64Array;
    columns: ColumnData[];
  } {
    const { latestRow } = this.hot;
    const series = wanted.filter((one) => one < latestRow.length && latestRow[one] >= 0);
    const payload = new RowPayload(this.rowColumns, series.length);
    for (const [i, one] of series.entries()) this.#copyLatest(one, payload, i);
    const rows = Int32Array.from(series, (_, i) => i);
    return {
      series,
      timesNs: payload.timesNs,
      arrivals: BigInt64Array.from(series, (one) => BigInt(latestRow[one])),
      columns: payload.stores.map((store) => store.gather(rows)),
    };
  }

  #copyLatest(series: number, into: RowPayload, to: number): void {
    const row = this.hot.latestRow[series];
    // A row that was pinned ahead of time has been amended since: what the block holds is as it was.
    const isHot = row >= this.hot.firstRow && this.pinned.row[series] !== row;
    const block = isHot ? this.hot.blockOf(row) : undefined;
    const from = block ? row - block.baseRow : series;
    const source = block ? block.payload : this.pinned.payload;
    into.timesNs[to] = (block ? block.payload.timesNs : this.pinned.timesNs)[from];
    for (const [i, store] of into.stores.entries()) store.copyRow(source.stores[i], from, to);
  }

  /** Stored rows as a rollup takes them: by column index of the definition. */
  tickColumns(series: Int32Array, timesNs: BigInt64Array, rowColumns: readonly ColumnData[]): TickColumns {
    return this.columnSet(series, timesNs, rowColumns).columns;
  }

  /** Rows as the user declared them, from series numbers, times and the row columns. */
  columnSet(series: Int32Array, timesNs: BigInt64Array, rowColumns: readonly ColumnData[]): ColumnSet {
    const keys = this.series.keyColumnsOf(series);
    const columns = this.def.columns.map((column, index): ColumnData => {
      if (column.name === this.def.timeColumn) return { kind: 'timestamp', values: timesNs };
      const key = this.def.seriesKey.indexOf(column.name);
      if (key >= 0) return keys[key];
      const position = this.rowColumns.findIndex((candidate) => candidate.index === index);
      return rowColumns[position] ?? columnOf(columnKindOf(column.type), Array(series.length).fill(null));
    });
    return { rowCount: series.length, names: this.def.columns.map(({ name }) => name), columns };
  }

  /** Series numbers of rows `fromRow` … `toRow`-1, all in memory. */
  hotSeries(fromRow: number, toRow: number): Int32Array {
    const series = new Int32Array(toRow - fromRow);
    for (const block of this.hot.blocks) {
      const from = Math.max(fromRow - block.baseRow, 0);
      const to = Math.min(toRow - block.baseRow, block.length);
      if (from < to) series.set(block.series.subarray(from, to), block.baseRow + from - fromRow);
    }
    return series;
  }

  /** The declared columns of rows `fromRow` … `toRow`-1, all in memory. */
  hotSet(fromRow: number, toRow: number): ColumnSet[] {
    const sets: ColumnSet[] = [];
    for (const block of this.hot.blocks) {
      const from = Math.max(fromRow - block.baseRow, 0);
      const to = Math.min(toRow - block.baseRow, block.length);
      if (from >= to) continue;
      const columns = block.payload.stores.map((store) => store.view(from, to));
      sets.push(
        this.columnSet(block.series.subarray(from, to), block.payload.timesNs.subarray(from, to), columns),
      );
    }
    return sets;
  }
}

/** The columns of a definition that are stored in the row. */
export function rowColumnsOf(def: TableDef): RowColumn[] {
  return def.columns.flatMap((column, index) => (isRowColumn(def, column) ? [{ index, def: column }] : []));
}

/** The name of the table's time column in the store. */
export function storedTimeName(def: TableDef): string {
  return timeColumn(def).name;
}
