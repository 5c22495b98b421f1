/** The bars that columns count from: `increase` is the growth since the bar before. */
import type { EngineState } from '../engine-state.ts';
import type { BarsBefore } from '../rollup/outputs.ts';
import { nothingBefore } from '../rollup/outputs.ts';
import type { Partials } from '../rollup/partials.ts';
import { asDoubles } from '../rollup/slots.ts';
import type { BarsTarget } from '../tables/bars-target.ts';
import type { BarRow } from './newest-bars.ts';
import { newestBarBefore } from './newest-bars.ts';
import { needsBarBefore } from './visible-bars.ts';

/** For rows between which no bar of their groups is missing: the bar before the first row of each group. */
export async function beforeRows(
  state: EngineState,
  target: BarsTarget,
  partials: Partials,
  rows: Int32Array,
): Promise<BarsBefore> {
  const isNeeded = needsBarBefore(target.node.plan) && rows.length > 0;
  return isNeeded ? beforeBars(state, target, partials, rows) : nothingBefore;
}

/** {@link beforeRows} for whoever knows that they are needed. */
export async function beforeBars(
  state: EngineState,
  target: BarsTarget,
  partials: Partials,
  rows: Int32Array,
): Promise<BarsBefore> {
  const earliest = new Map<number, number>();
  for (const row of rows) {
    const known = earliest.get(partials.group[row]) ?? Number.POSITIVE_INFINITY;
    earliest.set(partials.group[row], Math.min(known, partials.start[row]));
  }
  const found = new Map<number, BarRow | null>();
  for (const [group, start] of earliest) found.set(group, await newestBarBefore(state, target, group, start));
  const lastOf = (group: number, slot: number): number => {
    const bar = found.get(group);
    return bar ? asDoubles(bar.partials.slots[slot].store(Int32Array.of(bar.row))[0])[0] : Number.NaN;
  };
  return { valueOf: lastOf, areAdjacent: true };
}
