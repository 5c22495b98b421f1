/** Brings files into a table: open, plan, decode, write, count. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mergeRejections } from '../../codecs/decode/decoded-rows.ts';
import type { Clock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import { tableToWrite } from '../../engine/adjust/actions-table.ts';
import type { Database } from '../../engine/database.ts';
import { openTextSource } from '../../feeds/replay/source.ts';
import type { CandlesDef, ColumnType, DedupDef, TableDef } from '../../market/schema.ts';
import { startProgress } from '../progress.ts';
import { say } from '../terminal.ts';
import { finishRows } from './finish-rows.ts';
import { inferTable } from './infer-schema.ts';
import { openSource } from './open-source.ts';
import { type ColumnChoices, columnsToCreate, planImport } from './plan-import.ts';
import { count, createReport, type ImportReport, type RejectedRow } from './report.ts';
import type { ImportPlan, RowChunk, RowSource, SourceOptions } from './row-source.ts';

/** What of the engine an import needs; a running server's client has it too. */
export type ImportTarget = Pick<Database, 'table' | 'createTable' | 'dropTable' | 'createCandles' | 'write'>;

/** What `candela import` was asked. */
export interface ImportRequest extends ColumnChoices, SourceOptions {
  files: readonly string[];
  table: string;
  /** Make the table from the file's columns when it is not there; null: it must be. */
  create: CreateChoices | null;
  /** File for the rejected rows, as CSV. */
  rejectsFile: string | null;
}

/** How to make a table. */
export interface CreateChoices {
  seriesKey: string[] | null;
  types: ReadonlyMap<string, ColumnType>;
  /** Bars to build; null for none. */
  timeframes: string[] | null;
  /** Which ticks are the same; null: none. */
  dedup: DedupDef | null;
  /** How long rows are kept, and where. */
  ages: Pick<TableDef, 'retention' | 'coldAfter'>;
}

/** Imports the files one after the other. What was imported stays even if a later file fails. */
export async function runImport(
  target: ImportTarget,
  request: ImportRequest,
  clock: Clock,
): Promise<ImportReport> {
  const report = createReport(request.table, clock);
  const rejects = request.rejectsFile === null ? null : openRejects(request.rejectsFile);
  try {
    for (const path of request.files) await importFile(target, request, path, { report, rejects, clock });
  } catch (error) {
    if (report.rowCount() > 0) for (const line of report.lines()) say(line);
    throw error;
  } finally {
    rejects?.close();
  }
  return report;
}

interface Outcome {
  report: ImportReport;
  rejects: RejectsFile | null;
  clock: Clock;
}

async function importFile(
  target: ImportTarget,
  request: ImportRequest,
  path: string,
  outcome: Outcome,
): Promise<void> {
  const file = await openTextSource(path);
  const progress = startProgress(path, file.bytesTotal, outcome.clock);
  try {
    for await (const part of file.parts()) {
      const source = await openSource(part, path, request);
      const plan = await planFor(target, request, part.name, source);
      let writing: Promise<void> = Promise.resolve();
      for await (const chunk of source.chunks(plan)) {
        // One chunk is written while the next is decoded.
        await writing;
        writing = writeChunk(target, plan, part.name, chunk, outcome);
        writing.catch(() => undefined);
        progress.update(file.bytesRead(), `${count(outcome.report.rowCount())} rows`);
      }
      await writing;
    }
  } finally {
    progress.stop();
  }
}

async function planFor(
  target: ImportTarget,
  request: ImportRequest,
  file: string,
  source: RowSource,
): Promise<ImportPlan> {
  const known = await tableToWrite(target, request.table);
  const def = known ?? inferFor(request, source);
  const plan = planImport(def, source.columns, request);
  if (!known) await create(target, def, request.create?.timeframes ?? null);
  if (plan.unused.length > 0) {
    say(`${file}: columns left out, because ${def.name} does not have them: ${plan.unused.join(', ')}`);
  }
  return plan;
}

/** The table to make. */
function inferFor(request: ImportRequest, source: RowSource): TableDef {
  const { create, table, symbol } = request;
  if (!create) {
    throw new CandelaError('TABLE_NOT_FOUND', `there is no table '${table}'`, {
      help: 'Make it from the columns of the file with --create.',
    });
  }
  const seriesKey = create.seriesKey ?? (symbol === null ? null : ['symbol']);
  const def = inferTable(columnsToCreate(source.columns, request), { table, seriesKey, types: create.types });
  return { ...def, ...create.ages, ...(create.dedup ? { dedup: create.dedup } : {}) };
}

async function create(target: ImportTarget, def: TableDef, timeframes: string[] | null): Promise<void> {
  const candles = timeframes && candlesOver(def, timeframes);
  await target.createTable(def);
  if (candles) await orDrop(target, def.name, () => target.createCandles(candles));
  const columns = def.columns.map(({ name, type }) => `${name} ${type.kind}`).join(', ');
  say(`table ${def.name} (${def.kind}) made: ${columns}`);
}

/** What cannot be made whole is not left half made. */
async function orDrop(target: ImportTarget, table: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    await target.dropTable(table);
    throw error;
  }
}

function candlesOver(def: TableDef, timeframes: string[]): CandlesDef {
  const named = (...names: string[]): string | undefined =>
    names.find((name) => def.columns.some((column) => column.name === name));
  const price = named('price', 'last', 'close');
  const volume = named('size', 'volume', 'quantity', 'qty', 'amount');
  if (price === undefined || def.kind !== 'ticks') {
    const why =
      def.kind === 'ticks' ? 'has no column of prices' : `would be one of ${def.kind}, not of ticks`;
    throw new CandelaError('INVALID_ARGUMENT', `there are no bars to build: table '${def.name}' ${why}`, {
      help:
        def.kind === 'plain'
          ? "Name the file's time column with --map time=…, or leave out --candles."
          : "Name the file's price column with --map price=…, or leave out --candles.",
    });
  }
  return { source: def.name, price, timeframes, ...(volume ? { volume } : {}) };
}

async function writeChunk(
  target: ImportTarget,
  plan: ImportPlan,
  file: string,
  chunk: RowChunk,
  { report, rejects }: Outcome,
): Promise<void> {
  const decoded = finishRows(chunk.decoded, plan);
  const { rowCount, duplicates, corrected, rejected } = decoded.batch.rowCount
    ? await target.write(plan.table.name, decoded.batch, { onInvalid: 'skip' })
    : { rowCount: 0, duplicates: 0, corrected: 0, rejected: [] };
  report.accepted({ rowCount, duplicates, corrected });
  for (const rejection of mergeRejections(decoded, rejected)) {
    const record = chunk.recordAt(rejection.row);
    // People count rows from 1.
    const row = { ...rejection, file, row: chunk.rowsBefore + rejection.row + 1, record };
    report.rejected(row);
    rejects?.add(row);
  }
}

interface RejectsFile {
  add(row: RejectedRow): void;
  close(): void;
}

function openRejects(path: string): RejectsFile {
  const file = openSync(path, 'w');
  const line = (cells: string[]): void => {
    writeSync(file, `${cells.map(quoted).join(',')}\n`);
  };
  line(['file', 'row', 'column', 'reason', 'record']);
  return {
    add: (row) => line([row.file, String(row.row), row.column ?? '', row.reason, row.record ?? '']),
    close: () => closeSync(file),
  };
}

function quoted(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
