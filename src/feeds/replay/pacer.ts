import type { Clock } from '../../core/clock.ts';

/** How fast a recording is replayed: a multiple of its own time, or without waiting. */
export type ReplaySpeed = number | 'max';

/** Milliseconds to wait before the row of the given time; 0 when it is due. The first row starts the clock. */
export function createPacer(speed: ReplaySpeed, clock: Clock): (timeNs: bigint) => number {
  if (speed === 'max') return () => 0;
  let origin: { timeNs: bigint; ms: number } | undefined;
  return (timeNs) => {
    origin ??= { timeNs, ms: clock.monotonicMs() };
    const dueMs = Number(timeNs - origin.timeNs) / 1e6 / speed;
    return Math.max(0, dueMs - (clock.monotonicMs() - origin.ms));
  };
}
