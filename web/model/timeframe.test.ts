import { expect, it } from 'vitest';
import {
  chooseTimeframe,
  shorterTimeframe,
  sortedTimeframes,
  timeframeMs,
  watchTimeframe,
} from './timeframe.ts';

it('knows lengths', () => {
  expect(['100ms', '1s', '15m', '4h', '1d', '1w'].map(timeframeMs)).toEqual([
    100, 1000, 900_000, 14_400_000, 86_400_000, 604_800_000,
  ]);
  expect(timeframeMs('1mo')).toBeGreaterThan(timeframeMs('4w'));
  expect(timeframeMs('soon')).toBeNaN();
});

it('sorts by length, not by name', () => {
  expect(sortedTimeframes(['1d', '15m', '1s', '5m', 'odd', '1h'])).toEqual(['1s', '5m', '15m', '1h', '1d']);
});

it('opens what was asked for, else a minute, else the shortest', () => {
  expect(chooseTimeframe(['1h', '1m'], '1h')).toBe('1h');
  expect(chooseTimeframe(['1s', '1m', '1h'], '2h')).toBe('1m');
  expect(chooseTimeframe(['1d', '1h'], undefined)).toBe('1h');
  expect(chooseTimeframe([], '1m')).toBeUndefined();
});

it('finds the next shorter one, down to a second', () => {
  const timeframes = ['1m', '100ms', '5s', '1s', '1h'];
  expect(['1h', '1m', '5s', '1s', '100ms'].map((than) => shorterTimeframe(timeframes, than))).toEqual([
    '1m',
    '5s',
    '1s',
    undefined,
    undefined,
  ]);
});

it('watches day bars, else the longest', () => {
  expect(watchTimeframe(['1s', '1d', '1w'])).toBe('1d');
  expect(watchTimeframe(['1h', '1s'])).toBe('1h');
  expect(watchTimeframe([])).toBeUndefined();
});
