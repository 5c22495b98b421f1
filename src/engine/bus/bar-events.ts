/** Bars as subscribers get them: closed, live, corrected. */

import { concatSets } from '../../market/column-ops.ts';
import type { ColumnSet } from '../../market/columns.ts';
import type { RollupEntry } from '../catalog/catalog.ts';
import { visibleBars } from '../read/visible-bars.ts';
import type { BarsBefore } from '../rollup/outputs.ts';
import { Partials } from '../rollup/partials.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';

/** Bars and the group of each. */
export interface GroupedBars {
  groups: Int32Array;
  rows: ColumnSet;
}

/** A (group, bucket start) whose closed bar changed. */
export interface BarKey {
  group: number;
  start: number;
}

/** The bars closed from closed row `fromRow` on, and the bars that late parts among those rows belong to. */
export function closedSince(
  entry: RollupEntry,
  fromRow: number,
): { closed: GroupedBars | null; late: BarKey[] } {
  const { node } = entry;
  const sets: GroupedBars[] = [];
  const late: BarKey[] = [];
  for (const block of node.closed.blocks) {
    if (block.baseRow + block.length <= fromRow) continue;
    const whole: number[] = [];
    for (let at = Math.max(fromRow - block.baseRow, 0); at < block.length; at++) {
      const group = block.series[at];
      const start = block.t[at];
      const isAnnounced = node.announcedStart[group] === start;
      if (block.payload.late[at] === 1) late.push({ group, start });
      else if (!isAnnounced) whole.push(at);
      else if (node.announcedTicks[group] !== block.payload.partials.rows[at]) late.push({ group, start });
    }
    if (whole.length === 0) continue;
    const rows = Int32Array.from(whole);
    const { partials } = block.payload;
    sets.push({
      groups: rows.map((at) => block.series[at]),
      rows: visibleBars(entry, partials, rows, barsBefore(node)),
    });
  }
  return { closed: sets.length === 0 ? null : joined(sets), late };
}

function joined(sets: GroupedBars[]): GroupedBars {
  return {
    groups: Int32Array.from(sets.flatMap(({ groups }) => [...groups])),
    rows: concatSets(sets.map(({ rows }) => rows)),
  };
}

/**
 * Bars that still stand open although their bucket ended at or before `horizon`, and were not told of yet; they
 * count as
 * told from now on. Should another tick reach one, it comes again as a correction.
 */
export function overdueBars(entry: RollupEntry, horizon: number): GroupedBars | null {
  const { node } = entry;
  const one = new Partials(node.plan.slots, 1);
  const due: number[] = [];
  for (let group = 0; group < node.groupCount; group++) {
    if (!node.live(group, one, 0)) continue;
    const isDue = node.plan.bucketing.bucketOf(one.start[0]).end <= horizon;
    if (!isDue || node.announcedStart[group] >= one.start[0]) continue;
    node.announcedStart[group] = one.start[0];
    node.announcedTicks[group] = one.rows[0];
    due.push(group);
  }
  return due.length === 0 ? null : liveBars(entry, Int32Array.from(due));
}

/**
 * Of the groups named the bars told as closed that stand open and have grown since; they count as told as they
 * are now.
 */
export function regrownBars(entry: RollupEntry, groups: Int32Array, count: number): GroupedBars | null {
  const { node } = entry;
  const one = new Partials(node.plan.slots, 1);
  const regrown: number[] = [];
  for (let i = 0; i < count; i++) {
    const group = groups[i];
    const start = node.announcedStart[group];
    if (start === Number.NEGATIVE_INFINITY || !node.live(group, one, 0) || one.start[0] !== start) continue;
    if (one.rows[0] === node.announcedTicks[group]) continue;
    node.announcedTicks[group] = one.rows[0];
    regrown.push(group);
  }
  return regrown.length === 0 ? null : liveBars(entry, Int32Array.from(regrown));
}

/** The present bars of the groups that have an open one. */
export function liveBars(entry: RollupEntry, wanted: Int32Array): GroupedBars {
  const { node } = entry;
  const live = new Partials(node.plan.slots, wanted.length);
  const from = node.droppedBeforeNs === null ? Number.NEGATIVE_INFINITY : Number(node.droppedBeforeNs);
  for (const group of wanted)
    if (node.live(group, live, live.length) && live.start[live.length] >= from) live.length++;
  const rows = Int32Array.from({ length: live.length }, (_, row) => row);
  return {
    groups: live.group.slice(0, live.length),
    rows: visibleBars(entry, live, rows, barsBefore(node)),
  };
}

/** What memory knows of the bars before: for bars told as they close, which need not follow one another. */
export function barsBefore(node: RollupNode): BarsBefore {
  return {
    valueOf: (group, slot, start) => node.lastValueBefore(group, start, slot),
    areAdjacent: false,
  };
}
