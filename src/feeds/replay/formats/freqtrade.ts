import { parseTimeNs } from '../../../market/time.ts';
import { sideOf, symbolOfFile } from '../facts.ts';
import type { JsonFormat } from '../format.ts';
import { trades } from '../targets.ts';

/** Freqtrade's trades: rows `[time_ms, id, null, taker side, price, amount, cost]`; the pair is in the file's name. */
export const freqtradeTrades: JsonFormat = {
  shape: 'json',
  name: 'freqtrade-trades',
  targets: [trades],
  recognises: (start) => /^\s*\[\s*\[\s*\d{13}\s*,\s*("\d+"|\d+)\s*,/.test(start),
  reader(file, emit) {
    const symbol = symbolOfFile(file);
    return ({ row }) => {
      const [ms, id, , side, price, amount] = row;
      if (typeof ms !== 'number') {
        emit.skip('not a trade');
        return;
      }
      const timeNs = parseTimeNs(ms);
      emit.row(trades, [timeNs, symbol, String(price), String(amount), sideOf(String(side)), String(id)]);
    };
  },
};
