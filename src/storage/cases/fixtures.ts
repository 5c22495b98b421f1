/** Tables, rows and requests that the cases share. */
import { type ColumnData, type ColumnSet, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { ScanRequest, StorageOp, StoredTable } from '../storage.ts';

/** Ticks as small as can be: series, time, version and a price. */
export const ticks: StoredTable = {
  id: 7,
  columns: [
    { name: '_series', type: { kind: 'int32' }, nullable: false },
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true }, nullable: false },
    { name: '_version', type: { kind: 'int64' }, nullable: false },
    { name: 'price', type: { kind: 'double' }, nullable: true },
  ],
  roles: { series: '_series', time: 'time', version: '_version' },
};

/** A tick: series, time, version, price. */
export type Tick = [series: number, timeNs: bigint, version: bigint, price: number | null];

/** Columns of {@link ticks}. */
export function tickColumns(rows: readonly Tick[]): ColumnData[] {
  return [
    columnOf(
      'int64',
      rows.map(([series]) => BigInt(series)),
    ),
    columnOf(
      'timestamp',
      rows.map(([, timeNs]) => timeNs),
    ),
    columnOf(
      'int64',
      rows.map(([, , version]) => version),
    ),
    columnOf(
      'double',
      rows.map(([, , , price]) => price),
    ),
  ];
}

/** A scan of everything, to be narrowed. */
export const scanAll: ScanRequest = {
  table: ticks.id,
  columns: ['_series', 'time', '_version', 'price'],
  series: null,
  fromNs: null,
  toNs: null,
  order: 'asc',
  limit: null,
  versionBelow: null,
  after: null,
};

/** Rows of a result. */
export function rowsOf(set: ColumnSet): Scalar[][] {
  return Array.from({ length: set.rowCount }, (_, row) => set.columns.map((column) => valueAt(column, row)));
}

/** Appends ticks. */
export function appendTicks(rows: readonly Tick[], table = ticks.id): StorageOp {
  return { op: 'append', table, columns: tickColumns(rows), rowCount: rows.length };
}

/** Creates {@link ticks}. */
export const createTicks: StorageOp = { op: 'create-table', table: ticks };
