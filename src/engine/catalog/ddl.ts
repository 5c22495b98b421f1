/**
 * Changes of the catalog. Each is made with no writer inside and is one commit of the store, so a crash leaves
 * the old state or the new.
 */
import { CandelaError } from '../../core/errors.ts';
import { bucketingOptions, createBucketing, divides } from '../../market/bucketing.ts';
import type { CandlesDef, ColumnDef, RollupDef, TableDef } from '../../market/schema.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { TableChange } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Flusher } from '../flush/flusher.ts';
import { backfill } from '../rollup/backfill.ts';
import type { Gate } from '../write/gate.ts';
import type { Entry, RollupEntry } from './catalog.ts';
import { documentKey, documentOf } from './catalog.ts';
import { checkColumn, checkName, checkTable } from './check-table.ts';
import { attach, createOps, detach, dropOps, publishOps, rollupEntry, tableEntry } from './entries.ts';
import { isRowColumn, physicalId, tableRole } from './layout.ts';

/** Key of the document with the next free entry number. */
export const nextIdKey = 'next-id';

/** What changes of the catalog need. */
export interface Ddl {
  state: EngineState;
  flusher: Flusher;
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

function nextIdOp({ state }: Ddl): StorageOp {
  return { op: 'put-doc', key: nextIdKey, value: String(state.catalog.nextId + 1) };
}

/** Commits the steps; `apply` changes memory accordingly before any other commit, such as a flush, looks at it. */
function commit({ state }: Ddl, ops: StorageOp[], apply?: () => void): Promise<void> {
  return state.commits.run(async () => {
    await state.storage.commit(ops);
    apply?.();
  });
}

/** See `Database.alterTable`. */
export function alterTable(ddl: Ddl, name: string, change: TableChange): Promise<Entry> {
  return ddl.gate.exclusive(async () => {
    const entry = ddl.state.catalog.find(name);
    if (entry.kind === 'rollup')
      throw new CandelaError('UNSUPPORTED', `'${name}' is a rollup: its columns cannot be changed`);
    const column: ColumnDef = { ...change.addColumn, nullable: true };
    checkColumn(entry.def, column);
    if (change.addColumn.nullable === false) {
      throw new CandelaError(
        'INVALID_SCHEMA',
        `column '${column.name}' must be nullable: the rows that are there have no value for it`,
      );
    }
    const def = checkTable({ ...entry.def, columns: [...entry.def.columns, column] });
    const changed: Entry = { ...entry, def, version: entry.version + 1 };
    const table = physicalId(entry.id, tableRole.rows);
    const isStored = entry.kind === 'plain' || isRowColumn(def, column);
    const ops: StorageOp[] = [
      ...(isStored ? [{ op: 'add-column' as const, table, column: { ...column, nullable: true } }] : []),
      ...publishOps(changed),
    ];
    await commit(ddl, ops, () => {
      if (entry.kind === 'rows') entry.table.addColumn(def);
      // Rollups hold on to the entry of their ticks table, so it is changed in place.
      Object.assign(entry, changed);
    });
    return entry;
  });
}

/** See `Database.dropTable`. */
export function dropTable(ddl: Ddl, name: string): Promise<void> {
  return ddl.gate.exclusive(async () => {
    const { catalog, bus } = ddl.state;
    const entry = catalog.find(name);
    const users = catalog.rollups().filter((rollup) => rollup.def.source === name);
    if (users.length > 0) {
      throw new CandelaError(
        'TABLE_IN_USE',
        `'${name}' is read by ${users.map(({ def }) => `'${def.name}'`).join(', ')}`,
      );
    }
    await commit(ddl, dropOps(entry), () => {
      if (entry.kind === 'rollup') detach(entry);
      catalog.remove(entry);
    });
    bus.closeAll(name);
  });
}

/** See `Database.createRollup`. */
export function createRollup(ddl: Ddl, def: RollupDef): Promise<Entry> {
  checkName(def.name, 'rollup');
  for (const aggregate of def.aggregates) checkName(aggregate.name, `column of '${def.name}'`);
  if (def.timeColumn !== undefined) checkName(def.timeColumn, `column of '${def.name}'`);
  return ddl.gate.exclusive(() => buildRollup(ddl, def));
}

/** Builds a rollup with no writer inside; the document marks it unfinished until the first fill is stored. */
async function buildRollup(ddl: Ddl, def: RollupDef): Promise<RollupEntry> {
  const { state, flusher } = ddl;
  const { catalog } = state;
  catalog.checkFree(def.name);
  const entry = rollupEntry(catalog, catalog.nextId, 1, def);
  const marker: StorageOp = { op: 'put-doc', key: documentKey(entry.id), value: documentOf(entry, true) };
  await commit(ddl, [...createOps(entry), marker, nextIdOp(ddl)], () => {
    catalog.nextId++;
  });
  try {
    await flusher.flush();
    await backfill(state, entry);
    await commit(ddl, publishOps(entry), () => {
      attach(entry);
      catalog.add(entry);
    });
    return entry;
  } catch (error) {
    await commit(
      ddl,
      dropOps(entry).filter(({ op }) => op !== 'drop-view'),
    );
    throw error;
  }
}

/** See `Database.createCandles`. */
export async function createCandles(ddl: Ddl, def: CandlesDef): Promise<Entry[]> {
  const options = bucketingOptions(def);
  const bucketings = def.timeframes
    .map((timeframe) => createBucketing(timeframe, options))
    .sort((a, b) => a.timeframe.widthNs - b.timeframe.widthNs);
  if (bucketings.length === 0)
    throw new CandelaError('INVALID_ARGUMENT', `candles of '${def.source}': no timeframes are given`);
  // All of them before the first is made: a name that is taken must not leave half of the timeframes behind.
  for (const { timeframe } of bucketings) ddl.state.catalog.checkFree(`${def.source}_${timeframe.text}`);
  const made: Entry[] = [];
  for (const [index, bucketing] of bucketings.entries()) {
    const finer = bucketings.slice(0, index).findLast((candidate) => divides(candidate, bucketing));
    const timeframe = bucketing.timeframe.text;
    const rollup: RollupDef = {
      name: `${def.source}_${timeframe}`,
      source: finer ? `${def.source}_${finer.timeframe.text}` : def.source,
      timeframe,
      ...options,
      aggregates: finer ? continuedCandle(def) : candleOf(def),
      ...(def.gaps === undefined ? {} : { gaps: def.gaps }),
    };
    made.push(await createRollup(ddl, rollup));
  }
  return made;
}

function candleOf({ price, volume, cumulativeVolume }: CandlesDef): RollupDef['aggregates'] {
  return [
    { name: 'open', fn: 'first', of: price },
    { name: 'high', fn: 'max', of: price },
    { name: 'low', fn: 'min', of: price },
    { name: 'close', fn: 'last', of: price },
    ...(volume === undefined ? [] : [{ name: 'volume', fn: 'sum', of: volume } as const]),
    ...(cumulativeVolume === undefined
      ? []
      : [
          { name: 'volume', fn: 'increase', of: cumulativeVolume } as const,
          { name: cumulativeVolume, fn: 'last', of: cumulativeVolume } as const,
        ]),
    ...(volume === undefined ? [] : [{ name: 'vwap', fn: 'vwap', of: price, weight: volume } as const]),
    { name: 'trades', fn: 'count' },
  ];
}

/** The same columns out of candles of a shorter timeframe. */
function continuedCandle(def: CandlesDef): RollupDef['aggregates'] {
  return candleOf(def).map((aggregate) => {
    if (aggregate.fn === 'count') return { name: aggregate.name, fn: 'sum', of: aggregate.name };
    if (aggregate.fn === 'vwap') return { ...aggregate, of: aggregate.name, weight: 'volume' };
    return { ...aggregate, of: aggregate.name };
  });
}
