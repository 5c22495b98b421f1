/** Figures for Prometheus. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Database, DatabaseStatus } from '../../engine/database.ts';
import type { FeedControl, FeedStatus } from '../../market/feed-status.ts';

/** The server's figures. */
export interface HttpMetrics {
  readonly contentType: string;
  /** All figures in Prometheus's text form. */
  text(): Promise<string>;
  /** One request answered; `route` is the pattern, so that names do not multiply. */
  observe(method: string, route: string, status: number, seconds: number): void;
}

/** A figure of a status: Prometheus's type, the field, the metric's name, what it says. */
type Figure<Status> = [kind: 'counter' | 'gauge', field: keyof Status, name: string, help: string];

const databaseFigures: Figure<DatabaseStatus>[] = [
  ['gauge', 'lsn', 'candela_lsn', 'Last acknowledged position in the log'],
  ['gauge', 'flushedLsn', 'candela_flushed_lsn', 'Position in the log that the store has reached'],
  ['counter', 'rowsWritten', 'candela_rows_written_total', 'Rows written since the start'],
  ['counter', 'rowsRejected', 'candela_rows_rejected_total', 'Rows refused since the start'],
  ['counter', 'rowsDuplicate', 'candela_rows_duplicate_total', 'Rows dropped as duplicates since the start'],
  ['counter', 'rowsCorrected', 'candela_rows_corrected_total', 'Rows corrected by others since the start'],
  ['counter', 'rowsDeleted', 'candela_rows_deleted_total', 'Rows deleted since the start'],
  [
    'counter',
    'ticksOutsideSessions',
    'candela_ticks_outside_sessions_total',
    "Ticks that no bar has, being outside the sessions of a rollup's calendar, by rollup and tick",
  ],
  ['counter', 'batchesWritten', 'candela_batches_written_total', 'Batches written since the start'],
  ['counter', 'rowsDropped', 'candela_rows_dropped_total', 'Rows dropped by retention since the start'],
  ['counter', 'chunksDropped', 'candela_chunks_dropped_total', 'Days dropped by retention since the start'],
  ['counter', 'rowsTiered', 'candela_rows_tiered_total', 'Rows moved to cold files since the start'],
  ['gauge', 'pendingBytes', 'candela_pending_bytes', 'Rows not yet in the store'],
  ['gauge', 'hotBytes', 'candela_hot_bytes', 'Rows in memory'],
  ['gauge', 'walBytes', 'candela_wal_bytes', 'Write-ahead log on disk'],
  ['gauge', 'storeBytes', 'candela_store_bytes', 'Store on disk'],
  ['counter', 'flushes', 'candela_flushes_total', 'Flushes since the start'],
  ['gauge', 'flushMsLast', 'candela_flush_last_milliseconds', 'Duration of the last flush'],
  ['gauge', 'subscriptions', 'candela_subscriptions', 'Running subscriptions'],
  ['gauge', 'tables', 'candela_tables', 'Tables and rollups'],
  ['gauge', 'seriesCount', 'candela_series', 'Series in all tables'],
];

const feedFigures: Figure<FeedStatus>[] = [
  ['counter', 'rowsReceived', 'candela_feed_rows_received_total', 'Rows received'],
  ['counter', 'rowsWritten', 'candela_feed_rows_written_total', 'Rows written'],
  ['counter', 'rowsRejected', 'candela_feed_rows_rejected_total', 'Rows refused'],
  ['counter', 'reconnects', 'candela_feed_reconnects_total', 'Reconnects'],
];

/** What a figure reads at the moment: by feed, or once for the whole server. */
type Reading = () => { feed?: string; value: number }[];

/** A registry of its own for one server. */
export function createMetrics(database: Database, feeds: FeedControl, wsClients: () => number): HttpMetrics {
  const registry = new Registry();
  processFigures();
  for (const [kind, field, name, help] of databaseFigures) {
    addFigure(registry, kind, name, help, [], () => [{ value: Number(database.status()[field]) }]);
  }
  for (const [kind, field, name, help] of feedFigures) {
    addFigure(registry, kind, name, help, ['feed'], () =>
      feeds.list().map((feed) => ({ feed: feed.name, value: Number(feed[field]) })),
    );
  }
  addFigure(registry, 'gauge', 'candela_feed_connected', 'Is the feed connected? 1 or 0', ['feed'], () =>
    feeds.list().map(({ name, state }) => ({ feed: name, value: state === 'connected' ? 1 : 0 })),
  );
  addFigure(registry, 'gauge', 'candela_writes_stopped', 'Are writes refused? 1 or 0', [], () => [
    { value: database.status().writesStopped === null ? 0 : 1 },
  ]);
  addFigure(registry, 'gauge', 'candela_ws_clients', 'WebSocket clients', [], () => [{ value: wsClients() }]);
  const durations = new Histogram({
    name: 'candela_http_request_seconds',
    help: 'Time to answer requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: async () => `${await registry.metrics()}${await processFigures().metrics()}`,
    observe: (method, route, status, seconds) => durations.observe({ method, route, status }, seconds),
  };
}

let ofProcess: Registry | undefined;

/** `process_…` and `nodejs_…`: memory, CPU, open files, pauses. Once for a process, however many servers it runs. */
function processFigures(): Registry {
  if (ofProcess) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess });
  return ofProcess;
}

/** Registers a figure that is read when asked for. A counter counts elsewhere: here it is set anew each time. */
function addFigure(
  registry: Registry,
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  labelNames: string[],
  read: Reading,
): void {
  const Kind = kind === 'counter' ? Counter : Gauge;
  const figure = new Kind({ name, help, labelNames, registers: [registry], collect });
  function collect(): void {
    figure.reset();
    for (const { feed, value } of read()) figure.inc(feed === undefined ? {} : { feed }, value);
  }
}
