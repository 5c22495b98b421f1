import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatChange,
  formatPercent,
  formatPrice,
  formatVolume,
  priceDecimals,
} from './price-format.ts';

describe('priceDecimals', () => {
  it.each([
    ['stocks quoted in cents', [189.5, 189.52, 190], 2],
    ['whole prices keep two', [100, 101], 2],
    ['the finest price decides', [0.0014, 0.00139], 5],
    ['a tick of a hundred-millionth', [0.00001234, 0.0000123], 8],
    ['XRP/ETH trades of 2020', [0.00140213], 8],
    ['currencies to a tenth of a pip', [1.08234], 5],
    ['dear and fine at once', [67123.45], 2],
    ['ten decimals', [0.0000001234], 10],
    ['a sum in doubles is the decimal it stands for', [0.1 + 0.2], 2],
    ['a price that was divided shows six digits', [2 / 3], 6],
    ['the same, in thousands', [67000 / 7], 2],
    ['the same, below one', [0.002 / 3], 9],
    ['negative prices, as oil once had', [-37.635], 3],
    ['zero says nothing', [0], 2],
    ['nor does what is not a number', [Number.NaN, Number.POSITIVE_INFINITY], 2],
    ['nothing at all', [], 2],
    ['never more than twelve', [1.5e-20], 12],
  ])('%s', (_name, prices, decimals) => {
    expect(priceDecimals(prices)).toBe(decimals);
  });
});

it('groups thousands and keeps trailing zeros', () => {
  expect(formatPrice(67123.5, 2)).toBe('67,123.50');
  expect(formatPrice(0.0014, 6)).toBe('0.001400');
  expect(formatPrice(-37.63, 2)).toBe('−37.63');
});

it('writes volumes of any size in four digits', () => {
  expect([0.034215, 812, 12_540, 1_234_567, 5.2e9].map(formatVolume)).toEqual([
    '0.03422',
    '812',
    '12.54K',
    '1.235M',
    '5.2B',
  ]);
});

it('signs changes with a real minus, and zero not at all', () => {
  expect([0.00523, -0.0123, 0, null].map(formatPercent)).toEqual(['+0.52%', '−1.23%', '0.00%', '']);
  expect(formatPercent(-0.00001)).toBe('0.00%');
  expect(formatChange(1.2, 2)).toBe('+1.20');
  expect(formatChange(-0.00035, 5)).toBe('−0.00035');
});

it('writes bytes in decimal units', () => {
  expect([0, 999, 1000, 12_345, 123_456, 4_500_000_000].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '12.3 kB',
    '123 kB',
    '4.5 GB',
  ]);
});
