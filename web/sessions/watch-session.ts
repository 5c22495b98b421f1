/** Keeps a watch list current: one subscription to the bars of all series of a table. */
import type { WireTable } from '../../src/protocols/http/wire.ts';
import type { LiveSocket, StreamEvent } from '../api-client/live-socket.ts';
import { decodeBars, missingColumns } from '../model/decode-bars.ts';
import { watchTimeframe } from '../model/timeframe.ts';
import { applyWatchBars, type WatchList } from '../model/watch-list.ts';

/** What the session uses and whom it tells. */
export interface WatchSessionParts {
  socket: Pick<LiveSocket, 'subscribe'>;
  list: WatchList;
  /** Lines that changed. */
  onChange(series: ReadonlySet<string>): void;
  /** Bars of series that are not in the list: it is time to ask the server for its symbols. */
  onUnknown(): void;
}

const throttleMs = 250;
/** Bars a series without day bars is first judged by: the oldest of them is its first known one. */
const firstBarRows = 50;

/** Starts it; the result ends it. */
export function openWatchSession(table: WireTable, parts: WatchSessionParts): { close(): void } {
  const timeframe = watchTimeframe(table.timeframes);
  if (timeframe === undefined) return { close() {} };
  const request = {
    table: table.name,
    timeframe,
    live: true,
    closed: true,
    snapshot: parts.list.since === 'day-open' ? 1 : firstBarRows,
    throttleMs,
    time: 'ms' as const,
  };
  const receive = (event: StreamEvent): void => {
    if (event.type === 'lagged') stream.restart();
    if (!('columns' in event) || missingColumns(event.columns).length > 0) return;
    const { changed, unknown } = applyWatchBars(parts.list, decodeBars(table, event.columns));
    if (changed.size > 0) parts.onChange(changed);
    if (unknown.size > 0) parts.onUnknown();
  };
  const stream = parts.socket.subscribe(() => request, receive);
  return stream;
}
