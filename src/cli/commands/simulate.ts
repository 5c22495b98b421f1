import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { createLogger } from '../../core/log.ts';
import { endWithProcess } from '../../server/lifecycle.ts';
import { print } from '../terminal.ts';

interface SimulateFlags {
  host: string;
  port: number;
  seed: number;
  rate: number;
  lateShare: number;
  duplicateShare: number;
  apiKey?: string;
}

/** `candela simulate`: the exchange simulator by itself, for any client of Twelve Data's protocol. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description("run the exchange simulator alone: a WebSocket server that speaks Twelve Data's protocol")
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port; 0 takes a free one', numberFrom(0, 65_535), 0)
    .option('--seed <number>', 'seed of the random walk', numberFrom(0, 2 ** 32 - 1), 1)
    .option('--rate <number>', 'ticks a second and symbol, on average', numberFrom(0, 50_000), 5)
    .option('--late-share <share>', 'share of ticks, 0 to 1, that come late', numberFrom(0, 1), 0)
    .option('--duplicate-share <share>', 'share of ticks, 0 to 1, that come twice', numberFrom(0, 1), 0)
    .option('--api-key <key>', 'refuse clients that do not send this key')
    .action(simulate);
}

async function simulate(flags: SimulateFlags): Promise<void> {
  const log = createLogger('info');
  const { startSimulator } = await import('../../feeds/simulator/simulator.ts');
  const simulator = await startSimulator({ ...flags, clock: systemClock, log });
  endWithProcess({ process, close: () => simulator.close(), exit: (code) => process.exit(code), log });
  await print(`SIMULATED exchange at ${simulator.url}\n`);
}

function numberFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
