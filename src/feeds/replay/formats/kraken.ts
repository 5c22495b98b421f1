import { parseTimeNs } from '../../../market/time.ts';
import { sideOf } from '../facts.ts';
import type { JsonFormat } from '../format.ts';
import { trades } from '../targets.ts';

/** Kraken REST `/0/public/Trades`: rows `[price, volume, time, side, type, misc, trade_id]` by pair. */
export const krakenTrades: JsonFormat = {
  shape: 'json',
  name: 'kraken-trades',
  targets: [trades],
  recognises: (start) => /^\s*\{\s*"error"\s*:\s*\[/.test(start) && start.includes('"result"'),
  reader(file, emit) {
    return ({ key, row }) => {
      const [price, volume, seconds, side, , , id] = row;
      if (typeof seconds !== 'number') {
        emit.skip('not a trade');
        return;
      }
      const symbol = file.symbol ?? key;
      const tradeId = typeof id === 'number' ? id : null;
      emit.row(trades, [
        parseTimeNs(seconds),
        symbol,
        String(price),
        String(volume),
        sideOf(String(side)),
        tradeId,
      ]);
    };
  },
};
