/** From a checked definition to a catalog entry at run time. */
import { CandelaError } from '../../core/errors.ts';
import type { RollupDef, TableDef } from '../../market/schema.ts';
import type { StorageOp } from '../../storage/storage.ts';
import { checkGaps } from '../read/gaps/gap-mode.ts';
import { planRollup } from '../rollup/plan.ts';
import { RollupNode } from '../rollup/rollup-node.ts';
import { SeriesIndex } from '../series/series-index.ts';
import { RowTable } from '../tables/row-table.ts';
import type { Catalog, Entry, Groups, PlainEntry, RollupEntry, RowsEntry } from './catalog.ts';
import { documentKey, documentOf, rollupTime } from './catalog.ts';
import { checkRole } from './check-table.ts';
import {
  barTables,
  columnDef,
  physicalId,
  plainTable,
  plainView,
  retentionKey,
  rollupView,
  rowsTable,
  rowsView,
  sealKey,
  seriesTable,
  tableRole,
} from './layout.ts';

/** A table's entry; rows are numbered from `firstRow`. */
export function tableEntry(id: number, version: number, def: TableDef, firstRow = 0): RowsEntry | PlainEntry {
  if (def.kind === 'plain') return { kind: 'plain', id, version, def, writes: 0 };
  return { kind: 'rows', id, version, def, table: new RowTable(id, def, firstRow) };
}

/** A rollup's entry, not yet attached to its source. Throws `INVALID_SCHEMA`, `UNSUPPORTED` or `TABLE_NOT_FOUND`. */
export function rollupEntry(
  catalog: Pick<Catalog, 'find'>,
  id: number,
  version: number,
  def: RollupDef,
): RollupEntry {
  checkGaps(def.gaps, `rollup '${def.name}'`);
  const source = catalog.find(def.source);
  if (source.kind === 'plain' || (source.kind === 'rows' && source.def.kind !== 'ticks')) {
    throw new CandelaError(
      'UNSUPPORTED',
      `rollup '${def.name}': '${def.source}' is not a ticks table or a rollup`,
      {
        help: 'Rollups read append streams; rows that overwrite others cannot be taken out of a bar again.',
      },
    );
  }
  const ticks = source.kind === 'rollup' ? source.ticks : source;
  checkRoles(def, ticks.def);
  const time = rollupTime(def, ticks.def);
  const plan = planRollup(def, {
    name: def.source,
    tickColumns: ticks.def.columns,
    time,
    rollup: source.kind === 'rollup' ? source.node.plan : undefined,
  });
  const key = groupKey(def, source.kind === 'rollup' ? source.groups.key : ticks.def.seriesKey, ticks.def);
  checkNames(def, [time.name, ...key, ...def.aggregates.map(({ name }) => name)]);
  const groups = groupsOf(id, key, ticks, source.kind === 'rollup' ? source : undefined);
  // Groups of its own are not those of the source's bars, so such a rollup takes the ticks themselves: the same bars.
  const sharesSource = source.kind === 'rollup' && source.groups === groups;
  const node = new RollupNode(id, def.name, plan, sharesSource ? source.node : null);
  return { kind: 'rollup', id, version, def, ticks, node, groups, time };
}

function checkRoles({ name, roles = {} }: RollupDef, ticks: TableDef): void {
  for (const [column, role] of Object.entries(roles)) {
    const declared = ticks.columns.find((candidate) => candidate.name === column);
    if (declared) checkRole({ name }, { ...declared, role });
    else
      throw new CandelaError(
        'COLUMN_NOT_FOUND',
        `rollup '${name}', roles: '${ticks.name}' has no column '${column}'`,
      );
  }
}

function groupKey(def: RollupDef, byDefault: readonly string[], ticks: TableDef): string[] {
  const key = def.groupBy ?? [...byDefault];
  for (const name of key) {
    const column = ticks.columns.find((candidate) => candidate.name === name);
    if (!column)
      throw new CandelaError(
        'COLUMN_NOT_FOUND',
        `rollup '${def.name}', groupBy: '${ticks.name}' has no column '${name}'`,
      );
    if (column.type.kind !== 'text' && column.type.kind !== 'int64') {
      throw new CandelaError(
        'UNSUPPORTED',
        `rollup '${def.name}', groupBy: '${name}' is neither text nor int64`,
      );
    }
  }
  return key;
}

function groupsOf(id: number, key: string[], ticks: RowsEntry, source: RollupEntry | undefined): Groups {
  if (source && isSame(key, source.groups.key)) return source.groups;
  const { series } = ticks.table;
  if (isSame(key, ticks.def.seriesKey)) return { index: series, key, ownerId: ticks.id, storedCount: 0 };
  const columns = key.map((name) => ({ name, type: columnDef(ticks.def, name).type }));
  return { index: new SeriesIndex(columns), key, ownerId: id, storedCount: 0 };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function checkNames(def: RollupDef, names: string[]): void {
  const folded = names.map((name) => name.toLowerCase());
  const twice = names.find((_, index) => folded.indexOf(folded[index]) !== index);
  if (twice !== undefined)
    throw new CandelaError('INVALID_SCHEMA', `rollup '${def.name}': column '${twice}' is there twice`);
}

/** Hangs a rollup on what it reads from. */
export function attach({ node, ticks, groups }: RollupEntry): void {
  if (node.source) {
    node.source.children.push(node);
    node.reserveGroups(node.source.groupCount);
  } else ticks.table.addRoot(node, groups);
}

/** Takes a rollup off again. */
export function detach({ node, ticks }: RollupEntry): void {
  if (node.source) node.source.children = node.source.children.filter((child) => child !== node);
  else ticks.table.removeRoot(node);
}

/** Does the rollup keep a group dictionary of its own? */
export function ownsGroups(entry: RollupEntry): boolean {
  return entry.groups.ownerId === entry.id;
}

/** Steps that create an entry's physical tables. */
export function createOps(entry: Entry): StorageOp[] {
  switch (entry.kind) {
    case 'rows':
      return [
        { op: 'create-table', table: rowsTable(entry.id, entry.def) },
        { op: 'create-table', table: seriesTable(entry.id, entry.def, entry.def.seriesKey) },
      ];
    case 'plain':
      return [{ op: 'create-table', table: plainTable(entry.id, entry.def) }];
    default: {
      const tables = barTables(entry.id, entry.node.plan, entry.time);
      if (ownsGroups(entry)) tables.push(seriesTable(entry.id, entry.ticks.def, entry.groups.key));
      return tables.map((table) => ({ op: 'create-table', table }));
    }
  }
}

/** Steps that show an entry to SQL and keep its document. */
export function publishOps(entry: Entry): StorageOp[] {
  return [
    { op: 'put-view', view: viewOf(entry) },
    { op: 'put-doc', key: documentKey(entry.id), value: documentOf(entry) },
  ];
}

function viewOf(entry: Entry): Extract<StorageOp, { op: 'put-view' }>['view'] {
  switch (entry.kind) {
    case 'rows':
      return rowsView(entry.id, entry.def);
    case 'plain':
      return plainView(entry.id, entry.def);
    default:
      return rollupView({
        id: entry.id,
        name: entry.def.name,
        plan: entry.node.plan,
        groupKey: entry.groups.key,
        dictionaryId: entry.groups.ownerId,
        time: entry.time,
      });
  }
}

/** Steps that remove an entry. */
export function dropOps(entry: Entry): StorageOp[] {
  const roles: number[] = {
    rows: [tableRole.rows, tableRole.series],
    plain: [tableRole.rows],
    rollup: [tableRole.rows, tableRole.open, tableRole.live],
  }[entry.kind];
  if (entry.kind === 'rollup' && ownsGroups(entry)) roles.push(tableRole.series);
  return [
    { op: 'drop-view', name: entry.def.name },
    ...roles.map((role) => ({ op: 'drop-table' as const, table: physicalId(entry.id, role) })),
    { op: 'delete-doc', key: documentKey(entry.id) },
    { op: 'delete-doc', key: sealKey(entry.id) },
    { op: 'delete-doc', key: retentionKey(entry.id) },
  ];
}
