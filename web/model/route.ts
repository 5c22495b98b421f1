/** What the page shows, kept in the address so that a link reopens it: `#table=trades&symbol=AAPL&timeframe=1m`. */

/** Parts that are absent are chosen by the page. */
export interface Route {
  table?: string;
  symbol?: string;
  timeframe?: string;
}

/** Reads the part of an address from `#`; whatever it does not know it leaves out. */
export function parseRoute(hash: string): Route {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const route: Route = {};
  for (const name of ['table', 'symbol', 'timeframe'] as const) {
    const value = parameters.get(name);
    if (value) route[name] = value;
  }
  return route;
}

/** The inverse of {@link parseRoute}. */
export function formatRoute(route: Route): string {
  const parameters = new URLSearchParams();
  for (const name of ['table', 'symbol', 'timeframe'] as const) {
    const value = route[name];
    if (value) parameters.set(name, value);
  }
  return `#${parameters}`;
}
