import { parseArgs } from 'node:util';

/** The command line of the benchmark. */
export interface BenchOptions {
  /** Scenarios whose name contains one of these; all when empty. */
  only: string[];
  /** Overrides each scenario's number of rows. */
  rows: number | null;
  rounds: number;
  /** Another build of this project (its `build` folder) to run our part of each scenario beside this one. */
  against: string | null;
  /** Folder for a CPU profile of each of our runs. */
  profile: string | null;
  /** File to which the results are appended, a JSON object a line. */
  save: string | null;
  list: boolean;
}

/** Help for `--help`. */
export const usage = `npm run bench -- [options]
  --only NAME      only scenarios whose name contains NAME; may be repeated
  --rows N         rows instead of each scenario's own number
  --rounds N       rounds of alternating runs, default 3; medians are printed
  --against BUILD  run our part beside another build of this project, e.g. ../base/build
  --profile DIR    write a CPU profile of each of our runs
  --save FILE      append the results, a JSON object a line
  --list           name the scenarios
`;

/** Reads the command line; undefined when help is asked for. Throws on unknown options. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', multiple: true },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      against: { type: 'string' },
      profile: { type: 'string' },
      save: { type: 'string' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  return {
    only: values.only ?? [],
    rows: values.rows === undefined ? null : wholeNumber('rows', values.rows),
    rounds: values.rounds === undefined ? 3 : wholeNumber('rounds', values.rounds),
    against: values.against ?? null,
    profile: values.profile ?? null,
    save: values.save ?? null,
    list: values.list ?? false,
  };
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} ${text} is not a whole number above 0`);
  return value;
}
