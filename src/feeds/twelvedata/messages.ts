/**
 * Twelve Data's WebSocket messages: JSON text frames, each an object with an `event` from the server or an `action`
 * from the client (`specs/timescale-sql.md` §16.1, seed 000).
 *
 * ```
 * → {"action":"subscribe","params":{"symbols":"BTC/USD,AAPL"}}
 * ← {"event":"subscribe-status","status":"ok","success":[{"symbol":"BTC/USD","exchange":"…",…}],"fails":null}
 * ← {"event":"price","symbol":"BTC/USD","timestamp":1652438893,"price":30361.2,"day_volume":49153,…}
 * → {"action":"heartbeat"}
 * ← {"event":"heartbeat","status":"ok"}
 * ```
 */
import { nsPerSecond, timeNsMax } from '../../market/time.ts';

/** A symbol to subscribe to; the more of it is given, the narrower the choice among venues. */
export interface SymbolRequest {
  symbol: string;
  exchange?: string;
  mic_code?: string;
  country?: string;
  type?: string;
}

/** One price as the source sent it. */
export interface PriceEvent {
  timeNs: bigint;
  symbol: string;
  price: number;
  /** Running total of the day; null when absent, as before the market opens. */
  dayVolume: number | null;
  exchange: string | null;
  /** What the source says the symbol stands for, or null: only pairs carry it. */
  name: string | null;
}

/** What the source says about symbols after a (un)subscription. */
export interface StatusEvent {
  action: string;
  status: string;
  success: { symbol: string; exchange: string | null; name: string | null }[];
  fails: string[];
  messages: string[];
}

/** A server message, understood. `bad` is a price event that lacks what a row needs, or no message at all. */
export type ServerEvent =
  | { event: 'price'; price: PriceEvent }
  | { event: 'status'; status: StatusEvent }
  | { event: 'heartbeat' }
  | { event: 'error'; messages: string[] }
  | { event: 'bad'; reason: string }
  | { event: 'other'; name: string };

type Json = Record<string, unknown>;

/** Understands one text frame; never throws. */
export function parseServerEvent(text: string): ServerEvent {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return { event: 'bad', reason: `not JSON: ${text.slice(0, 100)}` };
  }
  if (typeof message !== 'object' || message === null) return { event: 'bad', reason: 'not a JSON object' };
  const fields = message as Json;
  switch (fields.event) {
    case 'price':
      return parsePrice(fields);
    case 'heartbeat':
      return { event: 'heartbeat' };
    case 'subscribe-status':
    case 'unsubscribe-status':
    case 'reset-status':
      return { event: 'status', status: parseStatus(fields) };
    case 'message-processing':
      return { event: 'error', messages: texts(fields.messages) };
    default:
      return { event: 'other', name: String(fields.event) };
  }
}

function parsePrice(fields: Json): ServerEvent {
  const { symbol, timestamp, price } = fields;
  const bad = (reason: string): ServerEvent => ({
    event: 'bad',
    reason: `price event of ${text(symbol) ?? 'no symbol'}: ${reason}`,
  });
  if (typeof symbol !== 'string' || symbol === '') return bad('no symbol');
  const value = finite(price);
  if (value === null) return bad('no price');
  // Whole seconds; kept as given, so many ticks share one time and the order of arrival is the only order.
  const seconds = finite(timestamp);
  if (seconds === null || !Number.isInteger(seconds)) return bad('no time in whole seconds');
  const timeNs = BigInt(seconds) * nsPerSecond;
  if (timeNs < 0n || timeNs > timeNsMax) return bad('its time is not in seconds');
  return {
    event: 'price',
    price: {
      timeNs,
      symbol,
      price: value,
      dayVolume: finite(fields.day_volume),
      exchange: text(fields.exchange),
      name: nameOf(fields),
    },
  };
}

function parseStatus(fields: Json): StatusEvent {
  return {
    action: String(fields.event).replace('-status', ''),
    status: String(fields.status),
    success: objects(fields.success).map((entry) => ({
      symbol: String(entry.symbol),
      exchange: text(entry.exchange),
      name: nameOf(entry),
    })),
    fails: objects(fields.fails).map((entry) => String(entry.symbol)),
    messages: texts(fields.messages),
  };
}

/** Only what the message says: its own name, or for a pair the names of its two sides. */
function nameOf(fields: Json): string | null {
  const base = text(fields.currency_base);
  const quote = text(fields.currency_quote);
  return text(fields.name) ?? (base && quote ? `${base} / ${quote}` : null);
}

function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function objects(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry) =>
    typeof entry === 'object' && entry !== null ? (entry as Json) : { symbol: entry },
  );
}

/** The text of a (un)subscribe action: one comma string, or objects when any symbol says more than its name. */
export function formatSymbolAction(
  action: 'subscribe' | 'unsubscribe',
  symbols: readonly SymbolRequest[],
): string {
  const plain = symbols.every((request) => Object.keys(request).length === 1);
  const list = plain ? symbols.map(({ symbol }) => symbol).join(',') : symbols;
  return JSON.stringify({ action, params: { symbols: list } });
}

/** The text of a heartbeat action. */
export const heartbeatAction = '{"action":"heartbeat"}';
