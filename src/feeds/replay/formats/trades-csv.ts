import { parseTimeNs } from '../../../market/time.ts';
import { sideOf, symbolOfFile } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { trades } from '../targets.ts';

/** Header names, without case and punctuation, by what they mean. */
const names = {
  time: [
    'time',
    'timestamp',
    'ts',
    'datetime',
    'date',
    'tradetime',
    'timems',
    'tsms',
    'timens',
    'tsns',
    'eventtime',
  ],
  symbol: ['symbol', 'ticker', 'instrument', 'pair', 'product', 'productid', 'market', 'security', 'code'],
  price: ['price', 'px', 'last', 'lastprice', 'tradeprice', 'p'],
  size: ['size', 'qty', 'quantity', 'amount', 'volume', 'vol', 'basevolume', 'q', 'v'],
  side: ['side', 'takerside', 'direction', 'aggressor'],
  tradeId: ['tradeid', 'id', 'tid'],
};

/** Any CSV with a time and a price under a usual name; size, side, symbol and trade id are used where they are. */
export const tradesCsv: CsvFormat = {
  shape: 'csv',
  name: 'trades-csv',
  targets: [trades],
  hasHeader: true,
  positions(header) {
    const plain = header.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
    const positions = Object.values(names).map((words) => plain.findIndex((name) => words.includes(name)));
    const [time, , price] = positions;
    return time === -1 || price === -1 ? null : positions;
  },
  reader(file, emit) {
    return ([time, symbol, price, size, side, tradeId]) => {
      const id = /^\d+$/.test(tradeId) ? tradeId : null;
      emit.row(trades, [
        parseTimeNs(time),
        file.symbol ?? (symbol === '' ? symbolOfFile(file) : symbol),
        price,
        size === '' ? null : size,
        sideOf(side),
        id,
      ]);
    };
  },
};
