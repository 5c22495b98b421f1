/**
 * The background job that lets tables age: now and then, each table's retention, then its cold tier. By itself it does
 * not trust a clock that leaps ahead until that has lasted: what was dropped is gone.
 */
import { createSteadyTime } from '../../core/steady-time.ts';
import type { AgingResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { applyRetention } from './retention.ts';
import { applyTiering } from './tiering.ts';

/** See the head of this file. */
export class Aging {
  readonly #state: EngineState;
  readonly #intervalMs: number;
  readonly #steadyMs: () => number;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** Settles when the last run asked for has. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: EngineState, intervalMs: number) {
    this.#state = state;
    this.#intervalMs = intervalMs;
    this.#steadyMs = createSteadyTime(state.clock);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => {
      const failed = (error: unknown): void =>
        this.#state.log.error({ err: error }, 'old rows could not be dropped or moved; it is tried again');
      void this.#runAt(this.#steadyMs)
        .catch(failed)
        .then(() => this.#schedule());
    }, this.#intervalMs);
    this.#timer.unref();
  }

  /**
   * Does both now, by the clock as it is, after runs asked for before; what was dropped and moved, tables of which
   * nothing was left out.
   */
  run(): Promise<AgingResult[]> {
    return this.#runAt(() => this.#state.clock.nowMs());
  }

  #runAt(timeMs: () => number): Promise<AgingResult[]> {
    const run = this.#last.then(() => this.#runNow(timeMs()));
    this.#last = run.catch(() => {});
    return run;
  }

  async #runNow(nowMs: number): Promise<AgingResult[]> {
    const results: AgingResult[] = [];
    const { signal } = this.#abort;
    for (const entry of this.#state.catalog.all()) {
      if (signal.aborted) break;
      const dropped = await applyRetention(this.#state, entry, nowMs);
      const moved = await applyTiering(this.#state, entry, nowMs, signal);
      if (!dropped && !moved) continue;
      results.push({
        table: entry.def.name,
        droppedBeforeNs: dropped?.droppedBeforeNs ?? null,
        rowsDropped: dropped?.rowCount ?? 0,
        chunksDropped: dropped?.chunkCount ?? 0,
        rowsMoved: moved?.rowCount ?? 0,
        chunksMoved: moved?.chunkCount ?? 0,
      });
    }
    return results;
  }

  /** Gives up what is being moved and does not begin again. */
  async stop(): Promise<void> {
    this.#abort.abort();
    clearTimeout(this.#timer);
    await this.#last;
  }
}
