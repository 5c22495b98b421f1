import { expect, it } from 'vitest';
import { ratePerSecond } from './rates.ts';

it('divides the growth by the time between', () => {
  expect(ratePerSecond({ uptimeMs: 1000, count: 10 }, { uptimeMs: 3000, count: 110 })).toBe(50);
  expect(ratePerSecond({ uptimeMs: 1000, count: 10 }, { uptimeMs: 3000, count: 10 })).toBe(0);
});

it('knows nothing from one sample, nor across a restart', () => {
  expect(ratePerSecond(undefined, { uptimeMs: 1000, count: 10 })).toBeNull();
  expect(ratePerSecond({ uptimeMs: 9000, count: 10 }, { uptimeMs: 1000, count: 20 })).toBeNull();
  expect(ratePerSecond({ uptimeMs: 1000, count: 10 }, { uptimeMs: 3000, count: 4 })).toBeNull();
});
