import { expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

it.each([
  ['1s', 1_000_000_000n],
  ['90m', 5_400_000_000_000n],
  ['12h', 43_200_000_000_000n],
  ['30d', 2_592_000_000_000_000n],
  ['8w', 4_838_400_000_000_000n],
  ['36525d', 3_155_760_000_000_000_000n],
])('%s is %s ns', (text, ns) => {
  expect(parseDuration(text, 'retention')).toBe(ns);
});

it.each(['', '0d', '1', 'd', '1.5d', '-1d', '1mo', '36526d', ' 1d', 7, null])('refuses %j', (text) => {
  expect(() => parseDuration(text, 'retention')).toThrow(/^retention: .* is not a duration/);
});
