import type { Figure } from '../harness/scenario.ts';

/** Elapsed time by the wall clock and by the processor time of all threads of this process. */
export interface Elapsed {
  wallMs: number;
  cpuMs: number;
}

/** Starts to measure; the result tells what has passed since. */
export function startStopwatch(): () => Elapsed {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { wallMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
  };
}

/** Rows a second. */
export function rate(label: string, rows: number, ms: number): Figure {
  return { label, value: (rows / ms) * 1000, unit: 'rows/s' };
}

/**
 * Figures of work on one thread: rows a second of processor time, which other programs on the machine hardly disturb,
 * then of the clock.
 */
export function threadRates(rows: number, { wallMs, cpuMs }: Elapsed): Figure[] {
  return [rate('of processor time', rows, cpuMs), rate('of clock time', rows, wallMs)];
}
