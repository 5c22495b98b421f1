import { headerPositions } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { trades } from '../targets.ts';
import { shanghaiTimeNs } from './a-shares.ts';

const sharesPerLot = 100;
const sides = ['buy', 'sell', null] as const;

/**
 * Tongdaxin ticks: `symbol,datetime,price,vol_lots,buyorsell`, about one every three seconds, sizes in lots of 100
 * shares. The seconds of `datetime` only keep the order.
 */
export const tdxTicks: CsvFormat = {
  shape: 'csv',
  name: 'tdx-ticks',
  targets: [trades],
  hasHeader: true,
  positions: (header) => headerPositions(header, ['datetime', 'symbol', 'price', 'vol_lots', 'buyorsell']),
  reader(file, emit) {
    return ([time, code, price, lots, buyOrSell]) => {
      const [, year, month, day, hour, minute, second] =
        /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time) ?? [];
      if (year === undefined) {
        emit.skip('unreadable time');
        return;
      }
      const timeNs = shanghaiTimeNs(`${year}-${month}-${day}`, `${hour}:${minute}:${second}`);
      const side = sides[Number(buyOrSell)] ?? null;
      const symbol = file.symbol ?? code.toLowerCase();
      emit.row(trades, [timeNs, symbol, price, Number(lots) * sharesPerLot, side, null]);
    };
  },
};
