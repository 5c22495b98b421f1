import { headerPositions } from '../facts.ts';
import type { CsvFormat } from '../format.ts';
import { quotes, trades } from '../targets.ts';
import { shanghaiTimeNs } from './a-shares.ts';

/**
 * CFFEX futures ticks: a snapshot every half second with the volume since the one before. Each gives a quote, and a
 * trade when it has volume; the rows that only bring the settlement price after the close give neither.
 */
export const cffexTicks: CsvFormat = {
  shape: 'csv',
  name: 'cffex-ticks',
  targets: [trades, quotes],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, [
      ...['action_date', 'action_time', 'code', 'last', 'volume', 'settle'],
      ...['bid1', 'bid1_qty', 'ask1', 'ask1_qty'],
    ]),
  reader(file, emit) {
    return ([date, time, code, last, volume, settle, bid, bidSize, ask, askSize]) => {
      if (Number(settle) !== 0) {
        emit.skip('settlement after the close');
        return;
      }
      const timeNs = actionTimeNs(date, time);
      const symbol = file.symbol ?? code;
      if (Number(volume) > 0) emit.row(trades, [timeNs, symbol, last, volume, null, null]);
      emit.row(quotes, [timeNs, symbol, bid, bidSize, ask, askSize]);
    };
  },
};

/** `20210104`, `092900400` → Shanghai time. */
function actionTimeNs(date: string, time: string): bigint {
  const digits = time.padStart(9, '0');
  const day = `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`;
  return shanghaiTimeNs(
    day,
    `${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}.${digits.slice(6)}`,
  );
}
