/** What the fake server holds. */
import type { WireTable } from '../../src/protocols/http/wire.ts';
import type { FakeSymbol } from './fake-market.ts';

/** A ticks table of the fake server and the timeframes of its bars. */
export interface FakeTable {
  name: string;
  symbols: FakeSymbol[];
  timeframes: string[];
  hasVolume: boolean;
}

/** One table as the simulator feed makes it, and one of small crypto prices without volume or day bars. */
export const fakeTables: FakeTable[] = [
  {
    name: 'stocks_real_time',
    timeframes: ['1s', '5s', '1m', '5m', '15m', '1h', '1d'],
    hasVolume: true,
    symbols: [
      { symbol: 'AAPL', name: 'Apple', base: 229, decimals: 2 },
      { symbol: 'AMD', name: 'Advanced Micro Devices', base: 158, decimals: 2 },
      { symbol: 'AMZN', name: 'Amazon', base: 213, decimals: 2 },
      { symbol: 'AVGO', name: 'Broadcom', base: 342, decimals: 2 },
      { symbol: 'BTC/USD', name: 'Bitcoin US Dollar', base: 67250, decimals: 1 },
      { symbol: 'CRM', name: 'Salesforce', base: 264, decimals: 2 },
      { symbol: 'ETH/BTC', name: 'Ethereum Bitcoin', base: 0.0524, decimals: 5 },
      { symbol: 'EUR/USD', name: 'Euro US Dollar', base: 1.0842, decimals: 5 },
      { symbol: 'GOOGL', name: 'Alphabet', base: 178, decimals: 2 },
      { symbol: 'INTC', name: 'Intel', base: 23.6, decimals: 2 },
      { symbol: 'JPM', name: 'JPMorgan Chase', base: 287, decimals: 2 },
      { symbol: 'META', name: 'Meta Platforms', base: 702, decimals: 2 },
      { symbol: 'MSFT', name: 'Microsoft', base: 492, decimals: 2 },
      { symbol: 'NFLX', name: 'Netflix', base: 1288, decimals: 2 },
      { symbol: 'NVDA', name: 'NVIDIA', base: 157, decimals: 2 },
      { symbol: 'ORCL', name: 'Oracle', base: 218, decimals: 2 },
      { symbol: 'TSLA', name: 'Tesla', base: 316, decimals: 2 },
      { symbol: 'V', name: 'Visa', base: 352, decimals: 2 },
    ],
  },
  {
    name: 'crypto_replay',
    timeframes: ['1s', '1m', '1h'],
    hasVolume: false,
    symbols: [
      { symbol: 'SHIB/USDT', name: null, base: 0.00001234, decimals: 8 },
      { symbol: 'XRP/ETH', name: null, base: 0.001402, decimals: 6 },
    ],
  },
];

/** `GET /api/v1/tables`: those, and a plain one that the page must leave out. */
export function tableList(tables: readonly FakeTable[]): WireTable[] {
  const common = { version: 1, rowCount: 0, rollup: null, backfill: null };
  const plain: WireTable = {
    ...common,
    name: 'company',
    kind: 'plain',
    columns: [{ name: 'symbol', type: { kind: 'text' } }],
    seriesKey: ['symbol'],
    seriesCount: 0,
    timeframes: [],
  };
  const ticks = tables.map(
    (table): WireTable => ({
      ...common,
      name: table.name,
      kind: 'ticks',
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
      ],
      timeColumn: 'time',
      seriesKey: ['symbol'],
      seriesCount: table.symbols.length,
      timeframes: table.timeframes,
    }),
  );
  return [plain, ...ticks];
}

/** How many bars of history there are: few days, so that a test reaches the beginning. */
export function historyBars(timeframe: string): number {
  return timeframe === '1d' ? 700 : 4000;
}

const widths: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Length of a timeframe in milliseconds. */
export function widthMsOf(timeframe: string): number {
  return Number.parseInt(timeframe, 10) * widths[timeframe.slice(-1)];
}
