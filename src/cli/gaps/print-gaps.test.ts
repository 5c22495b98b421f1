import { expect, it } from 'vitest';
import { durationText } from './print-gaps.ts';

it.each([
  [0.5, '0.5s'],
  [120, '2m'],
  [7020, '1h 57m'],
  [90_061, '1d 1h 1m 1s'],
  [0, '0s'],
])('%d seconds of market time are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
