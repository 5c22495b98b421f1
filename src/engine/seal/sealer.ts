/**
 * Sealing in the background: looks now and then how many rows were stored in which chunk of each ticks table, bars
 * table and rollup, and has the store rewrite closed chunks in series order.
 *
 * What is known of a table lies in the store under `seal/<id>`. It is written after the sealing it tells of; a crash
 * between the two has the chunk sealed again, which changes nothing.
 */
import { CandelaError } from '../../core/errors.ts';
import type { CountRequest } from '../../storage/storage.ts';
import type { Entry } from '../catalog/catalog.ts';
import { physicalId, sealKey, tableRole } from '../catalog/layout.ts';
import type { EngineState } from '../engine-state.ts';
import {
  addArrivals,
  type ChunkRows,
  type ChunkRun,
  closedChunks,
  formatSealState,
  isTooWide,
  markSealed,
  narrow,
  narrowerNs,
  newSealState,
  parseSealState,
  planRun,
  type SealLimits,
  type SealState,
  unsealedRows,
} from './seal-state.ts';

/** A table that is sealed. */
interface Target {
  id: number;
  table: number;
  /** The greatest event time seen, ns. */
  watermarkNs: number;
  /** Rows below this version are in the store. */
  storedBelow: number;
}

const timesMin = -(2n ** 63n);
const timesMax = 2n ** 63n - 1n;

/** Steps of one table before the others have their turn. */
const stepsMax = 64;

/** See the head of this file. */
export class Sealer {
  readonly #state: EngineState;
  readonly #limits: SealLimits;
  readonly #abort = new AbortController();
  readonly #states = new Map<number, SealState>();
  /** Unsealed rows in closed chunks when they were last found not worth a step. */
  readonly #notWorthIt = new Map<number, number>();
  #documents: Map<string, string> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(state: EngineState, limits: SealLimits) {
    this.#state = state;
    this.#limits = limits;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#look().finally(() => this.#schedule());
    }, this.#limits.intervalMs);
    this.#timer.unref();
  }

  /** Gives up what is being sealed and does not begin again. */
  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #look(): Promise<void> {
    for (const entry of this.#state.catalog.all()) {
      const target = targetOf(this.#state, entry);
      if (!target || this.#abort.signal.aborted) continue;
      try {
        await this.#lookAt(target);
      } catch (error) {
        const isGone = error instanceof CandelaError && error.code === 'TABLE_NOT_FOUND';
        if (!isGone) this.#state.log.error({ err: error, table: entry.def.name }, 'sealing failed');
      }
    }
  }

  async #lookAt(target: Target): Promise<void> {
    const seal = await this.#stateOf(target.id);
    await this.#countArrivals(target, seal);
    for (let step = 0; step < stepsMax && !this.#abort.signal.aborted; step++) {
      const run = await this.#nextRun(target, seal);
      if (!run || !(await this.#seal(target, seal, run))) return;
    }
  }

  async #countArrivals(target: Target, seal: SealState): Promise<void> {
    const nowMs = this.#state.clock.monotonicMs();
    if (target.storedBelow <= seal.countedBelow) {
      addArrivals(seal, new Map(), nowMs);
      return;
    }
    const arrivals = await this.#count(target, seal.widthNs, {
      versionFrom: BigInt(seal.countedBelow),
      versionBelow: BigInt(target.storedBelow),
    });
    addArrivals(seal, arrivals, nowMs);
    seal.countedBelow = target.storedBelow;
    while (isTooWide(seal, this.#limits) && (await this.#narrow(target, seal)));
    await this.#save(target.id, seal);
  }

  async #seal(target: Target, seal: SealState, run: ChunkRun): Promise<boolean> {
    const range = { table: target.table, ...spanNs(seal, run) };
    const startMs = this.#state.clock.monotonicMs();
    this.#state.log.debug({ step: 'seal', table: target.id, rowCount: run.rowCount }, 'sealing');
    const rowCount = await this.#state.storage.seal(range, this.#abort.signal);
    if (rowCount === 0) return false;
    const ms = Math.round(this.#state.clock.monotonicMs() - startMs);
    this.#state.log.debug({ table: target.id, rowCount, ms, chunks: run.to - run.from + 1 }, 'sealed');
    markSealed(seal, run);
    await this.#save(target.id, seal);
    return true;
  }

  /** The next run worth sealing. Counting all rows takes a while, so it is not done when nothing has changed. */
  async #nextRun(target: Target, seal: SealState): Promise<ChunkRun | undefined> {
    const nowMs = this.#state.clock.monotonicMs();
    const closed = closedChunks(seal, target.watermarkNs, nowMs, this.#limits);
    const unsealed = unsealedRows(seal, closed);
    const { rowsMin, rowsMax } = this.#limits;
    const before = this.#notWorthIt.get(target.id) ?? 0;
    if (unsealed < Math.max(rowsMin, before + rowsMin / 4)) return undefined;
    const span = { from: closed[0], to: closed[closed.length - 1] };
    const totals = await this.#count(target, seal.widthNs, spanNs(seal, span));
    const run = planRun(seal, closed, totals, this.#limits);
    if (run) this.#notWorthIt.delete(target.id);
    else this.#notWorthIt.set(target.id, unsealed);
    if (run && run.rowCount > rowsMax && (await this.#narrow(target, seal)))
      return this.#nextRun(target, seal);
    return run;
  }

  async #narrow(target: Target, seal: SealState): Promise<boolean> {
    const widthNs = narrowerNs(seal);
    if (widthNs === undefined) return false;
    const numbers = [...seal.chunks.keys()];
    const least = numbers.reduce((a, b) => Math.min(a, b));
    const greatest = numbers.reduce((a, b) => Math.max(a, b));
    const totals = await this.#count(target, widthNs, spanNs(seal, { from: least, to: greatest }));
    narrow(seal, widthNs, totals);
    return true;
  }

  async #count({ table }: Target, widthNs: number, bounds: Partial<CountRequest>): Promise<ChunkRows> {
    const all = { fromNs: timesMin, toNs: timesMax, versionFrom: 0n, versionBelow: timesMax };
    const counts = await this.#state.storage.countByTime({
      ...all,
      ...bounds,
      table,
      widthNs: BigInt(widthNs),
    });
    // A multiple of the width divides without a rest, also below 1970.
    return new Map(counts.map(({ startNs, rowCount }) => [Number(startNs / BigInt(widthNs)), rowCount]));
  }

  async #stateOf(id: number): Promise<SealState> {
    this.#documents ??= await this.#state.storage.documents();
    let state = this.#states.get(id);
    if (!state) {
      const text = this.#documents.get(sealKey(id));
      state = text === undefined ? newSealState() : parseSealState(text, this.#state.clock.monotonicMs());
      this.#states.set(id, state);
    }
    return state;
  }

  /** Keeps the state, unless the table was dropped meanwhile. */
  #save(id: number, seal: SealState): Promise<void> {
    const { commits, catalog, storage } = this.#state;
    return commits.run(async () => {
      if (!catalog.all().some((entry) => entry.id === id)) return;
      await storage.commit([{ op: 'put-doc', key: sealKey(id), value: formatSealState(seal) }]);
    });
  }
}

/** Ticks, bars and closed bars of rollups are sealed. */
function targetOf(state: EngineState, entry: Entry): Target | undefined {
  const table = physicalId(entry.id, tableRole.rows);
  if (entry.kind === 'rollup') {
    const watermarkNs = greatest(entry.node.flushedMax);
    return { id: entry.id, table, watermarkNs, storedBelow: state.flushedLsn + 1 };
  }
  if (entry.kind === 'plain' || entry.def.kind === 'state') return undefined;
  const { hot } = entry.table;
  return { id: entry.id, table, watermarkNs: greatest(hot.latestT), storedBelow: hot.flushedRow };
}

function greatest(values: Float64Array): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}

function spanNs(
  { widthNs }: SealState,
  { from, to }: Pick<ChunkRun, 'from' | 'to'>,
): { fromNs: bigint; toNs: bigint } {
  return { fromNs: BigInt(from) * BigInt(widthNs), toNs: BigInt(to + 1) * BigInt(widthNs) };
}
