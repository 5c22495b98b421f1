import { headerPositions, sideOf } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { nanosecondTrades } from '../targets.ts';

/**
 * Databento trades as CSV: times in nanoseconds, the aggressor's side as B, A or N. Instruments are numbers; give
 * `--symbol` to name the one a file holds.
 */
export const databentoTrades: CsvFormat = {
  shape: 'csv',
  name: 'databento-trades',
  targets: [nanosecondTrades],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, ['ts_event_ns', 'instrument_id', 'price', 'size', 'side', 'sequence']),
  reader(file, emit) {
    return ([ns, instrument, price, size, side, sequence]) => {
      const symbol = file.symbol ?? instrument;
      emit.row(nanosecondTrades, [BigInt(ns), symbol, price, size, sideOf(side), sequence]);
    };
  },
};
