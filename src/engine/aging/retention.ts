/**
 * Retention: whole days of rows that are older than a table keeps are dropped, in one transaction with the document
 * that says up to where.
 *
 * Bars live by their own retention: dropping ticks changes none. A tick that comes for a time before the horizon still
 * goes into the bars, which merge it without its neighbours; as a tick it is shown to nobody and goes with the next
 * run. The last tick of a quiet series goes with its day like any other: what memory shows is what a restart would
 * find.
 */
import { parseDuration } from '../../market/duration.ts';
import type { TimeCount } from '../../storage/storage.ts';
import type { Entry, RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, retentionKey, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';

/** What is kept of it in the store, under `retentionKey`. */
export interface RetentionDocument {
  droppedBeforeNs: string;
}

/** What one look dropped. */
export interface Dropped {
  droppedBeforeNs: bigint;
  rowCount: number;
  chunkCount: number;
}

/** Chunks are days of UTC. */
export const chunkNs = 86_400_000_000_000n;

const timesMin = -(2n ** 63n);
const versionBelow = 2n ** 63n - 1n;

/** The first day that is kept whole or in part at a time `nowMs` by a table that keeps `duration`. */
export function firstKeptNs(nowMs: number, duration: string): bigint {
  const boundNs = BigInt(Math.floor(nowMs)) * 1_000_000n - parseDuration(duration, 'retention');
  return boundNs - (((boundNs % chunkNs) + chunkNs) % chunkNs);
}

/** Drops what a table or rollup does not keep any longer. Null if it keeps everything, or there is nothing to drop. */
export async function applyRetention(
  state: EngineState,
  entry: Entry,
  nowMs: number,
): Promise<Dropped | null> {
  if (entry.kind === 'plain' || entry.def.retention === undefined) return null;
  const cutNs = cutOf(entry, firstKeptNs(nowMs, entry.def.retention));
  return state.commits.run(() => dropBefore(state, entry, cutNs));
}

/** A bar is as old as its end. */
function cutOf(entry: RowsEntry | RollupEntry, keptNs: bigint): bigint {
  return entry.kind === 'rows' ? keptNs : BigInt(entry.node.plan.bucketing.bucketOf(Number(keptNs)).start);
}

async function dropBefore(
  state: EngineState,
  entry: RowsEntry | RollupEntry,
  cutNs: bigint,
): Promise<Dropped | null> {
  const { storage, catalog, counters, log } = state;
  // It may have been dropped while this waited, or told to keep everything.
  if (catalog.get(entry.def.name) !== entry || entry.def.retention === undefined) return null;
  const target = entry.kind === 'rows' ? entry.table : entry.node;
  // The clock may have gone back, or the retention have become longer: what is gone is gone.
  const droppedBeforeNs =
    target.droppedBeforeNs !== null && target.droppedBeforeNs > cutNs ? target.droppedBeforeNs : cutNs;
  const table = physicalId(entry.id, tableRole.rows);
  const range = { table, fromNs: timesMin, toNs: droppedBeforeNs };
  const chunks = await storage.countByTime({
    ...range,
    widthNs: chunkNs,
    versionFrom: timesMin,
    versionBelow,
  });
  const isNew = droppedBeforeNs !== target.droppedBeforeNs;
  if (chunks.length === 0 && !isNew) return null;
  const document: RetentionDocument = { droppedBeforeNs: String(droppedBeforeNs) };
  await storage.commit([
    ...(chunks.length > 0 ? [{ op: 'delete-range' as const, ...range }] : []),
    { op: 'put-doc', key: retentionKey(entry.id), value: JSON.stringify(document) },
  ]);
  target.droppedBeforeNs = droppedBeforeNs;
  const rowCount = rowsIn(chunks);
  counters.rowsDropped += rowCount;
  counters.chunksDropped += chunks.length;
  if (chunks.length === 0) return null;
  const dropped = { droppedBeforeNs, rowCount, chunkCount: chunks.length };
  const fields = { table: entry.def.name, ...dropped, droppedBeforeNs: String(droppedBeforeNs) };
  log.info(fields, 'retention dropped old rows');
  return dropped;
}

function rowsIn(chunks: readonly TimeCount[]): number {
  return chunks.reduce((rows, { rowCount }) => rows + rowCount, 0);
}
