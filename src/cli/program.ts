import { Command } from 'commander';
import { registerBackup, registerRestore } from './commands/backup.ts';
import { registerExport } from './commands/export.ts';
import { registerGaps } from './commands/gaps.ts';
import { registerHashPassword } from './commands/hash-password.ts';
import { registerImport } from './commands/import.ts';
import { registerInit } from './commands/init.ts';
import { registerReplay } from './commands/replay.ts';
import { registerSimulate } from './commands/simulate.ts';
import { registerSql } from './commands/sql.ts';
import { registerStart } from './commands/start.ts';
import { registerToken } from './commands/token.ts';
import { packageVersion } from './version.ts';

/** Columns of help text: fixed, so that docs/cli.md can hold it. */
const helpWidth = 100;

/** The command line of Candela. Parsing throws `CommanderError` instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('candela')
    .description('A market-data time-series database: ticks in, bars at every interval out at once.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .option('--verbose', 'show the stack of an error')
    .configureHelp({ helpWidth })
    .configureOutput({ getOutHelpWidth: () => helpWidth, getErrHelpWidth: () => helpWidth })
    .showHelpAfterError('help: candela help shows the commands, candela help COMMAND its options')
    .exitOverride();
  const registrations = [
    registerStart,
    registerSql,
    registerImport,
    registerExport,
    registerGaps,
    registerBackup,
    registerRestore,
    registerReplay,
    registerSimulate,
    registerInit,
    registerHashPassword,
    registerToken,
  ];
  for (const register of registrations) register(program);
  return program;
}
