/** Which feeds a server runs: those configured, Twelve Data where there is a key, else the exchange simulator. */
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Database } from '../engine/database.ts';
import type { FeedSetting } from '../feeds/manager.ts';
import type { Simulator } from '../feeds/simulator/simulator.ts';
import type { FeedControl } from '../market/feed-status.ts';
import type { ServerConfig } from './options.ts';

/** The feeds of a server. */
export interface ServerFeeds {
  control: FeedControl;
  /** True when the simulator is the source. */
  simulated: boolean;
  /** Begins; what fails is logged and shown in the feed's status. */
  start(): void;
  /** Waits for a start under way, then ends everything. */
  stop(): Promise<void>;
}

/** What feeds are given. */
export interface FeedSurroundings {
  database: Database;
  log: Logger;
  clock: Clock;
}

/** Makes the feeds; only the simulator listens before `start`, so that its feed knows where. */
export async function planFeeds(config: ServerConfig, around: FeedSurroundings): Promise<ServerFeeds> {
  const { createFeedManager } = await import('../feeds/manager.ts');
  const settings = config.feed ? feedSettings(config) : [];
  const simulator =
    config.feed && settings.length === 0 && config.simulator ? await simulate(config, around) : null;
  const manager = createFeedManager(around, simulator ? [simulatorFeed(config, simulator)] : settings);
  let starting: Promise<void> = Promise.resolve();
  return {
    control: manager,
    simulated: simulator !== null,
    start() {
      starting = manager.start();
    },
    async stop() {
      await starting;
      await manager.stop();
      await simulator?.close();
    },
  };
}

/** The feeds that connect to something real. */
export function feedSettings(config: ServerConfig): FeedSetting[] {
  const configured = config.feeds ?? [];
  if (config.twelvedataApiKey === null || configured.some(({ kind }) => kind === 'twelvedata'))
    return configured;
  const options = { apiKey: config.twelvedataApiKey, symbols: config.twelvedataSymbols };
  return [...configured, { name: 'twelvedata', kind: 'twelvedata', options }];
}

async function simulate(config: ServerConfig, { log, clock }: FeedSurroundings): Promise<Simulator> {
  const { startSimulator } = await import('../feeds/simulator/simulator.ts');
  return startSimulator({ seed: config.simulatorSeed, rate: config.simulatorRate, clock, log });
}

/** The ordinary feed, pointed at the simulator. */
function simulatorFeed(config: ServerConfig, simulator: Simulator): FeedSetting {
  const options = { url: simulator.url, symbols: config.twelvedataSymbols, simulated: true };
  return { name: 'simulator', kind: 'twelvedata', options };
}
