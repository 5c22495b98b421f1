/** What stands in the chart's place while there is nothing to draw: what is missing, and what to do about it. */

/** A message to the person looking. */
export interface Notice {
  title: string;
  text: string;
  /** Commands to type, if that is what to do. */
  commands: string[];
  /** Whether to ask for an access token. */
  asksToken: boolean;
}

/** What decides it. */
export interface PageFacts {
  /** The error that keeps the page from working, or null. */
  error: { code: string; message: string; help: string } | null;
  /** Null until the server has listed its tables. */
  candleTables: readonly string[] | null;
  /** The table shown, or null. */
  table: string | null;
  /** Whether the server has listed the table's symbols. */
  isListed: boolean;
  /** The symbol asked for, or null while the table has none. */
  symbol: string | null;
  /** Whether the table has a series of that symbol. */
  isKnownSymbol: boolean;
  timeframe: string | null;
  /** Null until the first answer about this symbol and timeframe. */
  barCount: number | null;
}

/** The notice to show; null while there are candles, or while the answer is on its way. */
export function noticeFor(facts: PageFacts): Notice | null {
  const { error, candleTables, table, symbol, timeframe, barCount } = facts;
  if (barCount) return null;
  if (error) return noticeOf(error);
  if (candleTables === null) return null;
  if (candleTables.length === 0) {
    return {
      title: 'No candles yet',
      text: 'No table has bars so far. Start a feed, or replay a recorded file into this server:',
      commands: ['npm start', 'candela replay FILE'],
      asksToken: false,
    };
  }
  if (!facts.isListed) return null;
  if (symbol === null) {
    return {
      title: `No symbols in ${table} yet`,
      text: 'The first tick makes its symbol appear here, without a reload. The feed’s state is shown below.',
      commands: [],
      asksToken: false,
    };
  }
  if (!facts.isKnownSymbol) {
    return {
      title: `${table} has no ${symbol} so far`,
      text: 'Pick another symbol, or subscribe the feed to this one. The page fills as soon as its first tick arrives.',
      commands: [],
      asksToken: false,
    };
  }
  if (barCount === null) return null;
  return {
    title: `No ${timeframe} bars of ${symbol} yet`,
    text: 'The first tick draws the first candle. A longer timeframe may hold older data.',
    commands: [],
    asksToken: false,
  };
}

function noticeOf(error: { code: string; message: string; help: string }): Notice {
  const asksToken = error.code === 'UNAUTHENTICATED';
  return {
    title: asksToken ? 'Sign in' : error.message,
    text: asksToken ? `The server says: ${error.message}.` : error.help,
    commands: error.code === 'UNREACHABLE' ? ['npm start'] : [],
    asksToken,
  };
}
