import type { Command } from 'commander';
import { readSecret } from '../read-secret.ts';
import { print, usageError } from '../terminal.ts';

/** `candela hash-password`: what goes into the configuration in place of a password. */
export function registerHashPassword(program: Command): void {
  program
    .command('hash-password')
    .description(
      "print the hash of a password for a user's passwordHash; asks for it, or reads a line from a pipe",
    )
    .action(async () => {
      const password = await readSecret('Password: ');
      if (password === '') throw usageError('there is no password', 'Type one, or pipe one line in.');
      const { hashPassword } = await import('../../net/auth.ts');
      await print(`${await hashPassword(password)}\n`);
    });
}
