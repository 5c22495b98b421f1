/** Which bars of a page are whole, and which are not. */

import type { TextColumn } from '../../../market/columns.ts';
import { textColumn } from '../../../market/columns.ts';
import type { BarSource } from '../bar-source.ts';
import { barsBefore } from '../bar-source.ts';
import type { BarPage } from './bar-page.ts';

/** Name of the column that `flags` adds to bars. */
export const barStateName = 'bar_state';

/**
 * - `filled`: no tick made it.
 * - `live`: its bucket has not ended yet, so it may still change.
 * - `first`: the first bar of its series, whose data begin inside its bucket (after its start): it may lack ticks.
 * - `complete`: none of these.
 */
export type BarState = 'complete' | 'live' | 'first' | 'filled';

/** The state of each bar; `knownT` is how far time has come. */
export async function barStates(source: BarSource, page: BarPage, knownT: number): Promise<TextColumn> {
  const { starts, filled } = page;
  const firstBars = await firstOfSeries(source, page);
  const states = Array.from(starts, (start, i): BarState => {
    if (filled[i] === 1) return 'filled';
    if (source.bucketing.bucketOf(start).end > knownT) return 'live';
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
  const before = await barsBefore(
    source,
    mayBe.map((i) => groups[i]),
    (group) => starts[earliest.get(group) ?? 0],
  );
  return new Set(mayBe.filter((i) => !before.has(groups[i])));
}
