/**
 * The catalog: every table, plain table and rollup by name, with its definition as it is kept in the store.
 *
 * An entry's document lies in the store under `table/<id>` and is written in the same commit as the physical tables it
 * describes; `nextId` is kept apart so that numbers are never reused.
 */
import { must } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import type { ColumnDef, RollupDef, TableDef } from '../../market/schema.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import type { SeriesIndex } from '../series/series-index.ts';
import type { RowTable } from '../tables/row-table.ts';
import { columnDef } from './layout.ts';

/** A ticks, bars or state table. */
export interface RowsEntry {
  kind: 'rows';
  id: number;
  version: number;
  def: TableDef;
  table: RowTable;
}

/** A plain table. */
export interface PlainEntry {
  kind: 'plain';
  id: number;
  version: number;
  def: TableDef;
  /** Counts writes since the start, so that what was made of the rows knows when they change (the write path). */
  writes: number;
}

/** The groups of a rollup: usually the series of its ticks table, else numbered by themselves. */
export interface Groups {
  index: SeriesIndex;
  /** Names of the group columns, in the order of the index's key. */
  key: string[];
  /** Catalog id of the entry whose series dictionary holds them. */
  ownerId: number;
  /** Groups the store's dictionary holds; counted for dictionaries of a rollup's own. */
  storedCount: number;
}

/** A rollup and the ticks table it comes from. */
export interface RollupEntry {
  kind: 'rollup';
  id: number;
  version: number;
  def: RollupDef;
  ticks: RowsEntry;
  node: RollupNode;
  groups: Groups;
  /** The bucket-start column. */
  time: ColumnDef;
}

/** What a name stands for. */
export type Entry = RowsEntry | PlainEntry | RollupEntry;

/** An entry as it is stored. */
export interface EntryDocument {
  id: number;
  version: number;
  table?: TableDef;
  rollup?: RollupDef;
  /** Set while a rollup is filled from history: see `RollupNode.filledFrom`. */
  backfill?: { filledFrom: number };
}

/** Key of an entry's document. */
export function documentKey(id: number): string {
  return `table/${id}`;
}

/** The entry as a document. */
export function documentOf(entry: Entry): string {
  const { id, version } = entry;
  if (entry.kind !== 'rollup')
    return JSON.stringify({ id, version, table: entry.def } satisfies EntryDocument);
  const { filledFrom } = entry.node;
  const document: EntryDocument = { id, version, rollup: entry.def };
  return JSON.stringify(
    filledFrom === Number.NEGATIVE_INFINITY ? document : { ...document, backfill: { filledFrom } },
  );
}

/** See the head of this file. */
export class Catalog {
  readonly #entries = new Map<string, Entry>();
  readonly #byNode = new Map<RollupNode, RollupEntry>();
  nextId = 1;

  get(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  /** The entry of that name. Throws `TABLE_NOT_FOUND`. */
  find(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${name}'`);
  }

  /**
   * The ticks, bars or state table of that name. Throws `TABLE_NOT_FOUND`, or `UNSUPPORTED` if it is another
   * kind of thing.
   */
  findRows(name: string, purpose: string): RowsEntry {
    const entry = this.find(name);
    if (entry.kind === 'rows') return entry;
    const what = entry.kind === 'rollup' ? 'a rollup' : 'a plain table';
    throw new CandelaError('UNSUPPORTED', `'${name}' is ${what}: it cannot ${purpose}`);
  }

  /** Throws `TABLE_EXISTS` if the name is taken. Names that differ only in case would be one view in SQL. */
  checkFree(name: string): void {
    const lower = name.toLowerCase();
    for (const taken of this.#entries.keys()) {
      if (taken.toLowerCase() === lower)
        throw new CandelaError('TABLE_EXISTS', `there is a table '${taken}' already`);
    }
  }

  add(entry: Entry): void {
    this.#entries.set(entry.def.name, entry);
    if (entry.kind === 'rollup') this.#byNode.set(entry.node, entry);
  }

  remove(entry: Entry): void {
    this.#entries.delete(entry.def.name);
    if (entry.kind === 'rollup') this.#byNode.delete(entry.node);
  }

  all(): Entry[] {
    return [...this.#entries.values()];
  }

  /** Every ticks, bars and state table. */
  rows(): RowsEntry[] {
    return this.all().filter((entry) => entry.kind === 'rows');
  }

  /** Every rollup, lower levels before those built on them. */
  rollups(): RollupEntry[] {
    return this.all()
      .filter((entry) => entry.kind === 'rollup')
      .sort((a, b) => a.node.levels.length - b.node.levels.length || a.id - b.id);
  }

  /** Rollups of a ticks table. */
  rollupsOf(ticks: RowsEntry): RollupEntry[] {
    return this.rollups().filter((entry) => entry.ticks === ticks);
  }

  /** The entry of a rollup at run time. */
  entryOf(node: RollupNode): RollupEntry {
    return must(this.#byNode.get(node), `entry of rollup ${node.name}`);
  }
}

/** Name and type of a rollup's bucket-start column. */
export function rollupTime(def: RollupDef, ticks: TableDef): ColumnDef {
  const source = columnDef(ticks, must(ticks.timeColumn, 'time column of a ticks table'));
  return { name: def.timeColumn ?? source.name, type: source.type, nullable: false };
}
