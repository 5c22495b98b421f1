/**
 * Back-fills: rollups made over history, filled from the newest time to the oldest while writes go on.
 *
 * A rollup that is being filled stands at a time, `filledFrom`. What its source gives for that time and after goes in
 * as it comes; what is before is left to the back-fill, which reads the source a slice of time after the other:
 *
 * ```
 *            not in yet ◄───┐ filledFrom
 *   ───────────────────[ slice )──────────────────────► time
 *                       read: the store's rows and memory's, as of one moment
 * ```
 *
 * A page is one turn of the commit queue: flush, read a slice from the store, and in one synchronous step take it in,
 * with what memory holds of it, and move `filledFrom`. So nothing is flushed between the reading and the taking in, and
 * every row is either in the slice or comes after the move. The next flush stores the bars and `filledFrom` in one
 * transaction: a crash resumes at the right place and counts nothing twice. Writers wait for none of it but the
 * synchronous step.
 *
 * The levels built on a rollup are filled through it. One that is made on bars that are there is filled from those.
 */
import { CandelaError } from '../../core/errors.ts';
import type { Publisher } from '../bus/publish.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import type { BackfillStatus } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import type { Flusher } from '../flush/flusher.ts';
import { absorb } from '../rollup/absorb.ts';
import { rowsBetween } from '../rollup/bar-intake.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { type Fill, mergePending, nextFill, readSpan } from './fill.ts';
import type { Span } from './history-source.ts';
import { Slices } from './slices.ts';

/** Pause after a page that failed. */
const retryMs = 1_000;
/** Between two lines of the log. */
const reportMs = 10_000;
const timesMin = -(2n ** 63n);

interface Waiter {
  entry: RollupEntry;
  resolve(): void;
  reject(error: unknown): void;
}

/** Where the fill that runs at present stands. */
interface Progress {
  source: string;
  filledFrom: number;
  slices: Slices;
  rowsRead: number;
  startMs: number;
  reportedMs: number;
}

/** See the head of this file. */
export class Backfills {
  readonly #state: EngineState;
  readonly #flusher: Flusher;
  readonly #publisher: Publisher;
  readonly #waiters = new Set<Waiter>();
  #running: Promise<void> | undefined;
  #progress: Progress | undefined;
  #isStopped = false;
  #wake: (() => void) | undefined;

  constructor(state: EngineState, flusher: Flusher, publisher: Publisher) {
    this.#state = state;
    this.#flusher = flusher;
    this.#publisher = publisher;
  }

  /** Goes on with whatever is to be filled. */
  start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // A rollup that was made just as the last one was found to be filled.
      if (this.#next()) this.start();
    });
  }

  /** Resolves when the rollup holds its whole history. Throws `TABLE_NOT_FOUND` if it is dropped before, `STOPPING`. */
  filled(entry: RollupEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ entry, resolve, reject });
      this.#settle();
      if (this.#isStopped) this.#giveUp();
      else this.start();
    });
  }

  /** Gives up after the page that is being read; the next start goes on from there. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#running;
    this.#giveUp();
  }

  #giveUp(): void {
    const error = new CandelaError(
      'STOPPING',
      'the database is closed; the next start goes on with the back-fill',
    );
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  /** Every rollup that is being filled. */
  status(): BackfillStatus[] {
    const progress = this.#progress;
    return this.#state.catalog
      .rollups()
      .filter(({ node }) => node.completeFrom > Number.NEGATIVE_INFINITY)
      .map(({ def, node }) => ({
        table: def.name,
        doneDownToMs: node.completeFrom / 1e6,
        rowsRead: progress?.rowsRead ?? 0,
        rowsLeft: progress?.slices.rowCount ?? 0,
      }));
  }

  async #run(): Promise<void> {
    for (let fill = this.#next(); fill; fill = this.#next()) {
      try {
        await this.#page(fill);
      } catch (error) {
        this.#state.log.error(
          { err: error, source: fill.source },
          'a page of a back-fill failed; it is tried again',
        );
        // What was to be read is counted anew.
        this.#progress = undefined;
        await this.#pause();
      }
      this.#settle();
    }
    this.#progress = undefined;
  }

  #next(): Fill | undefined {
    return this.#isStopped ? undefined : nextFill(this.#state.catalog);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, retryMs).unref();
    });
  }

  async #page(fill: Fill): Promise<void> {
    const progress = this.#progressOf(fill);
    this.#state.log.debug({ step: 'backfill-page', source: fill.source }, 'filling a page of history');
    const slice = await progress.slices.take();
    const isDone = await this.#flusher.flush([], async () => {
      // Meanwhile a rollup may have been dropped, or another begun that goes first.
      const now = nextFill(this.#state.catalog);
      if (now?.source !== fill.source || now.filledFrom !== fill.filledFrom) return false;
      const toNs = BigInt(now.filledFrom);
      const fromNs = slice?.fromNs ?? now.oldestNs ?? timesMin;
      // What was not counted yet, or came since for a time before all that was.
      if (!slice && fromNs < toNs && (await progress.slices.count(fromNs, toNs))) return false;
      await this.#take(now, { fromNs, toNs }, !slice);
      progress.filledFrom = now.rollups[0].node.filledFrom;
      progress.rowsRead += slice?.rowCount ?? 0;
      return !slice;
    });
    this.#report(fill, progress, isDone === true);
    // The bars of a page are stored with the next flush, which the next page begins with.
    if (isDone) await this.#flusher.flush();
  }

  #progressOf({ source, table, filledFrom }: Fill): Progress {
    const known = this.#progress;
    if (known && known.source === source && known.filledFrom === filledFrom) return known;
    const { clock, storage, limits } = this.#state;
    const startMs = clock.monotonicMs();
    const slices = new Slices(storage, table, limits.backfillRows);
    this.#progress = { source, filledFrom, slices, rowsRead: 0, startMs, reportedMs: startMs };
    return this.#progress;
  }

  /** Reads a span from the store and, in one step, takes it in with what memory holds of it. */
  async #take(fill: Fill, span: Span, isLast: boolean): Promise<void> {
    const { storage, catalog } = this.#state;
    const parts = isLast ? null : await readSpan(storage, catalog, fill, span);
    const lsn = this.#state.appliedLsn;
    for (const rollup of fill.rollups) {
      const { node, ticks } = rollup;
      mergePending(rollup, span, lsn);
      for (const { partials, rows } of parts?.get(rollup) ?? []) absorb(node, partials, rows, lsn);
      // Ticks that came since have ended buckets of which parts were opened just now.
      const { lastStart, groupCount } = node.levels[node.levels.length - 1].node;
      node.advance(rowsBetween(0, groupCount), groupCount, lastStart, lsn);
      node.filledFrom = isLast ? Number.NEGATIVE_INFINITY : Number(span.fromNs);
      this.#publisher.passOver(node);
      ticks.table.appliedCount++;
    }
  }

  #report({ source, rollups }: Fill, progress: Progress, isDone: boolean): void {
    const nowMs = this.#state.clock.monotonicMs();
    if (!isDone && nowMs - progress.reportedMs < reportMs) return;
    progress.reportedMs = nowMs;
    const fields = {
      source,
      rollups: rollups.map(({ def }) => def.name),
      rowsRead: progress.rowsRead,
      rowsLeft: progress.slices.rowCount,
      ms: Math.round(nowMs - progress.startMs),
    };
    this.#state.log.info(fields, isDone ? 'back-fill done' : 'back-fill');
  }

  /** Answers those who wait for a rollup that is filled by now, or gone. */
  #settle(): void {
    for (const waiter of this.#waiters) {
      const { entry, resolve, reject } = waiter;
      const isThere = this.#state.catalog.get(entry.def.name) === entry;
      const isFilled = entry.node.levels.every(({ node }) => isStored(node));
      if (isThere && !isFilled) continue;
      this.#waiters.delete(waiter);
      if (isThere) resolve();
      else
        reject(
          new CandelaError('TABLE_NOT_FOUND', `rollup '${entry.def.name}' was dropped while it was filled`),
        );
    }
  }
}

function isStored({ filledFrom, storedFilledFrom }: RollupNode): boolean {
  return Math.max(filledFrom, storedFilledFrom) === Number.NEGATIVE_INFINITY;
}
