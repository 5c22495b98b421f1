/**
 * The bars of one series, ascending by time, no time twice.
 *
 * Guarantee: whatever order live states, closed bars and corrections arrive in, the array is what one read of the
 * range would give. Functions change the array in place and say what changed, so that the chart redraws no more
 * than it must.
 */
import type { Bar } from './bar.ts';

/**
 * What {@link applyBar} did: `appended` a new last bar, `replaced` the last one, `corrected` an older one in place,
 * `inserted` one into a gap, or `ignored` a bar older than everything loaded (it is read when the user scrolls there).
 */
export type BarChange = 'appended' | 'replaced' | 'corrected' | 'inserted' | 'ignored';

/** Puts one bar in its place. `complete`: history before the first bar is known to be empty, so older bars belong. */
export function applyBar(bars: Bar[], bar: Bar, complete: boolean): BarChange {
  const last = bars.at(-1);
  if (!last || bar.timeMs > last.timeMs) {
    bars.push(bar);
    return 'appended';
  }
  if (bar.timeMs === last.timeMs) {
    bars[bars.length - 1] = bar;
    return 'replaced';
  }
  const index = indexAtOrAfter(bars, bar.timeMs);
  if (bars[index].timeMs === bar.timeMs) {
    bars[index] = bar;
    return 'corrected';
  }
  if (index === 0 && !complete) return 'ignored';
  bars.splice(index, 0, bar);
  return 'inserted';
}

/** Adds history before the first bar; bars that are already there win. Returns how many were added. */
export function prependBars(bars: Bar[], older: readonly Bar[]): number {
  const firstMs = bars.at(0)?.timeMs ?? Number.POSITIVE_INFINITY;
  const added = sortedByTime(older).filter((bar) => bar.timeMs < firstMs);
  bars.splice(0, 0, ...added);
  return added.length;
}

/** Drops the oldest bars beyond `barsMax`, a quarter of it at once so that it happens seldom. True if any went. */
export function trimBars(bars: Bar[], barsMax: number): boolean {
  if (bars.length <= barsMax) return false;
  bars.splice(0, bars.length - Math.floor(barsMax * 0.75));
  return true;
}

/** A copy in ascending order in which a later bar of the same time has replaced the earlier. */
export function sortedByTime(bars: readonly Bar[]): Bar[] {
  const byTime = new Map(bars.map((bar) => [bar.timeMs, bar]));
  return [...byTime.values()].sort((a, b) => a.timeMs - b.timeMs);
}

/** The bar that starts at `timeMs` and the one before it; undefined where there is none. */
export function barAt(
  bars: readonly Bar[],
  timeMs: number,
): { bar: Bar; previous: Bar | undefined } | undefined {
  const index = indexAtOrAfter(bars, timeMs);
  const bar = bars.at(index);
  return bar && index < bars.length && bar.timeMs === timeMs ? { bar, previous: bars[index - 1] } : undefined;
}

function indexAtOrAfter(bars: readonly Bar[], timeMs: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bars[middle].timeMs < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
