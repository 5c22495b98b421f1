import { dateOfFile, headerPositions, sideOf } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { trades } from '../targets.ts';
import { cleanPrice, dottedTimeNs, shanghaiTimeNs } from './a-shares.ts';

/**
 * Shanghai Level-2 trades: `TradeIndex` (their order, as the file has them), `TradTime` without a date (taken from the
 * file's name), `TradeBSFlag` B, S or N for the auction.
 */
export const sseTrades: CsvFormat = {
  shape: 'csv',
  name: 'sse-trades',
  targets: [trades],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, [
      'TradTime',
      'SecurityID',
      'TradPrice',
      'TradVolume',
      'TradeBSFlag',
      'TradeIndex',
    ]),
  reader(file, emit) {
    const date = dateOfFile(file);
    return ([time, code, price, volume, flag, index]) => {
      const symbol = file.symbol ?? `sh${code}`;
      emit.row(trades, [shanghaiTimeNs(date, time), symbol, cleanPrice(price), volume, sideOf(flag), index]);
    };
  },
};

/** Shenzhen Level-2 trades: `ExecType` F is a trade, 4 a cancelled order, left out; `ApplSeqNum` is their order. */
export const szseTrades: CsvFormat = {
  shape: 'csv',
  name: 'szse-trades',
  targets: [trades],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, ['TradeTime', 'SecurityID', 'TradePrice', 'TradeQty', 'ExecType', 'ApplSeqNum']),
  reader(file, emit) {
    return ([time, code, price, quantity, execType, sequence]) => {
      if (execType !== 'F') {
        emit.skip(execType === '4' ? 'cancelled order' : `ExecType ${execType}`);
        return;
      }
      const symbol = file.symbol ?? `sz${code}`;
      emit.row(trades, [dottedTimeNs(time), symbol, cleanPrice(price), quantity, null, sequence]);
    };
  },
};

/** Markets as `Market` columns name them → the prefix of the symbol. */
const marketPrefixes: Record<string, string> = { XSHG: 'sh', SH: 'sh', XSHE: 'sz', SZ: 'sz' };

/** Trades of either market without an order number: `SecurityID,Market,TradeTime,TradePrice,TradeQty,…`. */
export const aShareTrades: CsvFormat = {
  shape: 'csv',
  name: 'a-share-trades',
  targets: [trades],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, ['TradeTime', 'SecurityID', 'Market', 'TradePrice', 'TradeQty', 'TradeAmount']),
  reader(file, emit) {
    return ([time, code, market, price, quantity]) => {
      const symbol = file.symbol ?? `${marketPrefixes[market] ?? market}${code}`;
      emit.row(trades, [dottedTimeNs(time), symbol, cleanPrice(price), quantity, null, null]);
    };
  },
};
