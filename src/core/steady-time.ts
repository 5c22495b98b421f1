import type { Clock } from './clock.ts';

/** An hour: by then a clock that was set wrong has been set right, by a person or by NTP. */
const settleMsDefault = 3_600_000;

/** A leap of less than this is none: clocks are slewed, and readings of the two clocks lie apart. */
const slackMs = 60_000;

/**
 * The wall clock for what cannot be taken back, such as dropping what is too old. A leap ahead counts only once it
 * has lasted for `settleMs` of the monotonic clock; until then time goes on from where it was. A leap back counts at
 * once: then less is dropped. What the wall clock says when this is made is believed.
 */
export function createSteadyTime(clock: Clock, settleMs: number = settleMsDefault): () => number {
  /** Wall time minus monotonic time, as believed and as it was first seen to be ahead. */
  let offsetMs = clock.nowMs() - clock.monotonicMs();
  let aheadSinceMs: number | null = null;
  return () => {
    const monotonicMs = clock.monotonicMs();
    const seenMs = clock.nowMs() - monotonicMs;
    const isAhead = seenMs > offsetMs + slackMs;
    if (!isAhead) aheadSinceMs = null;
    else aheadSinceMs ??= monotonicMs;
    if (aheadSinceMs === null || monotonicMs - aheadSinceMs >= settleMs) {
      offsetMs = seenMs;
      aheadSinceMs = null;
    }
    return monotonicMs + offsetMs;
  };
}
