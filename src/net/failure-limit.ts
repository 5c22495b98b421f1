import type { Clock } from '../core/clock.ts';
import { CandelaError } from '../core/errors.ts';

/** Keys remembered: the one that failed longest ago makes room, so that memory is bounded whoever knocks. */
const keysMax = 10_000;

/** Counts failures by key; after too many a key has to wait. */
export interface FailureLimit {
  /** Throws `LIMIT_EXCEEDED` while the key has to wait. */
  check(key: string): void;
  add(key: string): void;
  clear(key: string): void;
}

/** A key that failed `failuresMax` times, each within `pauseMs` of the one before, waits `pauseMs` from the last. */
export function createFailureLimit(clock: Clock, failuresMax: number, pauseMs: number): FailureLimit {
  const byKey = new Map<string, { count: number; lastMs: number }>();
  const recent = (key: string): { count: number; lastMs: number } => {
    const entry = byKey.get(key);
    return entry && clock.monotonicMs() - entry.lastMs < pauseMs ? entry : { count: 0, lastMs: 0 };
  };
  return {
    check(key) {
      const { count, lastMs } = recent(key);
      if (count < failuresMax) return;
      const leftMs = lastMs + pauseMs - clock.monotonicMs();
      throw new CandelaError('LIMIT_EXCEEDED', 'too many failed log-ins', {
        help: `Wait ${Math.ceil(leftMs / 1000)} seconds and use the right credentials.`,
      });
    },
    add(key) {
      const count = recent(key).count + 1;
      byKey.delete(key);
      byKey.set(key, { count, lastMs: clock.monotonicMs() });
      for (const oldest of byKey.keys()) {
        if (byKey.size <= keysMax) break;
        byKey.delete(oldest);
      }
    },
    clear: (key) => byKey.delete(key),
  };
}
