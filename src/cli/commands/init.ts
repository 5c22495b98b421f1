import { existsSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CandelaError } from '../../core/errors.ts';
import { defaultConfigFile } from '../../server/config.ts';
import { say } from '../terminal.ts';

/** `candela init`: a commented configuration file to start from. */
export function registerInit(program: Command): void {
  program
    .command('init')
    .description(`write a ${defaultConfigFile} in which every setting is explained`)
    .option('--force', 'replace a file that is there')
    .action(async (options: { force?: boolean }) => {
      if (existsSync(defaultConfigFile) && !options.force) {
        throw new CandelaError('INVALID_ARGUMENT', `${defaultConfigFile} is there already`, {
          help: 'Move it away, or replace it with --force.',
        });
      }
      const { sampleConfigFile } = await import('../../server/option-docs.ts');
      writeFileSync(defaultConfigFile, sampleConfigFile());
      say(`${defaultConfigFile} written; candela start in this directory reads it`);
    });
}
