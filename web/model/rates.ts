/** Rates from counters that only grow, read every few seconds. */

/** A counter at the server's own time. */
export interface CounterSample {
  /** The server's uptime: free of the browser's clock, and it shows a restart by falling. */
  uptimeMs: number;
  count: number;
}

/** Growth per second between two samples; null without an earlier one, or across a restart of server or feed. */
export function ratePerSecond(before: CounterSample | undefined, now: CounterSample): number | null {
  if (!before || now.uptimeMs <= before.uptimeMs || now.count < before.count) return null;
  return ((now.count - before.count) * 1000) / (now.uptimeMs - before.uptimeMs);
}
