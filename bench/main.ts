/** `npm run bench`: runs the scenarios and prints each figure beside its peer's. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerParent, childFlag, runInChild } from './harness/child.ts';
import { describeMachine, type MachineFacts, machineFacts } from './harness/machine.ts';
import { type BenchOptions, readOptions, usage } from './harness/options.ts';
import { formatScenario, type RunResult, ratioTo, summarize } from './harness/report.ts';
import type { Scenario } from './harness/scenario.ts';
import { scenarios } from './scenarios.ts';

/** The folder this file was compiled to: `build`. */
const build = join(import.meta.dirname, '..');

async function main(args: string[]): Promise<void> {
  if (args[0] === childFlag) return answerParent(scenarios, args[1]);
  const options = readOptions(args);
  if (!options) return void process.stdout.write(usage);
  const chosen = scenarios.filter(
    ({ name }) => options.only.length === 0 || options.only.some((part) => name.includes(part)),
  );
  if (chosen.length === 0) throw new Error('no scenario has such a name; --list names them');
  if (options.list) return console.log(chosen.map(({ name, title }) => `${name}: ${title}`).join('\n'));
  const facts = machineFacts();
  console.log(`${describeMachine(facts)}\n`);
  const failed: string[] = [];
  for (const scenario of chosen)
    if (!(await runScenario(scenario, options, facts))) failed.push(scenario.name);
  if (failed.length === 0) return;
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}

/** Prints the result; a failure is reported and the next scenario goes on. */
async function runScenario(scenario: Scenario, options: BenchOptions, facts: MachineFacts): Promise<boolean> {
  const rows = options.rows ?? scenario.rows;
  try {
    const results = await runRounds(scenario, rows, options);
    console.log(`${formatScenario(scenario, rows, results)}\n`);
    if (options.save !== null) save(options.save, scenario, rows, results, facts);
    return true;
  } catch (error) {
    console.error(`${scenario.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

/** Every round runs everything once, every other round in the opposite order: a drift of the machine evens out. */
async function runRounds(scenario: Scenario, rows: number, options: BenchOptions): Promise<RunResult[]> {
  const [ours] = scenario.runs;
  const plan = scenario.runs.map(({ name }) => ({ name, run: name, build }));
  if (options.against !== null)
    plan.push({ name: `${ours.name}, ${options.against}`, run: ours.name, build: options.against });
  const results: RunResult[] = plan.map(({ name }) => ({ name, rounds: [] }));
  for (let round = 0; round < options.rounds; round++) {
    const order = [...plan.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      const { run, build: folder } = plan[index];
      const profile = index === 0 ? options.profile : null;
      const task = { scenario: scenario.name, run, options: { rows } };
      results[index].rounds.push(await runInChild(folder, task, profile));
    }
  }
  return results;
}

function save(
  file: string,
  scenario: Scenario,
  rows: number,
  results: readonly RunResult[],
  machine: MachineFacts,
): void {
  const runs = results.map((result, index) => ({
    name: result.name,
    rounds: result.rounds.length,
    figures: summarize(result),
    ratio: index === 0 ? null : ratioTo(results[0], result),
  }));
  appendFileSync(file, `${JSON.stringify({ scenario: scenario.name, rows, runs, machine })}\n`);
}

await main(process.argv.slice(2));
