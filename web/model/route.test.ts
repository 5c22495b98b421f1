import { expect, it } from 'vitest';
import { formatRoute, parseRoute } from './route.ts';

it('comes back as it went', () => {
  const routes = [
    {},
    { table: 'stocks_real_time' },
    { table: 'a b', symbol: 'BTC/USD · Coinbase', timeframe: '1m' },
    { symbol: '100%&=#+' },
  ];
  expect(routes.map((route) => parseRoute(formatRoute(route)))).toEqual(routes);
});

it('reads a link written by hand and leaves out what it does not know', () => {
  expect(parseRoute('#table=t&symbol=BTC/USD&timeframe=&theme=dark')).toEqual({
    table: 't',
    symbol: 'BTC/USD',
  });
  expect(parseRoute('')).toEqual({});
});
