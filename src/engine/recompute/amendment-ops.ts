/** A planned amendment as steps of one commit. */
import { concatColumns, widenInt32 } from '../../market/column-ops.ts';
import { type ColumnData, columnOf, takeRows } from '../../market/columns.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { RowsEntry } from '../catalog/catalog.ts';
import { ownsGroups } from '../catalog/entries.ts';
import { physicalId, rowColumns, tableRole } from '../catalog/layout.ts';
import { planSeries } from '../flush/pending-rows.ts';
import { toStored } from '../rollup/stored-bars.ts';
import { barsTarget } from '../tables/bars-target.ts';
import { storedTimeName } from '../tables/row-table.ts';
import type { Amendment } from './amendment.ts';
import { noBar } from './buckets.ts';
import type { LevelChange } from './level-change.ts';

/** Takes rows away and gives others their new values. */
export function rowOps(
  entry: RowsEntry,
  { series, timesNs, arrivals, isGone, columns }: Amendment,
): StorageOp[] {
  const table = physicalId(entry.id, tableRole.rows);
  const key = [rowColumns.series, storedTimeName(entry.def), rowColumns.version];
  const keys: ColumnData[] = [
    { kind: 'int64', values: widenInt32(series) },
    { kind: 'timestamp', values: timesNs },
    { kind: 'int64', values: arrivals },
  ];
  const rows = Int32Array.from(series.keys());
  const take = (from: ColumnData[], wanted: Int32Array): ColumnData[] =>
    from.map((column) => takeRows(column, wanted));
  const gone = rows.filter((row) => isGone[row] === 1);
  const changed = rows.filter((row) => isGone[row] === 0);
  const ops: StorageOp[] = [];
  if (gone.length > 0)
    ops.push({ op: 'delete', table, key, columns: take(keys, gone), rowCount: gone.length });
  if (changed.length > 0) {
    const whole = take([...keys, ...columns], changed);
    ops.push({ op: 'replace', table, key, columns: whole, rowCount: changed.length });
  }
  return ops;
}

/** Stores a level as it will be. */
export function levelOps({ entry, bars, closed, open }: LevelChange, lsn: number): StorageOp[] {
  const { id, node, groups } = entry;
  const { seriesName, timeName } = barsTarget(entry);
  const table = physicalId(id, tableRole.rows);
  const key = [seriesName, timeName];
  const changed: number[] = [];
  const gone: { group: number; start: number }[] = [];
  for (const [group, byStart] of closed) {
    for (const [start, row] of byStart) {
      if (row === noBar) gone.push({ group, start });
      else changed.push(row);
    }
  }
  const ops = ownsGroups(entry) ? planSeries(id, groups.index, groups.storedCount, groups.index.count) : [];
  if (gone.length > 0) {
    const columns: ColumnData[] = [
      { kind: 'int64', values: widenInt32(Int32Array.from(gone, ({ group }) => group)) },
      columnOf(
        'timestamp',
        gone.map(({ start }) => BigInt(start)),
      ),
    ];
    ops.push({ op: 'delete', table, key, columns, rowCount: gone.length });
  }
  if (changed.length > 0) {
    const columns = toStored(bars, Int32Array.from(changed), lsn);
    ops.push({ op: 'replace', table, key, columns, rowCount: changed.length });
  }
  if (open.size === 0) return ops;
  const kept: number[] = [];
  for (let group = 0; group < node.groupCount; group++)
    if (node.open.rows[group] > 0 && !open.has(group)) kept.push(group);
  const others = toStored(node.open, Int32Array.from(kept), lsn);
  const rows = [...open.values()].filter((row) => row !== noBar);
  const own = toStored(bars, Int32Array.from(rows), lsn);
  ops.push({
    op: 'rewrite',
    table: physicalId(id, tableRole.open),
    columns: others.map((column, i) => concatColumns([column, own[i]])),
    rowCount: kept.length + rows.length,
  });
  return ops;
}
