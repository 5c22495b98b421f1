import { quantile } from '../harness/statistics.ts';

/** Times of `count` runs one after the other, in ms, without the first tenth (at least one), which warms up. */
export async function timesOf(count: number, run: (index: number) => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startMs = performance.now();
    await run(i);
    times.push(performance.now() - startMs);
  }
  return times.slice(Math.ceil(count / 10));
}

/** Their median. */
export async function medianMs(count: number, run: (index: number) => Promise<void>): Promise<number> {
  return quantile(await timesOf(count, run), 0.5);
}
