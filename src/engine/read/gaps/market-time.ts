/** How much of a market's time lies between two bucket starts. Times are ns as exact doubles. */
import type { Bucketing } from '../../../market/bucketing.ts';

/** Buckets of a stretch, and the time that its sessions are open. */
export interface MarketTime {
  buckets: number;
  openNs: number;
}

/** Of `[from, to)`: `from` is the start of a bucket, `to` the end of one. */
export function marketTime(bucketing: Bucketing, from: number, to: number): MarketTime {
  const { timeframe, sessions } = bucketing;
  const isCounted = timeframe.months > 0 || /[dw]$/.test(timeframe.text);
  if (!sessions) {
    const openNs = to - from;
    return { buckets: isCounted ? countBuckets(bucketing, from, to) : openNs / timeframe.widthNs, openNs };
  }
  const total: MarketTime = { buckets: isCounted ? countBuckets(bucketing, from, to) : 0, openNs: 0 };
  for (let at = from; at < to; ) {
    const session = sessions.sessionEndingAfter(at);
    const openNs = Math.min(to, session.close) - Math.max(at, session.open);
    if (openNs <= 0) break;
    total.openNs += openNs;
    if (!isCounted) total.buckets += Math.ceil(openNs / timeframe.widthNs);
    at = session.close;
  }
  return total;
}

/** One by one: days and longer units are few. */
function countBuckets(bucketing: Bucketing, from: number, to: number): number {
  let buckets = 0;
  for (let at = from; at < to; at = bucketing.next(at).start) buckets++;
  return buckets;
}
