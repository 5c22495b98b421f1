import { expect, it } from 'vitest';
import { decodeBars, missingColumns } from './decode-bars.ts';

const bySymbol = { seriesKey: ['symbol'], timeColumn: 'time' };
const prices = { open: [1, 2], high: [3, 4], low: [0.5, 1.5], close: [2.5, 3.5] };

it('reads one bar a row', () => {
  const columns = { time: [1000, 2000], symbol: ['A', 'B'], ...prices, volume: [7, null] };
  expect(decodeBars(bySymbol, columns)).toEqual([
    { series: 'A', bar: { timeMs: 1000, open: 1, high: 3, low: 0.5, close: 2.5, volume: 7 } },
    { series: 'B', bar: { timeMs: 2000, open: 2, high: 4, low: 1.5, close: 3.5, volume: null } },
  ]);
});

it('reads decimals and large integers, which come as strings', () => {
  const columns = {
    time: [1000],
    symbol: ['A'],
    open: ['0.00140000'],
    high: ['0.0015'],
    low: ['0.001'],
    close: ['0.0014'],
    volume: ['9007199254740993'],
  };
  const [{ bar }] = decodeBars(bySymbol, columns);
  expect(bar).toEqual({
    timeMs: 1000,
    open: 0.0014,
    high: 0.0015,
    low: 0.001,
    close: 0.0014,
    volume: 2 ** 53,
  });
});

it('has no volume where the rollup has none', () => {
  const [{ bar }] = decodeBars(bySymbol, { time: [1, 2], symbol: ['A', 'A'], ...prices });
  expect(bar.volume).toBeNull();
});

it('leaves out buckets without a price', () => {
  const columns = { time: [1, 2], symbol: ['A', 'A'], ...prices, close: [null, 3.5] };
  expect(decodeBars(bySymbol, columns).map(({ bar }) => bar.timeMs)).toEqual([2]);
});

it('names a series by all columns of its key, and the only series of a table without one', () => {
  const columns = {
    time: [1, 2],
    symbol: ['BTC/USD', 'BTC/USD'],
    exchange: ['Kraken', 'Coinbase'],
    ...prices,
  };
  const table = { seriesKey: ['symbol', 'exchange'], timeColumn: 'time' };
  expect(decodeBars(table, columns).map(({ series }) => series)).toEqual([
    'BTC/USD · Kraken',
    'BTC/USD · Coinbase',
  ]);
  const single = decodeBars({ seriesKey: [], timeColumn: 'time' }, { time: [1, 2], ...prices });
  expect(single.map(({ series }) => series)).toEqual(['(all rows)', '(all rows)']);
});

it('takes the first column for the time when the rollup calls it something else', () => {
  const columns = { bucket: [5, 6], symbol: ['A', 'A'], ...prices };
  expect(decodeBars(bySymbol, columns).map(({ bar }) => bar.timeMs)).toEqual([5, 6]);
});

it('says which price columns a rollup lacks', () => {
  expect(missingColumns({ time: [], open: [], high: [], low: [], close: [] })).toEqual([]);
  expect(missingColumns({ time: [], avg_price: [], high: [] })).toEqual(['open', 'low', 'close']);
});
