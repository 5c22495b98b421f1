import { parseServerEvent } from '../../twelvedata/messages.ts';
import { priceTable } from '../../twelvedata/tables.ts';
import type { LineFormat, Target } from '../format.ts';
import { someMessage } from './envelope.ts';

const prices: Target = {
  table: 'stocks_real_time',
  columns: priceTable('stocks_real_time').columns,
  candles: { price: 'price', cumulativeVolume: 'day_volume' },
};

/** Recorded Twelve Data events, one JSON object a line: they fill the table the live feed fills. */
export const twelveDataEvents: LineFormat = {
  shape: 'lines',
  name: 'twelvedata-events',
  targets: [prices],
  recognises: (lines) => someMessage(lines, ({ event }) => typeof event === 'string'),
  reader(file, emit) {
    return (line) => {
      const message = parseServerEvent(line);
      if (message.event === 'price') {
        const { timeNs, symbol, price, dayVolume } = message.price;
        emit.row(prices, [timeNs, file.symbol ?? symbol, price, dayVolume]);
      } else {
        emit.skip(message.event === 'bad' ? message.reason : message.event);
      }
    };
  },
};
