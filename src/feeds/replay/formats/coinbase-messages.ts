import { parseTimeNs } from '../../../market/time.ts';
import type { FeedValue } from '../../row-batch.ts';
import type { LineFormat } from '../format.ts';
import { quotes, trades } from '../targets.ts';
import { parseRecorded, someMessage } from './envelope.ts';

/**
 * Recorded Coinbase Exchange messages: `match` and `last_match` become trades, `ticker` quotes (its trade is the
 * match of the same id). `last_match` repeats the trade before a subscription: one already seen is left out.
 */
export const coinbaseMessages: LineFormat = {
  shape: 'lines',
  name: 'coinbase-messages',
  targets: [trades, quotes],
  recognises: (lines) =>
    someMessage(lines, ({ type, product_id, channels }) => {
      return typeof type === 'string' && (typeof product_id === 'string' || Array.isArray(channels));
    }),
  reader(file, emit) {
    const lastTradeIds = new Map<string, number>();
    return (line) => {
      const recorded = parseRecorded(line);
      if ('skip' in recorded) {
        emit.skip(recorded.skip);
        return;
      }
      const { message } = recorded;
      const product = String(message.product_id);
      const symbol = file.symbol ?? product;
      switch (message.type) {
        case 'match':
        case 'last_match': {
          const id = Number(message.trade_id);
          if (message.type === 'last_match' && id <= (lastTradeIds.get(product) ?? -1)) {
            emit.skip('last_match already seen');
            return;
          }
          lastTradeIds.set(product, id);
          // Coinbase names the maker's side.
          const side = message.side === 'sell' ? 'buy' : 'sell';
          const timeNs = parseTimeNs(String(message.time));
          emit.row(trades, [timeNs, symbol, value(message.price), value(message.size), side, id]);
          return;
        }
        case 'ticker': {
          const {
            time,
            best_bid: bid,
            best_bid_size: bidSize,
            best_ask: ask,
            best_ask_size: askSize,
          } = message;
          const sides = [bid, bidSize, ask, askSize].map(value);
          emit.row(quotes, [parseTimeNs(String(time)), symbol, ...sides]);
          return;
        }
        default:
          emit.skip(String(message.type));
      }
    };
  },
};

function value(field: unknown): FeedValue {
  return typeof field === 'string' || typeof field === 'number' ? field : null;
}
