import { parseTimeNs } from '../../../market/time.ts';
import { headerPositions, symbolOfFile } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { quotes, trades } from '../targets.ts';

/** Gemini trades: `time_seconds,price,size,is_buyer_maker`; the symbol is in the file's name. */
export const geminiTrades: CsvFormat = {
  shape: 'csv',
  name: 'gemini-trades',
  targets: [trades],
  hasHeader: true,
  positions: (header) => headerPositions(header, ['time_seconds', 'price', 'size', 'is_buyer_maker']),
  reader(file, emit) {
    const symbol = symbolOfFile(file);
    return ([seconds, price, size, buyerIsMaker]) => {
      const side = buyerIsMaker === '1' ? 'sell' : 'buy';
      emit.row(trades, [parseTimeNs(seconds), symbol, price, size, side, null]);
    };
  },
};

/** Gemini's best bid and ask each second: `time_seconds,bid_price_bid_size,ask_price_ask_size`, two numbers a cell. */
export const geminiQuotes: CsvFormat = {
  shape: 'csv',
  name: 'gemini-quotes',
  targets: [quotes],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, ['time_seconds', 'bid_price_bid_size', 'ask_price_ask_size']),
  reader(file, emit) {
    const symbol = symbolOfFile(file);
    return ([seconds, bid, ask]) => {
      const [bidPrice, bidSize] = bid.split('_');
      const [askPrice, askSize] = ask.split('_');
      emit.row(quotes, [parseTimeNs(seconds), symbol, bidPrice, bidSize, askPrice, askSize]);
    };
  },
};
