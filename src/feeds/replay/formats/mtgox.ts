import { headerPositions, sideOf, symbolOfFile } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { trades } from '../targets.ts';

/** Mt. Gox trades: `id,price,amount,type`; the id is the time in microseconds, the type the side that was executed. */
export const mtgoxTrades: CsvFormat = {
  shape: 'csv',
  name: 'mtgox-trades',
  targets: [trades],
  hasHeader: true,
  positions: (header) => headerPositions(header, ['id', 'price', 'amount', 'type']),
  reader(file, emit) {
    const symbol = symbolOfFile(file);
    return ([id, price, amount, type]) => {
      if (/^\d+$/.test(id)) {
        emit.row(trades, [BigInt(id) * 1000n, symbol, price, amount, sideOf(type), id]);
      } else {
        emit.skip('no id, so no time');
      }
    };
  },
};
