/** The results as text: medians with their spread, and ratios of the runs made side by side. */
import type { Figure, Scenario } from './scenario.ts';
import { isRate } from './scenario.ts';
import { median } from './statistics.ts';

/** All rounds of one run. */
export interface RunResult {
  name: string;
  rounds: Figure[][];
}

/** The figures of a run by label: median, least, greatest. */
export interface FigureSummary {
  label: string;
  unit: Figure['unit'];
  median: number;
  min: number;
  max: number;
}

/** Sums up the rounds. */
export function summarize({ rounds }: RunResult): FigureSummary[] {
  return rounds[0].map(({ label, unit }, index) => {
    const values = rounds.map((figures) => figures[index].value);
    return { label, unit, median: median(values), min: Math.min(...values), max: Math.max(...values) };
  });
}

/**
 * How many times better ours is than the peer: the median over the rounds of the ratio within the round. Null if they
 * measured different things.
 */
export function ratioTo(ours: RunResult, peer: RunResult): number | null {
  const { unit } = ours.rounds[0][0];
  if (peer.rounds[0][0].unit !== unit) return null;
  const ratios = ours.rounds.map(([own], round) => {
    const other = peer.rounds[round][0].value;
    return isRate(unit) ? own.value / other : other / own.value;
  });
  return median(ratios);
}

/** One scenario's block of the report. */
export function formatScenario(scenario: Scenario, rows: number, results: readonly RunResult[]): string {
  const head = `${scenario.name}: ${scenario.title} (${rows.toLocaleString('en')} rows)`;
  const width = Math.max(...results.map(({ name }) => name.length)) + 2;
  const lines = results.map((result, index) => {
    const ratio = index === 0 ? null : ratioTo(results[0], result);
    const note = ratio === null ? '' : `   first run is ${ratio.toFixed(2)} × as good`;
    const figures = summarize(result).map(formatFigure).join('   ');
    return `  ${result.name.padEnd(width)}${figures}${note}`;
  });
  const target = scenario.target === undefined ? [] : [`  target: ${scenario.target}`];
  return [head, ...lines, ...target].join('\n');
}

function formatFigure({ label, unit, median: middle, min, max }: FigureSummary): string {
  const value = (amount: number): string =>
    unit === 'rows/s' ? (amount / 1e6).toFixed(2) : amount.toFixed(amount < 10 ? 2 : 1);
  const shown = unit === 'rows/s' ? 'M rows/s' : unit;
  return `${label} ${value(middle)} ${shown} (${value(min)}…${value(max)})`;
}
