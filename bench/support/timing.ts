import type { Figure } from '../harness/scenario.ts';
import { median, quantile } from '../harness/statistics.ts';
import { startStopwatch } from './stopwatch.ts';

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

/**
 * Medians of some runs by the clock and by the processor time of all threads of this process, which other programs on
 * the machine disturb less. The first run only warms up.
 */
export async function timeFigures(
  label: string,
  count: number,
  run: () => Promise<void>,
): Promise<[Figure, Figure]> {
  const wallMs: number[] = [];
  const cpuMs: number[] = [];
  await run();
  for (let i = 0; i < count; i++) {
    const elapsed = startStopwatch();
    await run();
    const took = elapsed();
    wallMs.push(took.wallMs);
    cpuMs.push(took.cpuMs);
  }
  return [
    { label, value: median(wallMs), unit: 'ms' },
    { label: 'of processor time', value: median(cpuMs), unit: 'ms' },
  ];
}
