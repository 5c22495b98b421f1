import { parseTimeNs } from '../../../market/time.ts';
import { headerPositions } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { tapeQuotes, tapeTrades } from '../targets.ts';

/**
 * NYSE TAQ trades: `ts_ms,EX,SYMBOL,COND,SIZE,PRICE,CORR`. Rows that repeat an earlier one in every column are real
 * trades and stay; rows with a correction code (cancelled, erroneous) are left out.
 */
export const taqTrades: CsvFormat = {
  shape: 'csv',
  name: 'taq-trades',
  targets: [tapeTrades],
  hasHeader: true,
  positions: (header) => headerPositions(header, ['ts_ms', 'SYMBOL', 'PRICE', 'SIZE', 'EX', 'COND', 'CORR']),
  reader(file, emit) {
    return ([ms, symbol, price, size, venue, conditions, correction]) => {
      if (Number(correction) > 1) {
        emit.skip('cancelled or corrected trade');
        return;
      }
      const { symbol: asked = symbol } = file;
      emit.row(tapeTrades, [parseTimeNs(ms), asked, price, size, null, null, venue, conditions]);
    };
  },
};

/** NYSE TAQ quotes: `ts_ms,EX,BID,BIDSIZ,OFR,OFRSIZ,SYMBOL`. A side of 0 means that the venue has no quote there. */
export const taqQuotes: CsvFormat = {
  shape: 'csv',
  name: 'taq-quotes',
  targets: [tapeQuotes],
  hasHeader: true,
  positions: (header) => headerPositions(header, ['ts_ms', 'SYMBOL', 'BID', 'BIDSIZ', 'OFR', 'OFRSIZ', 'EX']),
  reader(file, emit) {
    return ([ms, symbol, bid, bidSize, ask, askSize, venue]) => {
      const { symbol: asked = symbol } = file;
      const hasBid = Number(bid) !== 0;
      const hasAsk = Number(ask) !== 0;
      emit.row(tapeQuotes, [
        parseTimeNs(ms),
        asked,
        hasBid ? bid : null,
        hasBid ? bidSize : null,
        hasAsk ? ask : null,
        hasAsk ? askSize : null,
        venue,
      ]);
    };
  },
};
