import type { PageBar } from './bar-page.ts';

/** Buckets, the bars there are in them, and what came before. */
export interface Window {
  /** Bucket starts, ascending. */
  starts: Float64Array;
  /** Bars from the first bucket on, ascending by (start, group). */
  real: readonly PageBar[];
  /** Of each series that has begun its newest bar before; kept up to date. */
  known: Map<number, number>;
  /** The newest bucket of a group that may be filled. */
  lastStartOf(group: number): number;
}

/** Every bar of the window, by (start, group): a real one, or one filled in where the series has begun. */
export function mergeWindow({ starts, real, known, lastStartOf }: Window): PageBar[] {
  const bars: PageBar[] = [];
  let begun = [...known.keys()].sort((a, b) => a - b);
  let at = 0;
  const take = (): void => {
    const bar = real[at++];
    if (!known.has(bar.group)) begun = inserted(begun, bar.group);
    known.set(bar.group, bar.row);
    bars.push(bar);
  };
  for (const start of starts) {
    // Bars of a calendar that has changed since may lie beside its buckets.
    while (at < real.length && real[at].start < start) take();
    // Series that begin in this bucket are not among those to be filled in it.
    for (const group of begun) {
      while (isOf(real[at], start) && real[at].group < group) take();
      if (isOf(real[at], start) && real[at].group === group) take();
      else if (start <= lastStartOf(group))
        bars.push({ row: known.get(group) ?? -1, group, start, isFilled: true });
    }
    while (isOf(real[at], start)) take();
  }
  while (at < real.length) take();
  return bars;
}

function isOf(bar: PageBar | undefined, start: number): boolean {
  return bar !== undefined && bar.start === start;
}

function inserted(sorted: readonly number[], value: number): number[] {
  const at = sorted.findIndex((other) => other > value);
  return at < 0 ? [...sorted, value] : [...sorted.slice(0, at), value, ...sorted.slice(at)];
}
