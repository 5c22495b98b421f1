/**
 * A benchmark is a scenario with one or more runs. The first run is ours; the others are peers doing the same work
 * beside it. Each run of each round has a process of its own, so that no run warms, fragments or slows another.
 */

/** One measured value. The first figure of a run is the one ratios are made of. */
export interface Figure {
  label: string;
  value: number;
  unit: 'rows/s' | 'ms' | 'us' | 'MB' | 'B/row';
}

/** What a run is told. */
export interface RunOptions {
  /** Rows to move; what a row is, the scenario says. */
  rows: number;
}

/** One way of doing a scenario's work. It checks its own result and throws when that is wrong. */
export interface Run {
  name: string;
  run(options: RunOptions): Promise<Figure[]>;
}

/** See the head of this file. */
export interface Scenario {
  name: string;
  title: string;
  /** Default number of rows. */
  rows: number;
  /** What the project holds itself to; printed beside the result. */
  target?: string;
  runs: [Run, ...Run[]];
}

/** Is a larger value of this unit better? */
export function isRate(unit: Figure['unit']): boolean {
  return unit === 'rows/s';
}
