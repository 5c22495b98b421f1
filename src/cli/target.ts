/** What a command works on: a running server, or a data directory opened in this process. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { RemoteDatabase } from '../client/connect.ts';
import { systemClock } from '../core/clock.ts';
import { CandelaError } from '../core/errors.ts';
import { createLogger } from '../core/log.ts';
import type { ServerConfig } from '../server/options.ts';
import { addSettings, configOf, wasGiven } from './settings.ts';
import { say, usageError } from './terminal.ts';

/** Adds the flags that say what to work on. */
export function addTargetOptions(command: Command): void {
  command
    .addOption(
      new Option('--url <url>', 'server to talk to (default: the one on this machine, if it runs)').env(
        'CANDELA_URL',
      ),
    )
    .addOption(new Option('--token <token>', 'bearer token for the server').env('CANDELA_TOKEN'));
  addSettings(command, ['data', 'config']);
}

/**
 * The server at `--url`; else, with `--data`, that directory; else the server at the configured address if one
 * answers; else the configured data directory. A directory that is not there is made only with `create`.
 */
export async function openTarget(command: Command, { create }: { create: boolean }): Promise<RemoteDatabase> {
  const { url, token } = command.opts<{ url?: string; token?: string }>();
  if (url !== undefined && wasGiven(command, 'url') && wasGiven(command, 'data')) {
    throw usageError('--url and --data exclude each other', 'Name a server or a directory.');
  }
  const config = await configOf(command);
  if (url !== undefined && !wasGiven(command, 'data')) return connectTo(url, token);
  const address = `http://${config.host}:${config.httpPort}`;
  if (!wasGiven(command, 'data') && (await answers(address))) {
    say(`working on the server at ${address}`);
    return connectTo(address, token);
  }
  if (!create && !existsSync(join(config.data))) {
    throw new CandelaError(
      'FILE_NOT_FOUND',
      `no server answers at ${address}, and there is no ${config.data}`,
      {
        help: 'Start one with candela start, or name one with --url, or a data directory with --data.',
      },
    );
  }
  return openDirectory(config);
}

async function connectTo(url: string, token: string | undefined): Promise<RemoteDatabase> {
  const { connect } = await import('../client/connect.ts');
  return connect({ url, token });
}

async function openDirectory(config: ServerConfig): Promise<RemoteDatabase> {
  const { open } = await import('../engine/open.ts');
  return open({
    directory: config.data,
    durability: config.durability,
    memoryBytesMax: config.memoryBudget,
    log: createLogger('warn'),
    clock: systemClock,
  });
}

/** Is there a Candela server at that address? */
async function answers(address: string): Promise<boolean> {
  try {
    const response = await fetch(`${address}/healthz`, { signal: AbortSignal.timeout(1000) });
    return response.ok;
  } catch {
    return false;
  }
}
