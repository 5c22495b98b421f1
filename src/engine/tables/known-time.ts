import type { RollupEntry } from '../catalog/catalog.ts';
import type { RowTable } from './row-table.ts';

/**
 * A table whose newest row was at most so old when it came is live: for it the wall clock moves on even when no
 * rows come.
 */
const liveWithinMs = 60_000;

/**
 * How far time has come for a table, ns as in `t256`: the time of its newest row, or for a live table that of the clock
 * where it is later. -Infinity for a table without rows.
 */
export function knownTime({ watermarkT, appliedAtMs }: RowTable, nowMs: number): number {
  const isLive = Math.abs(appliedAtMs - watermarkT / 1e6) < liveWithinMs;
  return isLive ? Math.max(watermarkT, nowMs * 1e6) : watermarkT;
}

/** {@link knownTime} as the bars of a rollup know it, which may outlive their ticks. */
export function knownTimeOfBars({ node, ticks }: RollupEntry, nowMs: number): number {
  return node
    .newestStarts()
    .reduce((latest, start) => Math.max(latest, start), knownTime(ticks.table, nowMs));
}
