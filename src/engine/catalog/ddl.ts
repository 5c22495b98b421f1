/**
 * Changes of the catalog. Each is made with no writer inside and is one commit of the store, so a crash leaves
 * the old state or the new.
 */
import { CandelaError } from '../../core/errors.ts';
import type { ColumnDef, DedupDef, RollupDef, TableDef } from '../../market/schema.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { TableChange } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Gate } from '../write/gate.ts';
import { withGaps, withRoles } from './alter-reads.ts';
import type { Entry, PlainEntry, RowsEntry } from './catalog.ts';
import { checkColumn, checkRetention, checkTable } from './check-table.ts';
import { createOps, detach, dropOps, publishOps, tableEntry } from './entries.ts';
import { isRowColumn, physicalId, tableRole } from './layout.ts';

/** Key of the document with the next free entry number. */
export const nextIdKey = 'next-id';

/** What changes of the catalog need. */
export interface Ddl {
  state: EngineState;
  gate: Gate;
}

/** See `Database.createTable`. */
export function createTable(ddl: Ddl, def: TableDef): Promise<Entry> {
  const checked = checkTable(def);
  return ddl.gate.exclusive(async () => {
    const { catalog } = ddl.state;
    catalog.checkFree(checked.name);
    const entry = tableEntry(catalog.nextId, 1, checked);
    await commit(ddl, [...createOps(entry), ...publishOps(entry), nextIdOp(ddl)], () => {
      catalog.nextId++;
      catalog.add(entry);
    });
    return entry;
  });
}

/** Keeps the next free entry number, after so many are taken. */
export function nextIdOp({ state }: Ddl, taken = 1): StorageOp {
  return { op: 'put-doc', key: nextIdKey, value: String(state.catalog.nextId + taken) };
}

/** Commits the steps; `apply` changes memory accordingly before any other commit, such as a flush, looks at it. */
export function commit({ state }: Ddl, ops: StorageOp[], apply?: () => void): Promise<void> {
  return state.commits.run(async () => {
    await state.storage.commit(ops);
    apply?.();
  });
}

/** See `Database.alterTable`. */
export function alterTable(ddl: Ddl, name: string, change: TableChange): Promise<Entry> {
  return ddl.gate.exclusive(async () => {
    const entry = ddl.state.catalog.find(name);
    if ('roles' in change) return redefine(ddl, entry, withRoles(entry, change.roles));
    if ('gaps' in change) return redefine(ddl, entry, withGaps(entry, change.gaps));
    if ('retention' in change) return setAge(ddl, entry, 'retention', change.retention);
    if ('coldAfter' in change) return setAge(ddl, entry, 'coldAfter', change.coldAfter);
    if (entry.kind === 'rollup')
      throw new CandelaError('UNSUPPORTED', `'${name}' is a rollup: its columns cannot be changed`);
    const { def, ops } =
      'addColumn' in change ? withColumn(entry, change.addColumn) : withDedup(entry, change.dedup);
    const changed: Entry = { ...entry, def, version: entry.version + 1 };
    await commit(ddl, [...ops, ...publishOps(changed)], () => {
      if (entry.kind === 'rows') entry.table.redefine(def);
      // Rollups hold on to the entry of their ticks table, so it is changed in place.
      Object.assign(entry, changed);
    });
    return entry;
  });
}

interface Redefinition {
  def: TableDef;
  ops: StorageOp[];
}

function withColumn(entry: RowsEntry | PlainEntry, added: ColumnDef): Redefinition {
  const column: ColumnDef = { ...added, nullable: true };
  checkColumn(entry.def, column);
  if (added.nullable === false) {
    throw new CandelaError(
      'INVALID_SCHEMA',
      `column '${column.name}' must be nullable: the rows that are there have no value for it`,
    );
  }
  const def = checkTable({ ...entry.def, columns: [...entry.def.columns, column] });
  const table = physicalId(entry.id, tableRole.rows);
  const isStored = entry.kind === 'plain' || isRowColumn(def, column);
  return { def, ops: isStored ? [{ op: 'add-column', table, column: { ...column, nullable: true } }] : [] };
}

function withDedup({ def }: RowsEntry | PlainEntry, dedup: DedupDef | null): Redefinition {
  const { dedup: _, ...others } = def;
  return { def: checkTable(dedup === null ? others : { ...others, dedup }), ops: [] };
}

/** The job that drops and moves old rows looks at the definition when it runs. */
async function setAge(
  ddl: Ddl,
  entry: Entry,
  name: 'retention' | 'coldAfter',
  duration: string | null,
): Promise<Entry> {
  const others = Object.fromEntries(Object.entries(entry.def).filter(([key]) => key !== name));
  const def = (duration === null ? others : { ...others, [name]: duration }) as unknown as TableDef;
  if (entry.kind === 'rollup') {
    if (name === 'coldAfter')
      throw new CandelaError('UNSUPPORTED', `'${def.name}' is a rollup: only ticks go to files`);
    checkRetention(def);
  } else checkTable(def);
  return redefine(ddl, entry, def);
}

/** Gives an entry another definition, of the same columns. */
async function redefine(ddl: Ddl, entry: Entry, def: TableDef | RollupDef): Promise<Entry> {
  const changed = { ...entry, def, version: entry.version + 1 } as Entry;
  await commit(ddl, publishOps(changed), () => {
    if (entry.kind === 'rows') entry.table.redefine(def as TableDef);
    Object.assign(entry, { def, version: changed.version });
  });
  return entry;
}

/** See `Database.dropTable`. */
export function dropTable(ddl: Ddl, name: string): Promise<void> {
  return ddl.gate.exclusive(async () => {
    const { catalog, bus, batchIds } = ddl.state;
    const entry = catalog.find(name);
    const users = catalog.rollups().filter((rollup) => rollup.def.source === name);
    if (users.length > 0) {
      throw new CandelaError(
        'TABLE_IN_USE',
        `'${name}' is read by ${users.map(({ def }) => `'${def.name}'`).join(', ')}`,
      );
    }
    await commit(ddl, [...dropOps(entry), ...batchIds.of(entry.id).dropOps()], () => {
      batchIds.forget(entry.id);
      if (entry.kind === 'rollup') detach(entry);
      catalog.remove(entry);
    });
    bus.closeAll(name);
  });
}
