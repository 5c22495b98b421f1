import type { ColumnDef } from '../../market/schema.ts';
import type { TableInfo } from '../database.ts';
import type { Entry, RollupEntry } from './catalog.ts';
import { columnDef } from './layout.ts';

/** What `Database.tables` tells of an entry. A rollup shows as a bars table with its visible columns. */
export function tableInfo(entry: Entry): TableInfo {
  const { version } = entry;
  switch (entry.kind) {
    case 'rows': {
      const { series, hot } = entry.table;
      return {
        ...entry.def,
        version,
        seriesCount: series.count,
        rowCount: hot.nextRow,
        rollup: null,
        backfill: null,
      };
    }
    case 'plain':
      return { ...entry.def, version, seriesCount: 0, rowCount: -1, rollup: null, backfill: null };
    default:
      return rollupInfo(entry);
  }
}

function rollupInfo({ version, def, ticks, node, groups, time }: RollupEntry): TableInfo {
  const keys = groups.key.map((name) => columnDef(ticks.def, name));
  const outputs: ColumnDef[] = node.plan.outputs.map(({ name, type }) => ({ name, type, nullable: true }));
  return {
    name: def.name,
    kind: 'bars',
    columns: [time, ...keys, ...outputs],
    timeColumn: time.name,
    seriesKey: groups.key,
    version,
    seriesCount: groups.index.count,
    rowCount: -1,
    rollup: def,
    backfill:
      node.completeFrom === Number.NEGATIVE_INFINITY ? null : { doneDownToNs: BigInt(node.completeFrom) },
  };
}
