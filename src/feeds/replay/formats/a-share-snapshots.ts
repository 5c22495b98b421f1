import { dateOfFile, headerPositions } from '../facts.ts';
import type { CsvFormat, Emit } from '../format.ts';
import { snapshots } from '../targets.ts';
import { cleanPrice, dottedTimeNs, shanghaiTimeNs } from './a-shares.ts';

/** Last, running volume and turnover, best bid and ask, in the order of the snapshot columns. */
type Figures = readonly string[];

function emitSnapshot(emit: Emit, timeNs: bigint, symbol: string, figures: Figures): void {
  // Prices are 0 before the first trade and where a side is empty: that is no price.
  const price = (text: string): number | null => (Number(text) === 0 ? null : cleanPrice(text));
  const amount = (text: string): string | null => (text === '' ? null : text);
  const [last, volume, turnover, bid, bidSize, ask, askSize] = figures;
  const totals = [amount(volume), amount(turnover)];
  const sides = [price(bid), amount(bidSize), price(ask), amount(askSize)];
  emit.row(snapshots, [timeNs, symbol, price(last), ...totals, ...sides]);
}

/** Shanghai Level-2 snapshots; the date is in the file's name. */
export const sseSnapshots: CsvFormat = {
  shape: 'csv',
  name: 'sse-snapshots',
  targets: [snapshots],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, [
      ...['UpdateTime', 'SecurityID', 'LastPrice', 'TradVolume', 'Turnover'],
      ...['BidPrice1', 'BidVolume1', 'AskPrice1', 'AskVolume1'],
    ]),
  reader(file, emit) {
    const date = dateOfFile(file);
    return ([time, code, ...figures]) =>
      emitSnapshot(emit, shanghaiTimeNs(date, time), file.symbol ?? `sh${code}`, figures);
  },
};

/** Snapshots of many stocks with full times: `SecurityID,DateTime,…,LastPx,…`, five price levels counted from 0. */
export const aShareSnapshots: CsvFormat = {
  shape: 'csv',
  name: 'a-share-snapshots',
  targets: [snapshots],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, [
      ...['DateTime', 'SecurityID', 'LastPx', 'TotalVolumeTrade', 'TotalValueTrade'],
      ...['BidPrice0', 'BidOrderQty0', 'OfferPrice0', 'OfferOrderQty0'],
    ]),
  reader(file, emit) {
    return ([time, code, ...figures]) => {
      // Shanghai codes begin with 5 (funds), 6 (stocks) or 9 (B shares); the record does not name the market.
      const symbol = file.symbol ?? `${/^[569]/.test(code) ? 'sh' : 'sz'}${code}`;
      emitSnapshot(emit, dottedTimeNs(time), symbol, figures);
    };
  },
};

/** Snapshots whose code carries its market (`688293.SH`), date and time in two columns. */
export const marketCodeSnapshots: CsvFormat = {
  shape: 'csv',
  name: 'market-code-snapshots',
  targets: [snapshots],
  hasHeader: true,
  positions: (header) =>
    headerPositions(header, [
      ...['MDDate', 'MDTime', 'HTSCSecurityID', 'LastPx', 'TotalVolumeTrade', 'TotalValueTrade'],
      ...['BuyPrice1', 'BuyOrderQty1', 'SellPrice1', 'SellOrderQty1'],
    ]),
  reader(file, emit) {
    return ([date, time, id, ...figures]) => {
      const [code, market = ''] = id.split('.');
      emitSnapshot(
        emit,
        dottedTimeNs(`${date}T${time}`),
        file.symbol ?? `${market.toLowerCase()}${code}`,
        figures,
      );
    };
  },
};
