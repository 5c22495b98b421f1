/**
 * Flush: what only memory and the log hold goes to the store, in one transaction with the log position it reaches.
 *
 * The cut is taken in one synchronous step: row numbers of every table, the closed rows and a copy of the open bars of
 * every rollup, and the LSN. The commit then holds exactly the effect of the log up to that LSN, so recovery
 * is: open the
 * store, replay the log after its LSN. Writes go on meanwhile. A failed commit changes nothing; the next flush takes
 * the rows again.
 */
import { CandelaError } from '../../core/errors.ts';
import type { ColumnData } from '../../market/columns.ts';
import type { StorageOp } from '../../storage/storage.ts';
import type { Catalog, RollupEntry, RowsEntry } from '../catalog/catalog.ts';
import { documentKey, documentOf } from '../catalog/catalog.ts';
import { ownsGroups } from '../catalog/entries.ts';
import { physicalId, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import { BarsByBucket } from '../rollup/bars-by-bucket.ts';
import { Partials } from '../rollup/partials.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { toStored } from '../rollup/stored-bars.ts';
import { barsTarget } from '../tables/bars-target.ts';
import type { BatchIds } from '../write/batch-ids.ts';
import { planClosed } from './closed-bars.ts';
import { evictToBudget, pendingBytesOf } from './memory.ts';
import { planRows, planSeries } from './pending-rows.ts';

/** Key of the document that says which log position the store has reached. */
export const positionKey = 'position';

/** That document: the LSN, and for each table (by id) the number its next row gets. */
export interface PositionDocument {
  lsn: number;
  nextRows: Record<string, number>;
}

/** The step that says so of everything that has been applied; nothing is only in memory then. */
export function positionOp(catalog: Catalog, lsn: number): StorageOp {
  const nextRows = Object.fromEntries(catalog.rows().map(({ id, table }) => [id, table.hot.nextRow]));
  const position: PositionDocument = { lsn, nextRows };
  return { op: 'put-doc', key: positionKey, value: JSON.stringify(position) };
}

interface TableCut {
  entry: RowsEntry;
  toRow: number;
  toSeries: number;
  ops: StorageOp[];
}

interface NodeCut {
  entry: RollupEntry;
  fromRow: number;
  toRow: number;
  toGroup: number;
  filledFrom: number;
  ops: StorageOp[];
}

/** The state of memory at one point in the log. */
interface Cut {
  lsn: number;
  tables: TableCut[];
  nodes: NodeCut[];
  live: StorageOp[];
  batches: ReturnType<BatchIds['changes']>;
}

/** Pause before the next try after a failed flush. */
const retryMs = 1_000;

/** Starts flushes by size and age, and runs those asked for. */
export class Flusher {
  readonly #state: EngineState;
  #timer: NodeJS.Timeout | undefined;
  #background: Promise<void> | undefined;
  /** Per rollup: how many batches its table had applied when its live bars were last stored. */
  readonly #liveAt = new WeakMap<RollupNode, number>();
  /** Rows are evicted again once so much is pending. */
  #evictAtBytes = 0;

  constructor(state: EngineState) {
    this.#state = state;
    this.#schedule(state.limits.flushIntervalMs);
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#state.isClosed) return;
    this.#timer = setTimeout(() => this.#start(), delayMs);
    this.#timer.unref();
  }

  /** No more flushes by themselves. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** After each write: keeps memory to its budget, and starts a flush in the background when much is pending. */
  poke(): void {
    const { pendingBytes, limits } = this.#state;
    if (pendingBytes >= this.#evictAtBytes) this.#evict();
    if (pendingBytes >= limits.flushBytes) this.#start();
  }

  #evict(): void {
    const { catalog, limits, pendingBytes } = this.#state;
    evictToBudget(catalog, limits.rowBytesMax);
    this.#evictAtBytes = pendingBytes + limits.flushBytes / 4;
  }

  #start(): void {
    if (this.#background) return;
    this.#background = this.flush()
      .then(
        () => this.#schedule(this.#state.limits.flushIntervalMs),
        () => this.#schedule(retryMs),
      )
      .finally(() => {
        this.#background = undefined;
      });
  }

  /**
   * Resolves at once while there is room for more rows, else after flushes have made some. Throws
   * `WRITES_STOPPED` while flushes fail.
   */
  async room(): Promise<void> {
    while (this.#state.pendingBytes >= this.#state.limits.pendingBytesMax) {
      if (this.#state.writesStopped !== null) throw stopped(this.#state.writesStopped);
      this.#start();
      await this.#background;
    }
  }

  /**
   * Moves everything pending to the store, and the live bars of the rollups named. `then` runs before any other
   * commit.
   */
  flush<T = void>(live: readonly RollupEntry[] = [], then?: () => Promise<T>): Promise<T | undefined> {
    return this.#state.commits.run(async () => {
      await this.#flushNow(live);
      return then?.();
    });
  }

  async #flushNow(live: readonly RollupEntry[]): Promise<void> {
    const state = this.#state;
    const stale = live.filter((entry) => {
      // It may have been dropped since it was asked for.
      const isThere = state.catalog.get(entry.def.name) === entry;
      return isThere && this.#liveAt.get(entry.node) !== entry.ticks.table.appliedCount;
    });
    const isFilling = state.catalog.rollups().some(({ node }) => node.filledFrom !== node.storedFilledFrom);
    if (state.flushedLsn === state.appliedLsn && stale.length === 0 && !isFilling) return;
    const startMs = state.clock.monotonicMs();
    const cut = this.#cut(stale);
    state.log.debug({ step: 'flush', lsn: cut.lsn }, 'flushing');
    const applied = stale.map(({ node, ticks }) => ({ node, count: ticks.table.appliedCount }));
    try {
      await this.#commit(cut);
    } catch (error) {
      state.writesStopped = error instanceof Error ? error.message : String(error);
      state.log.error(
        { err: error, lsn: cut.lsn },
        'flush failed: memory and the log keep the rows, the flush is tried again',
      );
      throw error instanceof CandelaError ? error : stopped(state.writesStopped, error);
    }
    for (const { node, count } of applied) this.#liveAt.set(node, count);
    state.counters.flushes++;
    state.counters.flushMsLast = state.clock.monotonicMs() - startMs;
  }

  #cut(live: readonly RollupEntry[]): Cut {
    const { catalog, appliedLsn } = this.#state;
    return {
      lsn: appliedLsn,
      tables: catalog.rows().map((entry) => {
        const { table } = entry;
        const toRow = table.hot.nextRow;
        table.cutRow = toRow;
        return { entry, toRow, toSeries: table.durableSeries, ops: planRows(table, toRow) };
      }),
      nodes: catalog.rollups().map((entry) => {
        const { closed } = entry.node;
        const toGroup = entry.groups.index.count;
        const ops = ownsGroups(entry)
          ? planSeries(entry.id, entry.groups.index, entry.groups.storedCount, toGroup)
          : [];
        ops.push(openOp(entry, appliedLsn));
        const { filledFrom, storedFilledFrom } = entry.node;
        if (filledFrom !== storedFilledFrom)
          ops.push({ op: 'put-doc', key: documentKey(entry.id), value: documentOf(entry) });
        return { entry, fromRow: closed.flushedRow, toRow: closed.nextRow, toGroup, filledFrom, ops };
      }),
      live: live.map((entry) => liveOp(entry, appliedLsn)),
      batches: this.#state.batchIds.changes(),
    };
  }

  async #commit(cut: Cut): Promise<void> {
    const { storage, wal } = this.#state;
    const position: PositionDocument = { lsn: cut.lsn, nextRows: {} };
    const ops: StorageOp[] = [];
    for (const { entry, toRow, ops: steps } of cut.tables) {
      position.nextRows[entry.id] = toRow;
      ops.push(...steps);
    }
    const newest: { node: RollupNode; newest: Float64Array }[] = [];
    for (const { entry, fromRow, toRow, ops: steps } of cut.nodes) {
      if (toRow > fromRow || entry.node.history.partials.length > 0) {
        const plan = await planClosed(storage, barsTarget(entry), fromRow, toRow, cut.lsn);
        ops.push(...plan.ops);
        newest.push({ node: entry.node, newest: plan.newest });
      }
      ops.push(...steps);
    }
    ops.push(...cut.live, ...cut.batches.ops, {
      op: 'put-doc',
      key: positionKey,
      value: JSON.stringify(position),
    });
    await storage.commit(ops);
    this.#done(cut, newest);
    await wal?.truncate(cut.lsn);
  }

  #done(cut: Cut, newest: { node: RollupNode; newest: Float64Array }[]): void {
    const state = this.#state;
    for (const { entry, toRow, toSeries } of cut.tables) {
      entry.table.hot.flushedRow = toRow;
      entry.table.storedSeries = toSeries;
    }
    for (const { entry, toRow, toGroup, filledFrom } of cut.nodes) {
      entry.node.closed.flushedRow = toRow;
      entry.node.storedFilledFrom = filledFrom;
      // A back-fill adds to it between flushes only.
      if (entry.node.history.partials.length > 0) entry.node.history = new BarsByBucket(entry.node.plan);
      entry.groups.storedCount = toGroup;
    }
    for (const { node, newest: starts } of newest) node.noteFlushed(starts);
    cut.batches.stored();
    state.flushedLsn = cut.lsn;
    state.writesStopped = null;
    state.pendingBytes = pendingBytesOf(state.catalog);
    this.#evict();
  }
}

/** A rollup's open bars as they are, for recovery. */
function openOp({ node }: RollupEntry, lsn: number): StorageOp {
  const rows: number[] = [];
  for (let group = 0; group < node.groupCount; group++) if (node.open.rows[group] > 0) rows.push(group);
  const columns = toStored(node.open, Int32Array.from(rows), lsn);
  return { op: 'rewrite', table: physicalId(node.id, tableRole.open), columns, rowCount: rows.length };
}

/** A rollup's live bars, complete, for SQL. */
function liveOp({ node }: RollupEntry, lsn: number): StorageOp {
  const live = new Partials(node.plan.slots, node.groupCount);
  for (let group = 0; group < node.groupCount; group++)
    if (node.live(group, live, live.length)) live.length++;
  const rows = Int32Array.from({ length: live.length }, (_, row) => row);
  const columns: ColumnData[] = toStored(live, rows, lsn);
  return { op: 'rewrite', table: physicalId(node.id, tableRole.live), columns, rowCount: live.length };
}

/** `WRITES_STOPPED` with the cause. */
function stopped(reason: string, cause?: unknown): CandelaError {
  return new CandelaError('WRITES_STOPPED', `the store cannot take rows at present: ${reason}`, { cause });
}
