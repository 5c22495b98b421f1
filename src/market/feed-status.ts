/** Where a feed stands, in the terms its status reports share: shown by the page, `/api/v1/feeds` and `/metrics`. */
export interface FeedStatus {
  name: string;
  /** Kind of feed, such as `twelvedata` or `replay`. */
  kind: string;
  /** True when what it delivers was made up by a program: shown wherever a person sees the data. */
  simulated: boolean;
  state: 'connecting' | 'connected' | 'reconnecting' | 'stopped' | 'finished' | 'failed';
  /** Table it writes to. */
  table: string;
  /** Asked for, and not refused. */
  symbols: string[];
  /** Symbols the source refused, with its words. */
  failedSymbols: { symbol: string; reason: string }[];
  rowsReceived: number;
  rowsWritten: number;
  rowsRejected: number;
  reconnects: number;
  /** Unix milliseconds of the last event of any kind, or null. */
  lastEventMs: number | null;
  /** The last error, or null when all is well. */
  lastError: string | null;
}

/**
 * What can be asked of running feeds from outside. Unknown names throw `FEED_NOT_FOUND`; a feed without symbols
 * of its own throws `UNSUPPORTED`.
 */
export interface FeedControl {
  list(): FeedStatus[];
  subscribe(name: string, symbols: string[]): Promise<FeedStatus>;
  unsubscribe(name: string, symbols: string[]): Promise<FeedStatus>;
}
