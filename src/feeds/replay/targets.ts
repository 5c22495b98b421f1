/** The tables most formats fill, so that recordings of many sources lie side by side. */
import type { ColumnDef, ColumnType } from '../../market/schema.ts';
import type { Target } from './format.ts';

const double: ColumnType = { kind: 'double' };
const text: ColumnType = { kind: 'text' };

function timeAndSymbol(unit: 'us' | 'ns'): ColumnDef[] {
  return [
    { name: 'time', type: { kind: 'timestamp', unit, zone: true }, nullable: false },
    { name: 'symbol', type: text, nullable: false },
  ];
}

function tradeColumns(unit: 'us' | 'ns'): ColumnDef[] {
  return [
    ...timeAndSymbol(unit),
    { name: 'price', type: double },
    { name: 'size', type: double },
    { name: 'side', type: text },
    { name: 'trade_id', type: { kind: 'int64' } },
  ];
}

const quoteColumns: readonly ColumnDef[] = [
  ...timeAndSymbol('us'),
  { name: 'bid', type: double },
  { name: 'bid_size', type: double },
  { name: 'ask', type: double },
  { name: 'ask_size', type: double },
];

const tradeCandles = { price: 'price', volume: 'size' };

/** Trades: time, symbol, price, size, side (of the taker: `buy`, `sell` or null), trade_id. */
export const trades: Target = { table: 'trades', columns: tradeColumns('us'), candles: tradeCandles };

/** Trades whose times have nanoseconds. */
export const nanosecondTrades: Target = { ...trades, columns: tradeColumns('ns') };

/** Trades of a consolidated tape: as {@link trades}, then venue and sale conditions. */
export const tapeTrades: Target = {
  ...trades,
  columns: [...trades.columns, { name: 'venue', type: text }, { name: 'conditions', type: text }],
};

/** Best bid and ask: time, symbol, bid, bid_size, ask, ask_size. They come with trades, so they make no bars. */
export const quotes: Target = { table: 'quotes', columns: quoteColumns, candles: null };

/** Quotes of a consolidated tape: as {@link quotes}, then the venue. */
export const tapeQuotes: Target = { ...quotes, columns: [...quoteColumns, { name: 'venue', type: text }] };

/** Quotes of a market without trades, whose bars are bars of the bid. */
export const quotesOnly: Target = { ...quotes, candles: { price: 'bid' } };

/** Exchange snapshots: last price, running totals of the day, best bid and ask. */
export const snapshots: Target = {
  table: 'snapshots',
  columns: [
    ...timeAndSymbol('us'),
    { name: 'price', type: double },
    { name: 'day_volume', type: double },
    { name: 'day_turnover', type: double },
    ...quoteColumns.slice(2),
  ],
  candles: { price: 'price', cumulativeVolume: 'day_volume' },
};
