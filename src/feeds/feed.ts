/**
 * A feed brings rows in from outside. One small interface, the same for the feeds that ship with Candela and for a
 * user's own module named in the configuration (`feeds: - module: ./my-feed.js`).
 */
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/log.ts';
import type { Database } from '../engine/database.ts';
import type { FeedStatus } from '../market/feed-status.ts';
import type { Batcher, BatcherOptions } from './batcher.ts';

/** What a feed is given. */
export interface FeedContext {
  /** Create tables in `start`, write batches as rows arrive. */
  database: Database;
  log: Logger;
  clock: Clock;
  /** Gathers rows into batches and writes them; so a user's module needs to import nothing of ours. */
  createBatcher(options: BatcherOptions): Batcher;
}

/** A running feed. */
export interface Feed {
  /** Creates what it needs and begins; resolves once it runs (connecting goes on in the background). */
  start(): Promise<void>;
  /** Writes what it holds and ends; nothing is written after it resolves. */
  stop(): Promise<void>;
  status(): FeedStatus;
  /** Adds symbols at run time; absent where the source has no such notion. */
  subscribe?(symbols: string[]): Promise<void>;
  unsubscribe?(symbols: string[]): Promise<void>;
}

/** The default export of a feed module. */
export interface FeedPlugin {
  /** Shown as the feed's kind. */
  kind: string;
  /** Checks the options (throws `INVALID_CONFIG` naming the bad one) and makes a feed; nothing runs before `start`. */
  create(name: string, options: Record<string, unknown>, context: FeedContext): Feed;
}
