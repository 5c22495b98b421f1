import { readFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CandelaError } from '../../core/errors.ts';
import { printResult, type ResultFormat, resultFormats } from '../sql/print-result.ts';
import { splitStatements } from '../sql/split-statements.ts';
import { addTargetOptions, openTarget } from '../target.ts';

interface SqlFlags {
  command?: string;
  file?: string;
  format: ResultFormat;
  rowsMax: number;
}

/** `candela sql`: statements from the command line, a file, a pipe or a person. */
export function registerSql(program: Command): void {
  const command = program
    .command('sql')
    .description('run SQL: interactively, from -c or -f, or from a pipe')
    .option('-c, --command <sql>', 'statements to run, separated by semicolons')
    .option('-f, --file <file>', 'file of statements to run')
    .addOption(
      new Option('--format <format>', 'how to write results').choices(resultFormats).default('table'),
    )
    .option('--rows-max <number>', 'most rows of a result', parseCount, 1_000_000);
  addTargetOptions(command);
  command.action((flags: SqlFlags) => runSql(command, flags));
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1 to 999999999.');
}

async function runSql(command: Command, flags: SqlFlags): Promise<void> {
  const text = await textToRun(flags);
  const database = await openTarget(command, { create: false });
  const run = async (statement: string): Promise<void> =>
    printResult(await database.sql(statement, { rowsMax: flags.rowsMax }), flags.format);
  try {
    if (text === null) await (await import('../sql/interactive.ts')).runInteractive(database, run);
    else {
      const { statements, rest } = splitStatements(text);
      // The last statement of a script or of -c needs no semicolon.
      for (const statement of [...statements, rest]) if (statement.trim() !== '') await run(statement);
    }
  } finally {
    await database.close();
  }
}

/** Null when a person will type. */
async function textToRun({ command, file }: SqlFlags): Promise<string | null> {
  if (command !== undefined) return command;
  if (file !== undefined) return readFile(file);
  return process.stdin.isTTY ? null : readAll(process.stdin);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CandelaError('FILE_NOT_FOUND', `cannot read ${path}`, { cause });
  }
}
