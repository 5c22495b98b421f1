/**
 * The write path: admit → log → hot rows → rollups → bus → acknowledge.
 *
 * A batch is visible to readers and subscribers once the log has it as durable as the database was opened to
 * make it, in
 * the order of the log. Anything that can fail on account of the batch happens before the log.
 */
import { assert } from '../../core/assert.ts';
import { CandelaError } from '../../core/errors.ts';
import { lastRowsOfKey, nullColumn } from '../../market/column-ops.ts';
import type { Batch, ColumnData } from '../../market/columns.ts';
import { lengthOf, takeRows } from '../../market/columns.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { Publisher } from '../bus/publish.ts';
import type { PlainEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { WriteOptions, WriteResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Flusher } from '../flush/flusher.ts';
import { amend } from '../recompute/amend.ts';
import type { AppliedRows } from '../tables/row-table.ts';
import type { BatchAnswer, WalFrame } from '../wal/frame.ts';
import type { Admitted } from './admit.ts';
import { admit, columnKindOf } from './admit.ts';
import { allNew, type Resolved, resolveRows } from './dedup.ts';
import type { Gate } from './gate.ts';

/** What the write path needs besides the shared state. */
export interface WritePath {
  state: EngineState;
  flusher: Flusher;
  gate: Gate;
  publisher: Publisher;
}

/** The id that a batch came with, and what it is answered; empty and null without one. */
type BatchEnd = Pick<WalFrame, 'batchId' | 'answer'>;

/** Longest id of a batch. */
const batchIdLengthMax = 256;

/** Writes a batch; see `Database.write`. */
export function writeBatch(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<WriteResult> {
  const { batchId } = options;
  return batchId === undefined
    ? write(path, name, batch, options)
    : writeOnce(path, name, batch, { ...options, batchId });
}

/** Writes a batch with an id, unless that is known. */
async function writeOnce(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions & { batchId: string },
): Promise<WriteResult> {
  const { batchId } = options;
  checkBatchId(batchId);
  const ids = path.state.batchIds.of(path.state.catalog.find(name).id);
  for (let first = ids.inFlight.get(batchId); first; first = ids.inFlight.get(batchId)) await first;
  const known = ids.get(batchId);
  if (known) return { ...known, repeated: true, rejected: [] };
  const written = write(path, name, batch, options);
  const ended = written.then(
    () => undefined,
    () => undefined,
  );
  ids.inFlight.set(batchId, ended);
  try {
    return await written;
  } finally {
    ids.inFlight.delete(batchId);
  }
}

function checkBatchId(batchId: string): void {
  const isFit = batchId.length > 0 && batchId.length <= batchIdLengthMax && batchId.isWellFormed();
  if (!isFit)
    throw new CandelaError('INVALID_ARGUMENT', `a batch id needs 1 to ${batchIdLengthMax} characters`);
}

async function write(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<WriteResult> {
  const known = path.state.catalog.get(name);
  if (known?.kind === 'rows' && known.def.dedup) {
    // What is in the table must not change between looking and writing: one batch of the table after the other.
    const written = await known.table.turns.run(() => writeDistinct(path, name, batch, options));
    return written ?? path.gate.exclusive(() => writeAmending(path, name, batch, options));
  }
  const { state, flusher, gate } = path;
  await gate.enter();
  try {
    // Looked up after the wait: the table may have changed or gone meanwhile.
    const entry = writable(state, name);
    const admitted = admit(entry.def, batch, options.onInvalid ?? 'fail');
    if (entry.kind === 'plain') return await writePlain(state, entry, admitted, options);
    if (!entry.def.dedup) {
      await flusher.room();
      return await logNew(path, entry, admitted, { duplicates: 0, corrected: 0 }, options);
    }
  } finally {
    gate.leave();
  }
  // The table has got `dedup` meanwhile.
  return write(path, name, batch, options);
}

/** The table of that name, which rows can be written to. */
function writable(state: EngineState, name: string): RowsEntry | PlainEntry {
  const entry = state.catalog.find(name);
  if (entry.kind !== 'rollup') return entry;
  throw new CandelaError('UNSUPPORTED', `'${name}' is a rollup: its rows come from '${entry.def.source}'`, {
    help: 'Write to the ticks table.',
  });
}

/** Writes to a table with `dedup`; undefined, and nothing is done, if rows of before are to be corrected. */
async function writeDistinct(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<WriteResult | undefined> {
  await path.gate.enter();
  try {
    const { entry, admitted, resolved } = await resolve(path, name, batch, options);
    if (resolved.amendment) return undefined;
    await path.flusher.room();
    return await logNew(path, entry, admitted, resolved, options);
  } finally {
    path.gate.leave();
  }
}

/** Writes with no other writer inside: new rows first, then the corrections. */
async function writeAmending(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<WriteResult> {
  const { state, flusher, publisher } = path;
  const { entry, admitted, resolved } = await resolve(path, name, batch, options);
  const { amendment } = resolved;
  if (!amendment) return logNew(path, entry, admitted, resolved, options);
  if (admitted.rowCount > 0) await logAndApply(path, entry, admitted, { batchId: '', answer: null });
  const answer = {
    rowCount: admitted.rowCount,
    duplicates: resolved.duplicates,
    corrected: resolved.corrected,
  };
  const end = options.batchId === undefined ? noEnd : { batchId: options.batchId, answer };
  const { lsn, plan } = await amend(state, flusher, entry, amendment, end);
  publisher.publishAmended(plan);
  publisher.publishAmendedBars(plan.levels);
  count(state, { ...answer, rejected: admitted.rejected.length });
  return { lsn, ...answer, repeated: false, rejected: admitted.rejected };
}

/** The rows of a batch that are new, and what becomes of the others. */
async function resolve(
  { state }: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<{ entry: RowsEntry; admitted: Admitted; resolved: Resolved }> {
  const entry = writable(state, name);
  if (entry.kind !== 'rows')
    throw new CandelaError('TABLE_NOT_FOUND', `table '${name}' was dropped during the write`);
  const admitted = admit(entry.def, batch, options.onInvalid ?? 'fail', entry.table.droppedBeforeNs);
  if (!entry.def.dedup) return { entry, admitted, resolved: allNew };
  const resolved = await resolveRows(state, entry, admitted, seriesOf(entry, admitted));
  const { rows } = resolved;
  if (rows === null) return { entry, admitted, resolved };
  const columns = admitted.columns.map((column) => column && takeRows(column, rows));
  return { entry, admitted: { ...admitted, rowCount: rows.length, columns }, resolved };
}

const noEnd: BatchEnd = { batchId: '', answer: null };

/** Logs and applies rows that are new, and says how the batch came out. */
async function logNew(
  path: WritePath,
  entry: RowsEntry,
  admitted: Admitted,
  { duplicates, corrected }: Pick<Resolved, 'duplicates' | 'corrected'>,
  { batchId }: WriteOptions,
): Promise<WriteResult> {
  const { state, flusher } = path;
  const { rowCount, rejected } = admitted;
  const answer: BatchAnswer = { rowCount, duplicates, corrected };
  const end = batchId === undefined ? noEnd : { batchId, answer };
  const isNothing = rowCount === 0 && batchId === undefined;
  const lsn = isNothing ? state.appliedLsn : await logAndApply(path, entry, admitted, end);
  count(state, { ...answer, rejected: rejected.length });
  flusher.poke();
  return { lsn, ...answer, repeated: false, rejected };
}

/**
 * A plain table's rows go to the store at once: its transaction is their log. A primary key makes later rows
 * take the place of earlier.
 */
async function writePlain(
  state: EngineState,
  entry: PlainEntry,
  admitted: Admitted,
  { batchId }: WriteOptions,
): Promise<WriteResult> {
  const { def } = entry;
  const { rowCount, rejected } = admitted;
  const answer: BatchAnswer = { rowCount, duplicates: 0, corrected: 0 };
  const table = physicalId(entry.id, tableRole.rows);
  const columns = def.columns.map(
    ({ type }, i) => admitted.columns[i] ?? nullColumn(columnKindOf(type), rowCount),
  );
  const keyIndexes = def.seriesKey.map((name) => def.columns.findIndex((column) => column.name === name));
  const distinct = lastRowsOfKey(columns, rowCount, keyIndexes);
  const rowsOp: StorageOp =
    def.seriesKey.length > 0
      ? { op: 'replace', table, key: def.seriesKey, ...distinct }
      : { op: 'append', table, ...distinct };
  await state.commits.run(async () => {
    if (batchId === undefined) return rowCount > 0 ? state.storage.commit([rowsOp]) : undefined;
    const ids = state.batchIds.of(entry.id);
    const { op, add } = ids.planned(batchId, { ...answer, lsn: 0 });
    await state.storage.commit(rowCount > 0 ? [rowsOp, op] : [op]);
    add();
  });
  entry.writes++;
  count(state, { ...answer, rejected: rejected.length });
  return { lsn: 0, ...answer, repeated: false, rejected };
}

async function logAndApply(
  { state, publisher }: WritePath,
  entry: RowsEntry,
  admitted: Admitted,
  end: BatchEnd,
): Promise<number> {
  const { table, def } = entry;
  const frame = { ...frameOf(entry, admitted), ...end };
  let lsn = state.appliedLsn + 1;
  if (state.wal) {
    const logged = state.wal.append(frame);
    table.series.loggedCount = table.series.count;
    lsn = logged.lsn;
    await logged.durable;
  }
  assert(lsn === state.appliedLsn + 1, `batch ${lsn} of '${def.name}' follows ${state.appliedLsn}`);
  const firstRow = applyFrame(state, entry, { ...frame, lsn });
  if (frame.rowCount > 0) publisher.publish(entry, firstRow);
  return lsn;
}

function count(
  { counters }: EngineState,
  { rowCount, duplicates, corrected, rejected }: BatchAnswer & { rejected: number },
): void {
  counters.rowsWritten += rowCount;
  counters.rowsDuplicate += duplicates;
  counters.rowsCorrected += corrected;
  counters.rowsRejected += rejected;
  if (rowCount > 0) counters.batchesWritten++;
}

function seriesOf({ def, table }: RowsEntry, { columns, rowCount }: Admitted): Int32Array {
  const keyColumns = def.seriesKey.map(
    (name) => columns[def.columns.findIndex((column) => column.name === name)] as ColumnData,
  );
  return table.series.resolve(keyColumns, rowCount);
}

function frameOf(entry: RowsEntry, admitted: Admitted): Omit<WalFrame, 'lsn'> {
  const { id, def, table } = entry;
  const series = seriesOf(entry, admitted);
  const { loggedCount, count: seriesCount } = table.series;
  const logged: WalFrame['columns'] = [];
  for (const [index, column] of def.columns.entries()) {
    const data = admitted.columns[index];
    if (data && !def.seriesKey.includes(column.name)) logged.push({ id: index, data });
  }
  return {
    kind: 'rows',
    table: id,
    rowCount: admitted.rowCount,
    firstSeries: loggedCount,
    newSeries: table.series.columns(loggedCount, seriesCount),
    series,
    columns: logged,
    ...noEnd,
  };
}

/** When the log has taken frames back: the next ones must carry the keys of their new series again. */
export function forgetLoggedSeries({ catalog }: EngineState): void {
  for (const { table } of catalog.rows()) table.series.loggedCount = table.durableSeries;
}

/** Applies a logged batch to memory, new or replayed from the log. Returns its first row's number. */
export function applyFrame(state: EngineState, entry: RowsEntry, frame: WalFrame): number {
  const { table, def } = entry;
  const newCount = frame.newSeries.length === 0 ? 0 : lengthOf(frame.newSeries[0]);
  table.series.restore(frame.firstSeries, frame.newSeries, newCount);
  table.durableSeries = Math.max(table.durableSeries, frame.firstSeries + newCount);
  const columns: (ColumnData | undefined)[] = Array(def.columns.length).fill(undefined);
  for (const { id, data } of frame.columns) columns[id] = data;
  const time = columns[def.columns.findIndex((column) => column.name === def.timeColumn)];
  const rows: AppliedRows = {
    lsn: frame.lsn,
    rowCount: frame.rowCount,
    series: frame.series,
    timesNs: time?.kind === 'timestamp' ? time.values : new BigInt64Array(frame.rowCount),
    columns,
  };
  const firstRow = table.apply(rows);
  table.appliedAtMs = state.clock.nowMs();
  if (frame.answer) state.batchIds.of(entry.id).add(frame.batchId, { ...frame.answer, lsn: frame.lsn });
  state.appliedLsn = frame.lsn;
  state.pendingBytes += frame.rowCount * table.bytesPerRow;
  return firstRow;
}
