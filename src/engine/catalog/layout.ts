/**
 * How the engine lays its tables out in the store: physical tables, their columns, and the views SQL sees.
 *
 * Every table of the catalog owns eight physical numbers, `id * 8 + role`.
 */
import { must } from '../../core/assert.ts';
import type { ColumnDef, TableDef } from '../../market/schema.ts';
import type { StoredColumn, StoredTable, StoredView, ViewSource } from '../../storage/storage.ts';
import type { Output, RollupPlan } from '../rollup/plan.ts';
import { barColumns, isCompensated, slotColumns, storedBarColumns } from '../rollup/stored-bars.ts';

/** What a physical table of a catalog table is for. */
export const tableRole = {
  /** Ticks, bars, states, plain rows, or a rollup's closed bars. */
  rows: 0,
  /** The series dictionary. */
  series: 1,
  /** A rollup's open bars as of the last flush: what recovery starts from. */
  open: 2,
  /** A rollup's live bars, complete, for SQL. */
  live: 3,
} as const;

/** Number of the physical table with that role. */
export function physicalId(id: number, role: number): number {
  return id * 8 + role;
}

/** Key of the document that says what of a catalog table's rows is sealed. */
export function sealKey(id: number): string {
  return `seal/${id}`;
}

/** Key of the document that says up to where retention has dropped a catalog table's rows. */
export function retentionKey(id: number): string {
  return `retention/${id}`;
}

/** Names of the columns that ticks, bars and state tables have besides the user's. */
export const rowColumns = { series: '_sid', version: '_seq' } as const;

/** Is the column stored in the row (rather than in the series dictionary)? */
export function isRowColumn(def: TableDef, column: ColumnDef): boolean {
  return column.name !== def.timeColumn && !def.seriesKey.includes(column.name);
}

/** The definition of a column, which exists. */
export function columnDef(def: TableDef, name: string): ColumnDef {
  return must(
    def.columns.find((column) => column.name === name),
    `column ${name}`,
  );
}

/** State tables without a time column of their own get one: the time of the write. */
export const implicitTime: ColumnDef = {
  name: '_time',
  type: { kind: 'timestamp', unit: 'us', zone: true },
  nullable: false,
};

/** The time column of a ticks, bars or state table. */
export function timeColumn(def: TableDef): ColumnDef {
  return def.timeColumn === undefined ? implicitTime : columnDef(def, def.timeColumn);
}

/**
 * The physical table for rows of a ticks, bars or state table: series number, time, arrival number, then the
 * row columns.
 */
export function rowsTable(id: number, def: TableDef): StoredTable {
  const time = timeColumn(def);
  return {
    id: physicalId(id, tableRole.rows),
    columns: [
      { name: rowColumns.series, type: { kind: 'int32' }, nullable: false },
      { name: time.name, type: time.type, nullable: false },
      { name: rowColumns.version, type: { kind: 'int64' }, nullable: false },
      ...def.columns.filter((column) => isRowColumn(def, column)).map(storedColumn),
    ],
    roles: { series: rowColumns.series, time: time.name, version: rowColumns.version },
  };
}

/** A plain table is stored as it is declared. */
export function plainTable(id: number, def: TableDef): StoredTable {
  return { id: physicalId(id, tableRole.rows), columns: def.columns.map(storedColumn), roles: null };
}

/** A series dictionary: number, then the key's columns. */
export function seriesTable(id: number, def: TableDef, key: readonly string[]): StoredTable {
  return {
    id: physicalId(id, tableRole.series),
    columns: [
      { name: rowColumns.series, type: { kind: 'int32' }, nullable: false },
      ...key.map((name) => storedColumn(columnDef(def, name))),
    ],
    roles: null,
  };
}

/** The three physical tables of a rollup's bars; all have the same columns. */
export function barTables(id: number, plan: RollupPlan, time: ColumnDef): StoredTable[] {
  const columns = storedBarColumns(plan, time);
  const roles = { series: barColumns.series, time: time.name, version: barColumns.lsn };
  return [tableRole.rows, tableRole.open, tableRole.live].map((role) => ({
    id: physicalId(id, role),
    columns,
    roles,
  }));
}

/** What SQL sees under a ticks, bars or state table's name: the declared columns in the declared order. */
export function rowsView(id: number, def: TableDef): StoredView {
  const source = (column: ColumnDef): ViewSource =>
    def.seriesKey.includes(column.name)
      ? { from: 'series', column: column.name }
      : { from: 'row', column: column.name };
  return {
    name: def.name,
    columns: def.columns.map((column) => ({ name: column.name, source: source(column) })),
    tables: [physicalId(id, tableRole.rows)],
    seriesTable: def.seriesKey.length > 0 ? physicalId(id, tableRole.series) : null,
  };
}

/** A plain table under its name. */
export function plainView(id: number, def: TableDef): StoredView {
  const columns = def.columns.map(({ name }) => ({ name, source: { from: 'row', column: name } as const }));
  return { name: def.name, columns, tables: [physicalId(id, tableRole.rows)], seriesTable: null };
}

/** A rollup as its view needs it. */
export interface RollupLayout {
  id: number;
  name: string;
  plan: RollupPlan;
  /** Group columns, and the entry whose dictionary holds them. */
  groupKey: string[];
  dictionaryId: number;
  time: ColumnDef;
}

/**
 * What SQL sees under a rollup's name: time, group columns, aggregates, of closed and live bars. `increase`
 * columns exist in reads only.
 */
export function rollupView(rollup: RollupLayout): StoredView {
  const { id, name, plan, groupKey, dictionaryId, time } = rollup;
  const outputs = plan.outputs.filter((output) => output.source.from !== 'increase');
  return {
    name,
    columns: [
      { name: time.name, source: { from: 'row', column: time.name } },
      ...groupKey.map((key) => ({ name: key, source: { from: 'series', column: key } as const })),
      ...outputs.map((output) => ({ name: output.name, source: outputSource(plan, output) })),
    ],
    tables: [physicalId(id, tableRole.rows), physicalId(id, tableRole.live)],
    seriesTable: groupKey.length > 0 ? physicalId(dictionaryId, tableRole.series) : null,
  };
}

function outputSource(plan: RollupPlan, output: Output): ViewSource {
  const { source } = output;
  const terms = (index: number): string[] => {
    const slot = plan.slots[index];
    const names = slotColumns(slot).map(({ name }) => name);
    // What is beyond the store's decimals SQL cannot show either.
    return isCompensated(slot) ? names : names.slice(0, 1);
  };
  switch (source.from) {
    case 'slot': {
      const columns = terms(source.slot);
      return columns.length > 1 ? { from: 'sum', terms: columns } : { from: 'row', column: columns[0] };
    }
    case 'rows':
      return { from: 'row', column: barColumns.rows };
    case 'avg':
      return { from: 'ratio', numerator: terms(source.sum), denominator: terms(source.count) };
    case 'vwap':
      return { from: 'ratio', numerator: terms(source.product), denominator: terms(source.weight) };
    case 'first-time':
      return { from: 'row', column: barColumns.firstTime };
    case 'last-time':
      return { from: 'row', column: barColumns.lastTime };
    default:
      throw new Error('BUG: an increase has no stored column');
  }
}

function storedColumn(column: ColumnDef): StoredColumn {
  return { name: column.name, type: column.type, nullable: column.nullable !== false };
}
