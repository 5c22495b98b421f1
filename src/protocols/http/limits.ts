/** Bounds of the HTTP server; each can be set by who starts it. */
export interface HttpLimits {
  /** Largest body of a write, before and after unpacking … */
  bodyBytesMax: number;
  /** … of all writes being read at one time together … */
  bodyBytesInFlightMax: number;
  /** … and of any other request. */
  requestBytesMax: number;
  /** Rows one write may carry. */
  writeRowsMax: number;
  /** Rows one answer may hold, and how many it holds unless asked otherwise. */
  rowsMax: number;
  rowsDefault: number;
  /** Rows and time one SQL query may take. */
  sqlRowsMax: number;
  sqlTimeoutMs: number;
  /** Connections in all; more are dropped. */
  connectionsMax: number;
  /** How long a request may take to arrive, and how long running ones may go on once the server is told to close. */
  requestMsMax: number;
  closeMsMax: number;
  /** WebSocket clients in all, and per client: subscriptions, message size, messages a second. */
  wsClientsMax: number;
  wsSubscriptionsMax: number;
  wsMessageBytesMax: number;
  wsMessagesPerSecondMax: number;
  /** Rows of one snapshot, all series together. */
  wsSnapshotRowsMax: number;
  /** A client with so much unsent is not given more; still so after this long, it is let go. */
  wsBufferedBytesMax: number;
  wsStalledMsMax: number;
}

/** What holds unless set. */
export const httpLimitsDefault: HttpLimits = {
  bodyBytesMax: 64 * 1024 * 1024,
  bodyBytesInFlightMax: 512 * 1024 * 1024,
  requestBytesMax: 1024 * 1024,
  writeRowsMax: 2_000_000,
  rowsMax: 1_000_000,
  rowsDefault: 1_000,
  sqlRowsMax: 100_000,
  sqlTimeoutMs: 30_000,
  connectionsMax: 10_000,
  requestMsMax: 120_000,
  closeMsMax: 10_000,
  wsClientsMax: 1_000,
  wsSubscriptionsMax: 200,
  wsMessageBytesMax: 64 * 1024,
  wsMessagesPerSecondMax: 200,
  wsSnapshotRowsMax: 200_000,
  wsBufferedBytesMax: 1024 * 1024,
  wsStalledMsMax: 30_000,
};
