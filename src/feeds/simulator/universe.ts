/** The instruments the simulator knows. Names and currencies are the real public ones; prices only start near them. */

/** One simulated instrument. */
export interface Instrument {
  symbol: string;
  /** Of the company, or of both sides of a pair. */
  name: string;
  type: 'Common Stock' | 'ETF' | 'Digital Currency' | 'Physical Currency';
  /** Names of the two sides; null for what is not a pair. */
  pair: { base: string; quote: string } | null;
  /** Where the walk starts and what it is pulled back to. */
  price: number;
  /** Decimals of a price. */
  decimals: number;
  /** Standard deviation of a year's logarithmic return. */
  yearVolatility: number;
  /** Typical running volume at the end of a day; 0 for a market that has none. */
  dayVolume: number;
}

const stock = (symbol: string, name: string, price: number, dayVolume: number): Instrument => ({
  symbol,
  name,
  type: 'Common Stock',
  pair: null,
  price,
  decimals: 2,
  yearVolatility: 0.5,
  dayVolume,
});

const pair = (
  symbol: string,
  [base, quote]: [string, string],
  rest: Pick<Instrument, 'type' | 'price' | 'decimals' | 'yearVolatility' | 'dayVolume'>,
): Instrument => ({ symbol, name: `${base} / ${quote}`, pair: { base, quote }, ...rest });

const coin = (symbol: string, base: string, price: number, decimals: number, dayVolume: number): Instrument =>
  pair(symbol, [base, 'US Dollar'], {
    type: 'Digital Currency',
    price,
    decimals,
    yearVolatility: 0.7,
    dayVolume,
  });

const instruments: readonly Instrument[] = [
  stock('AAPL', 'Apple Inc', 226.5, 52_000_000),
  stock('MSFT', 'Microsoft Corporation', 421.3, 21_000_000),
  stock('NVDA', 'NVIDIA Corporation', 136.2, 240_000_000),
  stock('AMZN', 'Amazon.com, Inc.', 186.9, 38_000_000),
  stock('GOOGL', 'Alphabet Inc.', 165.4, 27_000_000),
  stock('META', 'Meta Platforms, Inc.', 567.8, 14_000_000),
  stock('TSLA', 'Tesla, Inc.', 249.1, 90_000_000),
  stock('JPM', 'JPMorgan Chase & Co.', 221.7, 9_000_000),
  {
    ...stock('SPY', 'SPDR S&P 500 ETF Trust', 580.4, 45_000_000),
    type: 'ETF',
    yearVolatility: 0.2,
  },
  coin('BTC/USD', 'Bitcoin', 67_250.5, 1, 14_000),
  coin('ETH/USD', 'Ethereum', 2630.4, 2, 120_000),
  coin('SOL/USD', 'Solana', 171.3, 2, 2_500_000),
  pair('ETH/BTC', ['Ethereum', 'Bitcoin'], {
    type: 'Digital Currency',
    price: 0.03911,
    decimals: 5,
    yearVolatility: 0.4,
    dayVolume: 30_000,
  }),
  pair('EUR/USD', ['Euro', 'US Dollar'], {
    type: 'Physical Currency',
    price: 1.0862,
    decimals: 5,
    yearVolatility: 0.08,
    dayVolume: 0,
  }),
  pair('USD/JPY', ['US Dollar', 'Japanese Yen'], {
    type: 'Physical Currency',
    price: 151.84,
    decimals: 3,
    yearVolatility: 0.1,
    dayVolume: 0,
  }),
];

/** Every instrument by symbol. */
export const universe: ReadonlyMap<string, Instrument> = new Map(
  instruments.map((instrument) => [instrument.symbol, instrument]),
);
