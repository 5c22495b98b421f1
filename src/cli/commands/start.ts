import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { CandelaError } from '../../core/errors.ts';
import { createLogger } from '../../core/log.ts';
import { endWithProcess } from '../../server/lifecycle.ts';
import { type OptionName, optionTable } from '../../server/options.ts';
import type { RunningServer } from '../../server/server.ts';
import { addSettings, configOf } from '../settings.ts';
import { print } from '../terminal.ts';
import { packageVersion } from '../version.ts';

/** After a signal a start may go on for so long. */
const startMsMaxOnSignal = 10_000;

/** `candela start`: the server, until a signal ends it. */
export function registerStart(program: Command): void {
  const command = program
    .command('start')
    .description('run the server until SIGTERM or SIGINT, then flush and exit');
  addSettings(command, Object.keys(optionTable) as OptionName[]);
  command.action(() => start(command));
}

async function start(command: Command): Promise<void> {
  const config = await configOf(command);
  const log = createLogger(config.logLevel);
  const { startServer } = await import('../../server/server.ts');
  const starting = startServer(config, {
    log,
    clock: systemClock,
    version: packageVersion(),
    webRoot: fileURLToPath(new URL('../../../dist/web/', import.meta.url)),
  });
  // A signal may come while the server still starts: it then closes as soon as it has, unless that takes too long.
  const close = async (): Promise<void> => (await startedInTime(starting)).close();
  endWithProcess({ process, close, exit: (code) => process.exit(code), log });
  await print(listeningLines(await starting));
}

/** A start that is given up has acknowledged nothing, so no more is lost with the process than by a crash. */
function startedInTime(starting: Promise<RunningServer>): Promise<RunningServer> {
  const late = new Promise<never>((_resolve, reject) => {
    const give = (): void => reject(new CandelaError('STOPPING', 'the server was still starting; given up'));
    setTimeout(give, startMsMaxOnSignal).unref();
  });
  return Promise.race([starting, late]);
}

function listeningLines({ ports, pageUrl, simulated }: RunningServer): string {
  const lines = Object.entries(ports).map(
    ([protocol, port]) => `${protocol.padEnd(8)} listening on port ${port}`,
  );
  if (simulated) lines.push('feed     SIMULATED: prices are made up by the exchange simulator');
  return `${[...lines, `page     ${pageUrl}`].join('\n')}\n`;
}
