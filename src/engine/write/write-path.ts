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
import { lengthOf } from '../../market/columns.ts';
import type { Publisher } from '../bus/publish.ts';
import type { PlainEntry, RowsEntry } from '../catalog/catalog.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { WriteOptions, WriteResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Flusher } from '../flush/flusher.ts';
import type { AppliedRows } from '../tables/row-table.ts';
import type { WalFrame } from '../wal/frame.ts';
import type { Admitted } from './admit.ts';
import { admit, columnKindOf } from './admit.ts';
import type { Gate } from './gate.ts';

/** What the write path needs besides the shared state. */
export interface WritePath {
  state: EngineState;
  flusher: Flusher;
  gate: Gate;
  publisher: Publisher;
}

/** Writes a batch; see `Database.write`. */
export async function writeBatch(
  path: WritePath,
  name: string,
  batch: Batch,
  options: WriteOptions,
): Promise<WriteResult> {
  const { state, flusher, gate } = path;
  await gate.enter();
  try {
    // Looked up after the wait: the table may have changed or gone meanwhile.
    const entry = state.catalog.find(name);
    if (entry.kind === 'rollup') {
      throw new CandelaError(
        'UNSUPPORTED',
        `'${name}' is a rollup: its rows come from '${entry.def.source}'`,
        {
          help: 'Write to the ticks table.',
        },
      );
    }
    const admitted = admit(entry.def, batch, options.onInvalid ?? 'fail');
    state.counters.rowsRejected += admitted.rejected.length;
    if (admitted.rowCount === 0) return result(state.appliedLsn, admitted);
    if (entry.kind === 'plain') {
      await writePlain(state, entry, admitted);
      return result(0, admitted);
    }
    await flusher.room();
    const lsn = await logAndApply(path, entry, admitted);
    flusher.poke();
    return result(lsn, admitted);
  } finally {
    gate.leave();
  }
}

function result(lsn: number, { rowCount, rejected }: Admitted): WriteResult {
  return { lsn, rowCount, rejected };
}

/**
 * A plain table's rows go to the store at once: its transaction is their log. A primary key makes later rows
 * take the place of earlier.
 */
async function writePlain(state: EngineState, entry: PlainEntry, admitted: Admitted): Promise<void> {
  const { def } = entry;
  const table = physicalId(entry.id, tableRole.rows);
  const columns = def.columns.map(
    ({ type }, i) => admitted.columns[i] ?? nullColumn(columnKindOf(type), admitted.rowCount),
  );
  const { rowCount } = admitted;
  const keyIndexes = def.seriesKey.map((name) => def.columns.findIndex((column) => column.name === name));
  const distinct = lastRowsOfKey(columns, rowCount, keyIndexes);
  await state.commits.run(() =>
    state.storage.commit([
      def.seriesKey.length > 0
        ? { op: 'replace', table, key: def.seriesKey, ...distinct }
        : { op: 'append', table, ...distinct },
    ]),
  );
  count(state, rowCount);
}

async function logAndApply(
  { state, publisher }: WritePath,
  entry: RowsEntry,
  admitted: Admitted,
): Promise<number> {
  const { table, def } = entry;
  const frame = frameOf(entry, admitted);
  let lsn = state.appliedLsn + 1;
  if (state.wal) {
    const logged = state.wal.append(frame);
    table.series.loggedCount = table.series.count;
    lsn = logged.lsn;
    await logged.durable;
  }
  assert(lsn === state.appliedLsn + 1, `batch ${lsn} of '${def.name}' follows ${state.appliedLsn}`);
  publisher.publish(entry, applyFrame(state, entry, { ...frame, lsn }));
  count(state, admitted.rowCount);
  return lsn;
}

function count(state: EngineState, rows: number): void {
  state.counters.rowsWritten += rows;
  state.counters.batchesWritten++;
}

function frameOf({ id, def, table }: RowsEntry, admitted: Admitted): Omit<WalFrame, 'lsn'> {
  const { rowCount, columns } = admitted;
  const keyColumns = def.seriesKey.map(
    (name) => columns[def.columns.findIndex((column) => column.name === name)] as ColumnData,
  );
  const series = table.series.resolve(keyColumns, rowCount);
  const { loggedCount, count: seriesCount } = table.series;
  const logged: WalFrame['columns'] = [];
  for (const [index, column] of def.columns.entries()) {
    const data = columns[index];
    if (data && !def.seriesKey.includes(column.name)) logged.push({ id: index, data });
  }
  return {
    kind: 'rows',
    table: id,
    rowCount,
    firstSeries: loggedCount,
    newSeries: table.series.columns(loggedCount, seriesCount),
    series,
    columns: logged,
    batchId: '',
    answer: null,
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
  state.appliedLsn = frame.lsn;
  state.pendingBytes += frame.rowCount * table.bytesPerRow;
  return firstRow;
}
