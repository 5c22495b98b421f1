import { expect, it } from 'vitest';
import { resolutionsFrom, timeframeOf } from './udf-resolutions.ts';

it('reads resolutions as the charting library writes them', () => {
  const check = (resolution: string, timeframe: string | undefined) =>
    expect(timeframeOf(resolution)).toBe(timeframe);
  check('1', '1m');
  check('240', '4h');
  check('15S', '15s');
  check('S', '1s');
  check('D', '1d');
  check('1D', '1d');
  check('2W', '2w');
  check('12M', '1y');
  check('', undefined);
  check('1H', undefined);
  check('x', undefined);
  check('0', undefined);
});

it('offers what is stored and what that makes up', () => {
  expect(resolutionsFrom([])).toEqual([]);
  expect(resolutionsFrom(['1d'])).toEqual(['1D', '1W', '1M', '3M', '6M', '12M']);
  expect(resolutionsFrom(['4h'])).toEqual(['240', '480', '720', '1D', '1W', '1M', '3M', '6M', '12M']);
  expect(resolutionsFrom(['7s', '2d'])).toEqual(['7S', '2D']);
  expect(resolutionsFrom(['1s', '1m']).slice(0, 7)).toEqual(['1S', '5S', '10S', '15S', '30S', '1', '3']);
  expect(resolutionsFrom(['1w'])).toEqual(['1W']);
});
