/** The background job that lets tables age: now and then, each table's retention, then its cold tier. */
import type { AgingResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { applyRetention } from './retention.ts';
import { applyTiering } from './tiering.ts';

/** See the head of this file. */
export class Aging {
  readonly #state: EngineState;
  readonly #intervalMs: number;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** Settles when the last run asked for has. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(state: EngineState, intervalMs: number) {
    this.#state = state;
    this.#intervalMs = intervalMs;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    this.#timer = setTimeout(() => {
      const failed = (error: unknown): void =>
        this.#state.log.error({ err: error }, 'old rows could not be dropped or moved; it is tried again');
      void this.run()
        .catch(failed)
        .then(() => this.#schedule());
    }, this.#intervalMs);
    this.#timer.unref();
  }

  /** Does both now, after runs asked for before; what was dropped and moved, tables of which nothing was left out. */
  run(): Promise<AgingResult[]> {
    const run = this.#last.then(() => this.#runNow());
    this.#last = run.catch(() => {});
    return run;
  }

  async #runNow(): Promise<AgingResult[]> {
    const results: AgingResult[] = [];
    const { signal } = this.#abort;
    for (const entry of this.#state.catalog.all()) {
      if (signal.aborted) break;
      const dropped = await applyRetention(this.#state, entry);
      const moved = await applyTiering(this.#state, entry, signal);
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
