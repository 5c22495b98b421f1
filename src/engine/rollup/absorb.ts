/**
 * History into a rollup and those built on it: parts of bars of a time that passed long ago.
 *
 * ```
 *   parts ──newest closed bar of the group, or newer──► ordinary intake (open bar, closed rows in memory)
 *     └────older──► `history` of the rollup ──► absorb of every child       the next flush stores `history`
 * ```
 *
 * What is older than a group's newest closed bar does not go through memory's blocks, where it would push out the
 * newest rows that they are for; it waits in `history` for the flush, which merges it with what is stored of the bar.
 */
import { rowsBetween } from './bar-intake.ts';
import { BarsByBucket } from './bars-by-bucket.ts';
import type { Partials } from './partials.ts';
import type { RollupNode } from './rollup-node.ts';

/**
 * Takes the rows named, newest first per group, of parts that have the slots of the node's source (of ticks folded for
 * it: its own). Readers may see some of it before the next flush.
 */
export function absorb(node: RollupNode, from: Partials, rows: Int32Array, lsn: number): void {
  const { recent, past } = split(node, from, rows);
  node.merge(from, recent.reverse(), lsn);
  if (past.length === 0) return;
  const bars = new BarsByBucket(node.plan);
  bars.add(from, past, node.sourceSlots);
  const { partials } = bars;
  node.history.add(partials, rowsBetween(0, partials.length), node.ownSlots);
  const { evictedMaxT } = node.closed;
  for (let row = 0; row < partials.length; row++) {
    const group = partials.group[row];
    // Readers must ask the store for it.
    if (partials.start[row] > evictedMaxT[group]) evictedMaxT[group] = partials.start[row];
  }
  for (const child of node.children) absorb(child, partials, rowsSince(partials, child.filledFrom), lsn);
}

/** Parts of bars that are, or come after, the newest closed bar of their group; and the others. */
function split(node: RollupNode, from: Partials, rows: Int32Array): { recent: Int32Array; past: Int32Array } {
  const { latestT } = node.closed;
  const { bucketing } = node.plan;
  const recent = new Int32Array(rows.length);
  const past = new Int32Array(rows.length);
  let recentCount = 0;
  let pastCount = 0;
  let { start, end } = { start: 0, end: 0 };
  for (const row of rows) {
    const t = from.start[row];
    if (t < start || t >= end) ({ start, end } = bucketing.bucketOf(t));
    if (start < latestT[from.group[row]]) past[pastCount++] = row;
    else recent[recentCount++] = row;
  }
  return { recent: recent.subarray(0, recentCount), past: past.subarray(0, pastCount) };
}

function rowsSince({ start, length }: Partials, filledFrom: number): Int32Array {
  const all = rowsBetween(0, length);
  return filledFrom === Number.NEGATIVE_INFINITY ? all : all.filter((row) => start[row] >= filledFrom);
}
