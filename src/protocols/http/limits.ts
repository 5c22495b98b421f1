/** Bounds of the HTTP server; each can be set by who starts it. */
export interface HttpLimits {
  /** Largest request body, before and after unpacking. */
  bodyBytesMax: number;
  /** Rows one write may carry. */
  writeRowsMax: number;
  /** Rows one answer may hold, and how many it holds unless asked otherwise. */
  rowsMax: number;
  rowsDefault: number;
  /** Rows and time one SQL query may take. */
  sqlRowsMax: number;
  sqlTimeoutMs: number;
  /** WebSocket clients in all, and per client: subscriptions, message size, messages a second. */
  wsClientsMax: number;
  wsSubscriptionsMax: number;
  wsMessageBytesMax: number;
  wsMessagesPerSecondMax: number;
  /** A client with so much unsent is not given more; still so after this long, it is let go. */
  wsBufferedBytesMax: number;
  wsStalledMsMax: number;
}

/** What holds unless set. */
export const httpLimitsDefault: HttpLimits = {
  bodyBytesMax: 64 * 1024 * 1024,
  writeRowsMax: 2_000_000,
  rowsMax: 1_000_000,
  rowsDefault: 1_000,
  sqlRowsMax: 100_000,
  sqlTimeoutMs: 30_000,
  wsClientsMax: 1_000,
  wsSubscriptionsMax: 200,
  wsMessageBytesMax: 64 * 1024,
  wsMessagesPerSecondMax: 200,
  wsBufferedBytesMax: 1024 * 1024,
  wsStalledMsMax: 30_000,
};
