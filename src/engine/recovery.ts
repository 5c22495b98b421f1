/**
 * Recovery: the catalog and the state of memory as of the store's log position, from the store. The caller then
 * replays the
 * log after that position through the ordinary apply step, which brings memory to where it was.
 */
import { CandelaError } from '../core/errors.ts';
import { narrowToInt32 } from '../market/column-ops.ts';
import type { ColumnData } from '../market/columns.ts';
import type { Storage } from '../storage/storage.ts';
import type { RetentionDocument } from './aging/retention.ts';
import type { EntryDocument, RollupEntry, RowsEntry } from './catalog/catalog.ts';
import { Catalog } from './catalog/catalog.ts';
import { nextIdKey } from './catalog/ddl.ts';
import { attach, ownsGroups, rollupEntry, tableEntry } from './catalog/entries.ts';
import { physicalId, retentionKey, rowColumns, tableRole } from './catalog/layout.ts';
import type { PositionDocument } from './flush/flusher.ts';
import { positionKey } from './flush/flusher.ts';
import { fromStored } from './rollup/stored-bars.ts';
import type { SeriesIndex } from './series/series-index.ts';
import { barsTarget } from './tables/bars-target.ts';
import { storedTimeName } from './tables/row-table.ts';
import { BatchIds } from './write/batch-ids.ts';

/** What the store held. */
export interface Recovered {
  catalog: Catalog;
  batchIds: BatchIds;
  /** Replay the log after this. */
  lsn: number;
}

/** Reads the store. Throws `CORRUPT_STORE` if its documents contradict each other. */
export async function recover(storage: Storage): Promise<Recovered> {
  const documents = await storage.documents();
  const position = parse<PositionDocument>(documents, positionKey) ?? { lsn: 0, nextRows: {} };
  const catalog = new Catalog();
  catalog.nextId = parse<number>(documents, nextIdKey) ?? 1;
  const entries = [...documents.keys()]
    .filter((key) => key.startsWith('table/'))
    .map((key) => parse<EntryDocument>(documents, key) as EntryDocument)
    // A rollup's source has the lower number.
    .sort((a, b) => a.id - b.id);
  for (const document of entries) {
    if (document.table) await restoreTable(storage, catalog, document, position.nextRows[document.id] ?? 0);
    else await restoreRollup(storage, catalog, document);
  }
  for (const entry of catalog.all()) {
    const retention = parse<RetentionDocument>(documents, retentionKey(entry.id));
    if (!retention || entry.kind === 'plain') continue;
    const target = entry.kind === 'rows' ? entry.table : entry.node;
    target.droppedBeforeNs = BigInt(retention.droppedBeforeNs);
  }
  return { catalog, batchIds: BatchIds.from(documents), lsn: position.lsn };
}

function parse<T>(documents: Map<string, string>, key: string): T | undefined {
  const text = documents.get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new CandelaError('CORRUPT_STORE', `the store's document '${key}' is not valid JSON`, { cause });
  }
}

async function restoreTable(
  storage: Storage,
  catalog: Catalog,
  document: EntryDocument,
  nextRow: number,
): Promise<void> {
  if (!document.table) return;
  const entry = tableEntry(document.id, document.version, document.table, nextRow);
  catalog.add(entry);
  if (entry.kind !== 'rows') return;
  await restoreSeries(storage, entry.table.series, document.id);
  entry.table.storedSeries = entry.table.series.count;
  entry.table.durableSeries = entry.table.series.count;
  await restoreLatest(storage, entry);
}

/** The dictionary, in the order of its numbers. */
async function restoreSeries(storage: Storage, index: SeriesIndex, id: number): Promise<void> {
  if (index.key.length === 0) return;
  const names = [rowColumns.series, ...index.key.map(({ name }) => name)];
  const set = await storage.readAll(physicalId(id, tableRole.series), names);
  index.restore(0, set.columns.slice(1), set.rowCount);
  if (index.count !== set.rowCount) {
    throw new CandelaError(
      'CORRUPT_STORE',
      `the series dictionary of table ${id} has ${set.rowCount} rows but ${index.count} keys`,
    );
  }
}

async function restoreLatest(storage: Storage, { table, id, def }: RowsEntry): Promise<void> {
  const names = [
    rowColumns.series,
    storedTimeName(def),
    rowColumns.version,
    ...table.rowColumns.map((column) => column.def.name),
  ];
  const set = await storage.lastRows(physicalId(id, tableRole.rows), names);
  const series = narrowToInt32(longs(set.columns[0]));
  const times = longs(set.columns[1]);
  const arrivals = longs(set.columns[2]);
  for (let row = 0; row < set.rowCount; row++) {
    table.restoreLatest(series[row], times[row], Number(arrivals[row]), set.columns.slice(3), row);
  }
}

function longs(column: ColumnData): BigInt64Array {
  return (column as { values: BigInt64Array }).values;
}

async function restoreRollup(storage: Storage, catalog: Catalog, document: EntryDocument): Promise<void> {
  if (!document.rollup) return;
  const entry = rollupEntry(catalog, document.id, document.version, document.rollup);
  catalog.add(entry);
  entry.node.filledFrom = document.backfill?.filledFrom ?? Number.NEGATIVE_INFINITY;
  entry.node.storedFilledFrom = entry.node.filledFrom;
  attach(entry);
  if (ownsGroups(entry)) {
    await restoreSeries(storage, entry.groups.index, entry.id);
    entry.groups.storedCount = entry.groups.index.count;
  }
  await restoreBars(storage, entry);
}

async function restoreBars(storage: Storage, entry: RollupEntry): Promise<void> {
  const { node } = entry;
  node.reserveGroups(entry.groups.index.count);
  const { storedColumns } = barsTarget(entry);
  const closed = await storage.lastRows(physicalId(entry.id, tableRole.rows), storedColumns);
  const newest = fromStored(node.plan, closed.columns, closed.rowCount).partials;
  for (let row = 0; row < newest.length; row++) node.restoreClosed(newest, row);
  const stored = await storage.readAll(physicalId(entry.id, tableRole.open), storedColumns);
  const open = fromStored(node.plan, stored.columns, stored.rowCount).partials;
  for (let row = 0; row < open.length; row++) node.restoreOpen(open, row);
}
