import type { Command } from 'commander';
import { print } from '../terminal.ts';

/** `candela token`: a new bearer token and the hash that goes into the configuration. */
export function registerToken(program: Command): void {
  program
    .command('token')
    .description("make a bearer token: prints it (keep it secret) and its hash for a user's tokens")
    .action(async () => {
      const { createToken, hashToken } = await import('../../net/auth.ts');
      const token = createToken();
      await print(`token: ${token}\nhash:  ${hashToken(token)}\n`);
    });
}
