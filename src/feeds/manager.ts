/** Runs the configured feeds side by side: one that fails is reported and never stops the others or the server. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CandelaError, toCandelaError } from '../core/errors.ts';
import type { FeedControl, FeedStatus } from '../market/feed-status.ts';
import { Batcher } from './batcher.ts';
import type { Feed, FeedContext, FeedPlugin } from './feed.ts';
import { replayPlugin } from './replay/plugin.ts';
import { twelveDataPlugin } from './twelvedata/plugin.ts';

/** One configured feed: a kind that ships with Candela, or a module of the user's own. */
export interface FeedSetting {
  /** Distinct among the feeds. */
  name: string;
  kind?: string;
  /** An absolute path or a package name; its default export is a {@link FeedPlugin}. */
  module?: string;
  options: Record<string, unknown>;
}

/** The feeds of a server. */
export interface FeedManager extends FeedControl {
  /** Starts the feeds one after the other, each loading its module and making its tables; never rejects. */
  start(): Promise<void>;
  /** Stops all feeds, each writing what it holds; never rejects. */
  stop(): Promise<void>;
}

/** What feeds share. */
export type FeedSurroundings = Omit<FeedContext, 'createBatcher'>;

interface Entry {
  setting: FeedSetting;
  context: FeedContext;
  kind: string;
  feed: Feed | null;
  /** Why it does not run; null while it does. */
  failure: string | null;
}

const shippedPlugins: readonly FeedPlugin[] = [twelveDataPlugin, replayPlugin];

/** A manager for `settings`; nothing runs before `start`. */
export function createFeedManager(around: FeedSurroundings, settings: readonly FeedSetting[]): FeedManager {
  const entries = settings.map((setting): Entry => {
    const { name, kind, module = '' } = setting;
    const context = feedContext({ ...around, log: around.log.child({ feed: name }) });
    return { setting, context, kind: kind ?? module, feed: null, failure: null };
  });
  const entryNamed = (name: string): Entry => {
    const entry = entries.find(({ setting }) => setting.name === name);
    if (entry) return entry;
    throw new CandelaError('FEED_NOT_FOUND', `there is no feed '${name}'`);
  };
  return {
    list: () => entries.map(statusOf),
    async subscribe(name, symbols) {
      return changeSymbols(entryNamed(name), 'subscribe', symbols);
    },
    async unsubscribe(name, symbols) {
      return changeSymbols(entryNamed(name), 'unsubscribe', symbols);
    },
    async start() {
      // One after the other: two feeds that make the same table would otherwise race for it.
      for (const entry of entries) await startFeed(entry);
    },
    async stop() {
      await Promise.all(entries.map(stopFeed));
    },
  };
}

/** The context a feed gets. */
export function feedContext(around: FeedSurroundings): FeedContext {
  return { ...around, createBatcher: (options) => new Batcher(around, options) };
}

async function startFeed(entry: Entry): Promise<void> {
  const { setting, context } = entry;
  try {
    const plugin = await findPlugin(setting);
    entry.kind = plugin.kind;
    const feed = plugin.create(setting.name, setting.options, context);
    await feed.start();
    entry.feed = feed;
  } catch (thrown) {
    const error = startError(thrown, setting);
    entry.failure = error.message;
    // Whoever configured it is told what to do; where it was noticed matters only for defects.
    const origin = error.kind === 'internal' ? { err: error } : { code: error.code };
    context.log.error(
      { ...origin, help: error.help },
      `feed '${setting.name}' did not start: ${error.message}`,
    );
  }
}

/** What a module of the user throws is told as its own error, not as a defect of ours. */
function startError(thrown: unknown, { module }: FeedSetting): CandelaError {
  const error = toCandelaError(thrown);
  if (module === undefined || thrown instanceof CandelaError) return error;
  const help = `The error comes from ${module}: correct its options, or the module.`;
  return new CandelaError('INVALID_CONFIG', error.message, { help, cause: thrown });
}

async function stopFeed(entry: Entry): Promise<void> {
  try {
    await entry.feed?.stop();
  } catch (thrown) {
    const error = toCandelaError(thrown);
    entry.failure = error.message;
    entry.context.log.error({ err: error }, `feed '${entry.setting.name}' did not stop: ${error.message}`);
  }
}

async function findPlugin({ kind, module }: FeedSetting): Promise<FeedPlugin> {
  if (module !== undefined) return loadPlugin(module);
  const plugin = shippedPlugins.find((shipped) => shipped.kind === kind);
  if (plugin) return plugin;
  throw new CandelaError('INVALID_CONFIG', `there is no kind '${kind}'`, {
    help: `The kinds are ${shippedPlugins.map((shipped) => shipped.kind).join(', ')}; your own goes in 'module'.`,
  });
}

async function loadPlugin(module: string): Promise<FeedPlugin> {
  const specifier = isAbsolute(module) ? pathToFileURL(module).href : module;
  let loaded: { default?: Partial<FeedPlugin> };
  try {
    loaded = await import(specifier);
  } catch (cause) {
    const message = `cannot load ${module}: ${toCandelaError(cause).message}`;
    throw new CandelaError('INVALID_CONFIG', message, { cause });
  }
  const plugin = loaded.default;
  if (typeof plugin?.kind === 'string' && typeof plugin.create === 'function') return plugin as FeedPlugin;
  throw new CandelaError('INVALID_CONFIG', `${module} does not export a feed`, {
    help: 'Its default export must be { kind, create }; docs/feeds.md shows an example.',
  });
}

async function changeSymbols(
  { feed, setting, failure }: Entry,
  change: 'subscribe' | 'unsubscribe',
  symbols: string[],
): Promise<FeedStatus> {
  if (!feed) {
    throw new CandelaError(
      'FEED_FAILED',
      `feed '${setting.name}' does not run${failure ? `: ${failure}` : ''}`,
      {
        help: 'Correct its settings and start the server again.',
      },
    );
  }
  const action = feed[change];
  if (!action) {
    throw new CandelaError('UNSUPPORTED', `feed '${setting.name}' has no symbols to ${change}`);
  }
  await action.call(feed, symbols);
  return feed.status();
}

function statusOf(entry: Entry): FeedStatus {
  const { feed, failure, context } = entry;
  if (!feed || failure !== null) return idleStatus(entry, failure);
  try {
    return feed.status();
  } catch (thrown) {
    const error = toCandelaError(thrown);
    context.log.error({ err: error }, `feed '${entry.setting.name}' has no status: ${error.message}`);
    return idleStatus(entry, error.message);
  }
}

function idleStatus({ setting, kind }: Entry, failure: string | null): FeedStatus {
  return {
    name: setting.name,
    kind,
    simulated: false,
    state: failure === null ? 'stopped' : 'failed',
    table: '',
    symbols: [],
    failedSymbols: [],
    rowsReceived: 0,
    rowsWritten: 0,
    rowsRejected: 0,
    reconnects: 0,
    lastEventMs: null,
    lastError: failure,
  };
}
