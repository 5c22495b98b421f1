/** The background job that lets tables age: now and then, each table's retention. */
import type { RetentionResult } from '../database.ts';
import type { EngineState } from '../engine-state.ts';
import { applyRetention } from './retention.ts';

/** See the head of this file. */
export class Aging {
  readonly #state: EngineState;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(state: EngineState, intervalMs: number) {
    this.#state = state;
    this.#intervalMs = intervalMs;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      const failed = (error: unknown): void =>
        this.#state.log.error({ err: error }, 'old rows could not be dropped; it is tried again');
      this.#running = this.dropOld().then(() => undefined, failed);
      void this.#running.then(() => this.#schedule());
    }, this.#intervalMs);
    this.#timer.unref();
  }

  /** Drops now what the tables' retention lets go; what was dropped of each. */
  async dropOld(): Promise<RetentionResult[]> {
    const results: RetentionResult[] = [];
    for (const entry of this.#state.catalog.all()) {
      if (this.#isStopped) break;
      const result = await applyRetention(this.#state, entry);
      if (result) results.push(result);
    }
    return results;
  }

  /** Waits for what is being done and does not begin again. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
