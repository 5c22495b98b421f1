/** Figures for Prometheus. */
import { Gauge, Histogram, Registry } from 'prom-client';
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

const databaseFigures: [keyof DatabaseStatus, string, string][] = [
  ['lsn', 'candela_lsn', 'Last acknowledged position in the log'],
  ['flushedLsn', 'candela_flushed_lsn', 'Position in the log that the store has reached'],
  ['rowsWritten', 'candela_rows_written_total', 'Rows written since the start'],
  ['rowsRejected', 'candela_rows_rejected_total', 'Rows refused since the start'],
  ['batchesWritten', 'candela_batches_written_total', 'Batches written since the start'],
  ['pendingBytes', 'candela_pending_bytes', 'Rows not yet in the store'],
  ['hotBytes', 'candela_hot_bytes', 'Rows in memory'],
  ['walBytes', 'candela_wal_bytes', 'Write-ahead log on disk'],
  ['storeBytes', 'candela_store_bytes', 'Store on disk'],
  ['flushes', 'candela_flushes_total', 'Flushes since the start'],
  ['flushMsLast', 'candela_flush_last_milliseconds', 'Duration of the last flush'],
  ['subscriptions', 'candela_subscriptions', 'Running subscriptions'],
  ['seriesCount', 'candela_series', 'Series in all tables'],
];

const feedFigures: [keyof FeedStatus, string, string][] = [
  ['rowsReceived', 'candela_feed_rows_received_total', 'Rows received'],
  ['rowsWritten', 'candela_feed_rows_written_total', 'Rows written'],
  ['rowsRejected', 'candela_feed_rows_rejected_total', 'Rows refused'],
  ['reconnects', 'candela_feed_reconnects_total', 'Reconnects'],
];

/** A registry of its own for one server. */
export function createMetrics(database: Database, feeds: FeedControl, wsClients: () => number): HttpMetrics {
  const registry = new Registry();
  const registers = [registry];
  for (const [field, name, help] of databaseFigures) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(Number(database.status()[field] ?? 0));
      },
    });
  }
  for (const [field, name, help] of feedFigures) {
    new Gauge({
      name,
      help,
      registers,
      labelNames: ['feed'],
      collect() {
        for (const feed of feeds.list()) this.set({ feed: feed.name }, Number(feed[field]));
      },
    });
  }
  new Gauge({
    name: 'candela_ws_clients',
    help: 'WebSocket clients',
    registers,
    collect() {
      this.set(wsClients());
    },
  });
  const durations = new Histogram({
    name: 'candela_http_request_seconds',
    help: 'Time to answer requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observe: (method, route, status, seconds) => durations.observe({ method, route, status }, seconds),
  };
}
