/** Which bars of a page are whole, and which are not. */

import type { TextColumn } from '../../../market/columns.ts';
import { textColumn } from '../../../market/columns.ts';
import type { BarSource } from '../bar-source.ts';
import type { BarPage } from './bar-page.ts';

/** Name of the column that `flags` adds to bars. */
export const barStateName = 'bar_state';

/**
 * - `filled`: no tick made it.
 * - `live`: its bucket has not ended yet, so it may still change.
 * - `partial`: a back-fill of the rollup has not come down to it yet.
 * - `first`: the first bar of its series, whose data begin inside its bucket (after its start): it may lack ticks.
 * - `complete`: none of these.
 */
export type BarState = 'complete' | 'live' | 'partial' | 'first' | 'filled';

/** The state of each bar; `knownT` is how far time has come. */
export async function barStates(source: BarSource, page: BarPage, knownT: number): Promise<TextColumn> {
  const { starts, filled } = page;
  const firstBars = await firstOfSeries(source, page);
  const states = Array.from(starts, (start, i): BarState => {
    if (filled[i] === 1) return 'filled';
    if (source.bucketing.bucketOf(start).end > knownT) return 'live';
    if (start < source.completeFrom) return 'partial';
    return firstBars.has(i) ? 'first' : 'complete';
  });
  return textColumn(states);
}

/** Bars of the page that are the first of their series and begin after their bucket does. */
async function firstOfSeries(source: BarSource, page: BarPage): Promise<Set<number>> {
  const { partials, rows, groups, starts, filled } = page;
  const earliest = new Map<number, number>();
  for (const [i, group] of groups.entries()) {
    const known = earliest.get(group);
    if (known === undefined || starts[i] < starts[known]) earliest.set(group, i);
  }
  const mayBe = [...earliest.values()].filter((i) => filled[i] === 0 && partials.firstT[rows[i]] > starts[i]);
  if (mayBe.length === 0) return new Set();
  // A page holds every bar between its ends, but in its oldest bucket it may lack some that lie beyond its end.
  const oldest = starts.reduce((least, start) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const isOldest = (i: number): boolean => starts[i] === oldest;
  const groupsOf = (some: number[]): number[] => some.map((i) => groups[i]);
  const before = await source.before(groupsOf(mayBe.filter(isOldest)), oldest);
  const others = groupsOf(mayBe.filter((i) => !isOldest(i)));
  const upTo = await source.before(others, source.bucketing.next(oldest).start);
  return new Set(mayBe.filter((i) => !(isOldest(i) ? before : upTo).has(groups[i])));
}
