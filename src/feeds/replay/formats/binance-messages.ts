import { parseTimeNs } from '../../../market/time.ts';
import type { FeedValue } from '../../row-batch.ts';
import type { Emit, LineFormat } from '../format.ts';
import { quotes, trades } from '../targets.ts';
import { parseRecorded, someMessage } from './envelope.ts';

type Json = Record<string, unknown>;

/**
 * Recorded Binance streams, spot and futures: `trade` and `aggTrade` become trades, `bookTicker` quotes. A symbol
 * recorded as both `trade` and `aggTrade` keeps the kind that came first: both would count its volume twice.
 */
export const binanceMessages: LineFormat = {
  shape: 'lines',
  name: 'binance-messages',
  targets: [trades, quotes],
  recognises: (lines) =>
    someMessage(lines, (message) => typeof message.stream === 'string' || isEvent(message)),
  reader(file, emit) {
    const tradeKinds = new Map<string, string>();
    return (line) => {
      const recorded = parseRecorded(line);
      if ('skip' in recorded) {
        emit.skip(recorded.skip);
        return;
      }
      const { message, receivedNs } = recorded;
      const data = (message.data ?? message) as Json;
      const kind = kindOf(message, data);
      const symbol = file.symbol ?? String(data.s);
      if (kind === 'bookTicker') emitQuote(emit, symbol, data, receivedNs);
      else if (kind !== 'trade' && kind !== 'aggTrade') emit.skip(kind);
      else if ((tradeKinds.get(symbol) ?? kind) !== kind) emit.skip(`${kind} beside the other kind of trade`);
      else {
        tradeKinds.set(symbol, kind);
        emitTrade(emit, symbol, data);
      }
    };
  },
};

function isEvent(message: Json): boolean {
  return typeof message.e === 'string' && typeof message.s === 'string';
}

/** The event's own name; spot's bookTicker has none and is known by its stream. */
function kindOf(message: Json, data: Json): string {
  if (typeof data.e === 'string') return data.e;
  if (typeof message.stream === 'string') return message.stream.split('@')[1] ?? 'other';
  return 'lastUpdateId' in data ? 'depth snapshot' : 'other';
}

function emitTrade(emit: Emit, symbol: string, data: Json): void {
  // The buyer being the maker means that the taker sold.
  const side = data.m === true ? 'sell' : 'buy';
  const id = data.t ?? data.a;
  emit.row(trades, [
    parseTimeNs(Number(data.T)),
    symbol,
    value(data.p),
    value(data.q),
    side,
    typeof id === 'number' ? id : null,
  ]);
}

function emitQuote(emit: Emit, symbol: string, data: Json, receivedNs: bigint | null): void {
  const timeNs = typeof data.T === 'number' ? parseTimeNs(data.T) : receivedNs;
  if (timeNs === null) emit.skip('bookTicker without any time');
  else emit.row(quotes, [timeNs, symbol, value(data.b), value(data.B), value(data.a), value(data.A)]);
}

function value(field: unknown): FeedValue {
  return typeof field === 'string' || typeof field === 'number' ? field : null;
}
