/** What a flush does with the rows of a ticks, bars or state table that only memory holds. */

import { concatColumns, widenInt32 } from '../../market/column-ops.ts';
import type { ColumnData } from '../../market/columns.ts';
import { takeRows } from '../../market/columns.ts';
import type { StorageOp } from '../../storage/storage.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import type { SeriesIndex } from '../series/series-index.ts';
import type { RowTable } from '../tables/row-table.ts';
import { storedTimeName } from '../tables/row-table.ts';

/**
 * Steps that store rows up to `toRow` and the series first seen since the last flush. The arrays are views of
 * memory that is not written again.
 */
export function planRows(table: RowTable, toRow: number): StorageOp[] {
  const ops = planSeries(table.id, table.series, table.storedSeries, table.durableSeries);
  const parts = partsOf(table, toRow);
  const id = physicalId(table.id, tableRole.rows);
  if (table.def.kind === 'ticks') {
    for (const columns of parts)
      ops.push({ op: 'append', table: id, columns, rowCount: rowCountOf(columns), given: madeColumns });
  } else if (parts.length > 0) {
    ops.push(replacement(table, id, parts));
  }
  return ops;
}

/** Steps that add series `from` … `to`-1 to the dictionary of the catalog entry `id`. */
export function planSeries(id: number, series: SeriesIndex, from: number, to: number): StorageOp[] {
  if (series.key.length === 0 || from >= to) return [];
  const numbers = widenInt32(Int32Array.from({ length: to - from }, (_, i) => from + i));
  const columns: ColumnData[] = [{ kind: 'int64', values: numbers }, ...series.columns(from, to)];
  return [{ op: 'append', table: physicalId(id, tableRole.series), columns, rowCount: to - from }];
}

/** Series and arrival numbers are made for the store, the other columns are views of memory. */
const madeColumns = [0, 2];

/** The pending rows as stored columns, a part per block. */
function partsOf(table: RowTable, toRow: number): ColumnData[][] {
  return table.hot.blocks.flatMap((block) => {
    const from = Math.max(table.hot.flushedRow - block.baseRow, 0);
    const to = Math.min(toRow - block.baseRow, block.length);
    if (from >= to) return [];
    const { payload } = block;
    return [
      [
        { kind: 'int64', values: widenInt32(block.series.subarray(from, to)) },
        { kind: 'timestamp', values: payload.timesNs.subarray(from, to) },
        { kind: 'int64', values: consecutive(block.baseRow + from, to - from) },
        ...payload.stores.map((store) => store.view(from, to)),
      ] as ColumnData[],
    ];
  });
}

function rowCountOf(columns: ColumnData[]): number {
  return (columns[0] as { values: BigInt64Array }).values.length;
}

/** first, first + 1, … as int64, by 32-bit halves. */
function consecutive(first: number, count: number): BigInt64Array {
  const values = new BigInt64Array(count);
  const words = new Uint32Array(values.buffer);
  for (let i = 0; i < count; i++) {
    const value = first + i;
    words[2 * i] = value;
    words[2 * i + 1] = Math.floor(value / 4294967296);
  }
  return values;
}

/** Bars and states: of each key the last row written takes the place of what is stored. */
function replacement(table: RowTable, id: number, parts: ColumnData[][]): StorageOp {
  const columns = parts[0].map((_, i) => concatColumns(parts.map((part) => part[i])));
  const isState = table.def.kind === 'state';
  const series = (columns[0] as { values: BigInt64Array }).values;
  const times = (columns[1] as { values: BigInt64Array }).values;
  const lastOf = new Map<string, number>();
  for (let row = 0; row < series.length; row++)
    lastOf.set(isState ? `${series[row]}` : `${series[row]}:${times[row]}`, row);
  const rows = Int32Array.from(lastOf.values()).sort();
  const key = isState ? [rowColumns.series] : [rowColumns.series, storedTimeName(table.def)];
  return {
    op: 'replace',
    table: id,
    key,
    columns: columns.map((column) => takeRows(column, rows)),
    rowCount: rows.length,
  };
}
