/** Runs in processes of their own: both sides. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Figure, RunOptions, Scenario } from './scenario.ts';

/** First argument of a child process. */
export const childFlag = '--run';

/** Which run a child process is to do. */
export interface ChildTask {
  scenario: string;
  run: string;
  options: RunOptions;
}

/** A run may take the longer of ten minutes and 20 µs a row. */
const timeoutMs = 600_000;
const timeoutMsPerRow = 0.02;

/** Runs the task in a process of its own, in this build or another, and returns its figures. */
export function runInChild(
  build: string,
  task: ChildTask,
  profileDirectory: string | null,
): Promise<Figure[]> {
  const profiling =
    profileDirectory === null
      ? []
      : ['--cpu-prof', '--cpu-prof-dir', profileDirectory, '--cpu-prof-name', `${task.scenario}.cpuprofile`];
  return new Promise((resolve, reject) => {
    const child = fork(join(build, 'bench/main.js'), [childFlag, JSON.stringify(task)], {
      execArgv: ['--enable-source-maps', '--expose-gc', ...profiling],
      timeout: Math.max(timeoutMs, task.options.rows * timeoutMsPerRow),
    });
    let figures: Figure[] | undefined;
    child.on('message', (message) => {
      figures = message as Figure[];
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0 && figures) resolve(figures);
      else reject(new Error(`${task.scenario}, ${task.run}: the process ended with ${signal ?? code}`));
    });
  });
}

/** The child's side: does the run and sends its figures to the parent. */
export async function answerParent(scenarios: readonly Scenario[], taskText: string): Promise<void> {
  const task = JSON.parse(taskText) as ChildTask;
  const run = scenarios
    .find(({ name }) => name === task.scenario)
    ?.runs.find(({ name }) => name === task.run);
  if (!run) throw new Error(`there is no run '${task.run}' of '${task.scenario}'`);
  const figures = await run.run(task.options);
  await new Promise<void>((resolve, reject) => {
    process.send?.(figures, (error: Error | null) => (error ? reject(error) : resolve()));
  });
  process.disconnect();
}
