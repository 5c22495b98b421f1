/**
 * Replay: a recorded file through the path a live feed takes, batcher and all, at its own pace, a multiple of it, or
 * as fast as the engine takes it. Memory is bounded whatever the size of the file: it is unpacked, cut into records
 * and translated as it is read, and reading waits while the batchers are full.
 *
 * ```
 *  file ─▶ text ─▶ records ─▶ format's reader ─▶ pacer ─▶ batcher of each target ─▶ database
 *                                 └─ skip(reason), counted
 * ```
 */
import { must } from '../../core/assert.ts';
import type { Clock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Database } from '../../engine/database.ts';
import { Batcher } from '../batcher.ts';
import { pause } from '../pause.ts';
import type { FeedRow } from '../row-batch.ts';
import { candleTimeframes, ensureCandles, ensureTable, type TableMaker } from '../tables.ts';
import { detectFormat, formatNamed } from './detect.ts';
import type { Emit, ReplayFormat, Target } from './format.ts';
import { createPacer, type ReplaySpeed } from './pacer.ts';
import { recordsOf } from './record-stream.ts';
import { openTextSource, type TextSource } from './source.ts';

/** What a replay needs of its surroundings: the engine, or a client that stands in for it. */
export interface ReplayContext {
  database: TableMaker & Pick<Database, 'write'>;
  log: Logger;
  clock: Clock;
}

/** What to replay and how. */
export interface ReplayOptions {
  /** Plain, gzip or zip. */
  file: string;
  /** Default `max`. */
  speed?: ReplaySpeed;
  /** Table for the format's main rows; others go to `<table>_<their own name>`. Default: the format's own names. */
  table?: string;
  /** Takes the place of the symbol in the records, or of the one in the file's name where records have none. */
  symbol?: string;
  /** Day of a file that has times of day only, YYYY-MM-DD; default from its name. */
  date?: string;
  /** Name of a format; default: found out. */
  format?: string;
  /** Bars to build; default 1s to 1d. */
  timeframes?: readonly string[];
  /** Called now and then while the file is read, and at the end. */
  onProgress?(progress: ReplayProgress): void;
  /** Ends the replay early; what was read is written. */
  signal?: AbortSignal;
}

/** How far a replay has come. */
export interface ReplayProgress {
  format: string;
  tables: string[];
  bytesRead: number;
  bytesTotal: number;
  recordsRead: number;
  rowsReceived: number;
  rowsWritten: number;
  rowsRejected: number;
  /** Records that gave no row, by reason. */
  skipped: Record<string, number>;
  /** Symbols seen so far. */
  symbols: string[];
  /** Why writes fail at present, or null. */
  lastError: string | null;
}

/** A finished replay. */
export interface ReplayReport extends ReplayProgress {
  elapsedMs: number;
  /** False when the signal ended it before the end of the file. */
  complete: boolean;
}

const skipReasonsMax = 100;
/** Symbols listed in reports; beyond that they are still written, only not listed. */
const symbolsListedMax = 1000;

/**
 * Replays a file. Throws `FILE_NOT_FOUND`, `INVALID_ARGUMENT` (unknown format, no symbol or date to be found, a file
 * that breaks off) after writing what it had read. Tables and bars that are missing are created.
 */
export async function replayFile(context: ReplayContext, options: ReplayOptions): Promise<ReplayReport> {
  const source = await openTextSource(options.file);
  const format = options.format === undefined ? await detectFormat(source) : formatNamed(options.format);
  await checkFacts(source, format, options);
  const outlets = await openOutlets(context, format, options);
  const replay = new Replay(context, options, source, format, outlets);
  try {
    await replay.run();
  } finally {
    await Promise.all([...outlets.values()].map(({ batcher }) => batcher.close()));
  }
  return replay.report();
}

/** What the file does not say is asked for before anything is made for it. */
async function checkFacts(source: TextSource, format: ReplayFormat, options: ReplayOptions): Promise<void> {
  const { symbol, date } = options;
  for await (const { name } of source.parts()) {
    format.reader({ symbol, date, name }, { row: () => undefined, skip: () => undefined });
    return;
  }
}

interface Outlet {
  table: string;
  batcher: Batcher;
}

async function openOutlets(
  context: ReplayContext,
  format: ReplayFormat,
  options: ReplayOptions,
): Promise<Map<Target, Outlet>> {
  const { database } = context;
  const { timeframes = candleTimeframes, speed = 'max' } = options;
  const outlets = new Map<Target, Outlet>();
  for (const target of format.targets) {
    const table = tableFor(target, format, options.table);
    await ensureTable(database, {
      name: table,
      kind: 'ticks',
      timeColumn: target.columns[0].name,
      seriesKey: [target.columns[1].name],
      columns: [...target.columns],
    });
    if (target.candles) {
      await ensureCandles(database, { source: table, ...target.candles, timeframes: [...timeframes] });
    }
    const columns = target.columns.map(({ name }) => name);
    // Without pacing the file is there at once: large batches cost the engine least per row.
    const rowsMax = speed === 'max' ? 8192 : 100;
    outlets.set(target, { table, batcher: new Batcher(context, { table, columns, rowsMax }) });
  }
  return outlets;
}

function tableFor(target: Target, format: ReplayFormat, asked: string | undefined): string {
  if (asked === undefined) return target.table;
  return target === format.targets[0] ? asked : `${asked}_${target.table}`;
}

interface FoundRow {
  target: Target;
  values: FeedRow;
}

class Replay {
  readonly #context: ReplayContext;
  readonly #options: ReplayOptions;
  readonly #source: TextSource;
  readonly #format: ReplayFormat;
  readonly #outlets: ReadonlyMap<Target, Outlet>;
  readonly #skipped = new Map<string, number>();
  readonly #symbols = new Set<string>();
  readonly #waitMs: (timeNs: bigint) => number;
  readonly #startMs: number;
  /** Rows of the record at hand: most have one, some two. */
  readonly #found: FoundRow[] = [];
  #recordsRead = 0;
  #unreadableLogged = 0;
  #complete = false;

  constructor(
    context: ReplayContext,
    options: ReplayOptions,
    source: TextSource,
    format: ReplayFormat,
    outlets: ReadonlyMap<Target, Outlet>,
  ) {
    this.#context = context;
    this.#options = options;
    this.#source = source;
    this.#format = format;
    this.#outlets = outlets;
    this.#waitMs = createPacer(options.speed ?? 'max', context.clock);
    this.#startMs = context.clock.monotonicMs();
  }

  async run(): Promise<void> {
    const { symbol, date, signal, onProgress } = this.#options;
    const emit: Emit = {
      row: (target, values) => this.#found.push({ target, values }),
      skip: (reason) => this.#skip(reason),
    };
    for await (const part of this.#source.parts()) {
      for await (const records of recordsOf(this.#format, part, { symbol, date }, emit)) {
        for (const read of records) {
          this.#recordsRead++;
          this.#readRecord(read);
          for (const row of this.#found) {
            const wait = this.#send(row);
            if (wait) await wait;
          }
          this.#found.length = 0;
          if (signal?.aborted) return;
        }
        onProgress?.(this.progress());
      }
    }
    this.#complete = true;
  }

  progress(): ReplayProgress {
    const counts = [...this.#outlets.values()].map(({ batcher }) => batcher.counts());
    const total = (name: 'rowsReceived' | 'rowsWritten' | 'rowsRejected'): number =>
      counts.reduce((sum, each) => sum + each[name], 0);
    return {
      format: this.#format.name,
      tables: [...this.#outlets.values()].map(({ table }) => table),
      bytesRead: this.#source.bytesRead(),
      bytesTotal: this.#source.bytesTotal,
      recordsRead: this.#recordsRead,
      rowsReceived: total('rowsReceived'),
      rowsWritten: total('rowsWritten'),
      rowsRejected: total('rowsRejected'),
      skipped: Object.fromEntries(this.#skipped),
      symbols: [...this.#symbols],
      lastError: counts.find(({ lastError }) => lastError !== null)?.lastError ?? null,
    };
  }

  report(): ReplayReport {
    const elapsedMs = this.#context.clock.monotonicMs() - this.#startMs;
    const report = { ...this.progress(), elapsedMs, complete: this.#complete };
    this.#options.onProgress?.(report);
    return report;
  }

  #readRecord(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof CandelaError)) throw error;
      this.#found.length = 0;
      this.#skip('unreadable record');
      if (this.#unreadableLogged++ < 5) {
        this.#context.log.warn({ record: this.#recordsRead }, `unreadable record: ${error.message}`);
      }
    }
  }

  /** Hands a row to its batcher; a promise only where there is something to wait for, which is seldom. */
  #send(row: FoundRow): Promise<void> | null {
    const [timeNs] = row.values;
    const waitMs = typeof timeNs === 'bigint' ? this.#waitMs(timeNs) : 0;
    return waitMs < 1 ? this.#push(row) : this.#sendLater(row, waitMs);
  }

  async #sendLater(row: FoundRow, waitMs: number): Promise<void> {
    const { signal, onProgress } = this.#options;
    onProgress?.(this.progress());
    await pause(waitMs, signal);
    if (!signal?.aborted) await this.#push(row);
  }

  #push({ target, values }: FoundRow): Promise<void> | null {
    if (this.#symbols.size < symbolsListedMax) this.#symbols.add(String(values[1]));
    const { batcher } = must(this.#outlets.get(target), `outlet of ${target.table}`);
    return batcher.push(values) ? null : batcher.ready();
  }

  #skip(reason: string): void {
    const known = this.#skipped.has(reason) || this.#skipped.size < skipReasonsMax;
    const name = known ? reason : 'other reasons';
    this.#skipped.set(name, (this.#skipped.get(name) ?? 0) + 1);
  }
}
