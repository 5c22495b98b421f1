/** The engine: the parts of an open database behind one surface. */
import { CandelaError } from '../core/errors.ts';
import type { Batch, ColumnSet } from '../market/columns.ts';
import type { CandlesDef, RollupDef, TableDef } from '../market/schema.ts';
import { tableToWrite } from './adjust/actions-table.ts';
import { Aging } from './aging/aging.ts';
import { Backfills } from './backfill/backfills.ts';
import { backup } from './backup/backup.ts';
import type { Topic } from './bus/bus.ts';
import { queueRowsDefault } from './bus/bus.ts';
import { Publisher } from './bus/publish.ts';
import type { Entry, RollupEntry, RowsEntry } from './catalog/catalog.ts';
import { alterTable, createTable, dropTable } from './catalog/ddl.ts';
import { createCandles, createRollup } from './catalog/rollup-ddl.ts';
import { tableInfo } from './catalog/table-info.ts';
import type {
  AgingResult,
  BackupInfo,
  BackupOptions,
  BarsRequest,
  BarsResult,
  BusEvent,
  Database,
  DatabaseStatus,
  DeleteRequest,
  DeleteResult,
  GapsRequest,
  GapsResult,
  ReadRequest,
  ReadResult,
  RefreshRequest,
  RefreshResult,
  SeriesFilter,
  SeriesInfo,
  SqlOptions,
  SqlResult,
  SubscribeRequest,
  Subscription,
  TableChange,
  TableInfo,
  WriteOptions,
  WriteResult,
} from './database.ts';
import type { EngineState } from './engine-state.ts';
import { Flusher } from './flush/flusher.ts';
import { hotBytesOf } from './flush/memory.ts';
import { findTimeframe } from './read/find-timeframe.ts';
import { bars, gaps, latest, matchSeries, read, readAgain } from './read/read-path.ts';
import { snapshotEvent } from './read/subscribe-snapshot.ts';
import { deleteRows } from './recompute/delete-rows.ts';
import { refresh } from './recompute/refresh.ts';
import type { SealLimits } from './seal/seal-state.ts';
import { Sealer } from './seal/sealer.ts';
import { runSql } from './sql-path.ts';
import { Gate } from './write/gate.ts';
import { type WritePath, writeBatch } from './write/write-path.ts';

/** How often bars are looked for whose time has passed without a tick. */
const overdueIntervalMs = 250;
/** How often it is looked for rows that are too old. */
const agingIntervalMs = 60_000;
/** How often the size of the store is looked up for the status. */
const storeSizeIntervalMs = 5_000;

/** See `Database`; made by `open`. */
export class Engine implements Database {
  readonly #state: EngineState;
  readonly #flusher: Flusher;
  readonly #sealer: Sealer | null;
  readonly #gate = new Gate();
  readonly #publisher: Publisher;
  readonly #backfills: Backfills;
  readonly #aging: Aging;
  readonly #timers: NodeJS.Timeout[];
  #storeBytes = 0;
  #closing: Promise<void> | undefined;

  /** `sealing` is null for a database in memory. */
  constructor(state: EngineState, sealing: SealLimits | null) {
    this.#state = state;
    this.#flusher = new Flusher(state);
    this.#sealer = sealing && new Sealer(state, sealing);
    this.#publisher = new Publisher(state, (entry, keys) => readAgain(state, entry, keys));
    this.#backfills = new Backfills(state, this.#flusher, this.#publisher);
    this.#backfills.start();
    this.#aging = new Aging(state, agingIntervalMs);
    this.#timers = [
      setInterval(() => this.#publisher.publishOverdue(), overdueIntervalMs).unref(),
      setInterval(() => this.#measureStore(), storeSizeIntervalMs).unref(),
    ];
    this.#measureStore();
  }

  #measureStore(): void {
    this.#state.storage.stats().then(
      ({ bytesOnDisk }) => {
        this.#storeBytes = bytesOnDisk;
      },
      (error: unknown) => this.#state.log.warn({ err: error }, 'the size of the store could not be read'),
    );
  }

  #check(): EngineState {
    if (this.#state.isClosed) throw new CandelaError('STOPPING', 'the database is closed');
    return this.#state;
  }

  get #ddl() {
    return { state: this.#check(), gate: this.#gate, backfills: this.#backfills };
  }

  get #path(): WritePath {
    return {
      state: this.#check(),
      flusher: this.#flusher,
      gate: this.#gate,
      publisher: this.#publisher,
    };
  }

  async createTable(def: TableDef): Promise<TableInfo> {
    return tableInfo(await createTable(this.#ddl, def));
  }

  async alterTable(name: string, change: TableChange): Promise<TableInfo> {
    return tableInfo(await alterTable(this.#ddl, name, change));
  }

  async dropTable(name: string): Promise<void> {
    await dropTable(this.#ddl, name);
  }

  async createRollup(def: RollupDef): Promise<TableInfo> {
    return tableInfo(await createRollup(this.#ddl, def));
  }

  async createCandles(def: CandlesDef): Promise<TableInfo[]> {
    return (await createCandles(this.#ddl, def)).map(tableInfo);
  }

  tables(): TableInfo[] {
    return this.#check().catalog.all().map(tableInfo);
  }

  table(name: string): TableInfo | undefined {
    const entry = this.#check().catalog.get(name);
    return entry && tableInfo(entry);
  }

  series(table: string, filter?: SeriesFilter): SeriesInfo[] {
    const entry = this.#check().catalog.find(table);
    if (entry.kind === 'plain')
      throw new CandelaError('UNSUPPORTED', `'${table}' is a plain table: it has no series`);
    const index = entry.kind === 'rows' ? entry.table.series : entry.groups.index;
    const numbers =
      matchSeries(entry, filter) ?? Int32Array.from({ length: index.count }, (_, series) => series);
    return Array.from(numbers, (series) => ({
      key: Object.fromEntries(index.key.map(({ name }, i) => [name, index.values[i][series] ?? ''])),
    }));
  }

  async write(table: string, batch: Batch, options: WriteOptions = {}): Promise<WriteResult> {
    if (!this.#check().catalog.get(table)) await tableToWrite(this, table);
    return writeBatch(this.#path, table, batch, options);
  }

  async deleteRows(table: string, request: DeleteRequest): Promise<DeleteResult> {
    return deleteRows(this.#path, table, request);
  }

  async refresh(request: RefreshRequest): Promise<RefreshResult> {
    return refresh(this.#path, request);
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    return read(this.#check(), request);
  }

  async bars(request: BarsRequest): Promise<BarsResult> {
    return bars(this.#check(), request);
  }

  async gaps(request: GapsRequest): Promise<GapsResult> {
    return gaps(this.#check(), request);
  }

  latest(table: string, series?: SeriesFilter): ColumnSet {
    return latest(this.#check(), table, series);
  }

  async subscribe(request: SubscribeRequest): Promise<Subscription> {
    const state = this.#check();
    const entry = subscribed(state, request);
    const subscription = state.bus.subscribe(topicOf(entry, request));
    try {
      // Registered first, then read: the read takes memory's state in this same step, so no event falls between.
      const snapshot: BusEvent | null =
        (request.snapshot ?? 0) > 0 ? await snapshotEvent(state, entry, request) : null;
      subscription.release(snapshot);
      return subscription;
    } catch (error) {
      subscription.close();
      throw error;
    }
  }

  async sql(text: string, options: SqlOptions = {}): Promise<SqlResult> {
    return runSql(this.#check(), this.#flusher, text, options);
  }

  async applyRetention(): Promise<AgingResult[]> {
    this.#check();
    return this.#aging.run();
  }

  async flush(): Promise<void> {
    this.#check();
    await this.#flusher.flush();
  }

  async backup(directory: string, options: BackupOptions = {}): Promise<BackupInfo> {
    return backup(this.#check(), this.#flusher, directory, options);
  }

  status(): DatabaseStatus {
    const { catalog, wal, bus, counters, appliedLsn, flushedLsn, pendingBytes, writesStopped } = this.#state;
    const rows = catalog.rows();
    return {
      lsn: appliedLsn,
      flushedLsn,
      ...counters,
      pendingBytes,
      hotBytes: hotBytesOf(catalog),
      walBytes: wal?.bytes ?? 0,
      storeBytes: this.#storeBytes,
      subscriptions: bus.count,
      writesStopped: writesStopped ?? wal?.stopped?.message ?? null,
      tables: catalog.all().length,
      ticksOutsideSessions: rows
        .flatMap(({ table }) => table.roots)
        .reduce((count, { fold }) => count + fold.outsideCount, 0),
      seriesCount: rows.reduce((count, { table }) => count + table.series.count, 0),
      backfills: this.#backfills.status(),
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const state = this.#state;
    for (const timer of this.#timers) clearInterval(timer);
    this.#flusher.stop();
    state.isClosed = true;
    try {
      await this.#sealer?.stop();
      await this.#backfills.stop();
      await this.#aging.stop();
      await this.#gate.exclusive(() => this.#flusher.flush());
    } finally {
      state.bus.closeAll();
      await state.wal?.close();
      await state.storage.close();
    }
  }
}

/** What a subscription is to: a ticks table, or a rollup by name or by timeframe. */
function subscribed(state: EngineState, request: SubscribeRequest): RowsEntry | RollupEntry {
  if (request.timeframe !== undefined) {
    const { table, timeframe } = request;
    const { entry, wanted, isStored } = findTimeframe(state.catalog, { table, timeframe });
    if (isStored) return entry;
    throw new CandelaError(
      'TIMEFRAME_NOT_FOUND',
      `'${request.table}' keeps no ${wanted.timeframe.text} bars to stream`,
      {
        help: 'Subscribe to a stored timeframe, or create a rollup of this one; reads can merge, streams cannot.',
      },
    );
  }
  const entry: Entry = state.catalog.find(request.table);
  if (entry.kind === 'plain')
    throw new CandelaError('UNSUPPORTED', `'${request.table}' is a plain table: it has no stream`);
  return entry;
}

function topicOf(entry: RowsEntry | RollupEntry, request: SubscribeRequest): Topic {
  matchSeries(entry, request.series);
  const isRollup = entry.kind === 'rollup';
  return {
    table: entry.def.name,
    index: isRollup ? entry.groups.index : entry.table.series,
    filter: request.series && Object.keys(request.series).length > 0 ? request.series : undefined,
    node: isRollup ? entry.node : null,
    live: request.live !== false,
    closed: request.closed !== false,
    throttleMs: request.throttleMs ?? 0,
    queueRowsMax: request.queueRowsMax ?? queueRowsDefault,
  };
}
