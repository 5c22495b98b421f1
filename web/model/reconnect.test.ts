import { expect, it } from 'vitest';
import { reconnectDelayMs } from './reconnect.ts';

it('doubles from half a second to ten, and stays there', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => reconnectDelayMs(attempt, 1));
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

it('waits at least half of that, the rest by chance', () => {
  expect([0, 0.5, 1].map((chance) => reconnectDelayMs(2, chance))).toEqual([1000, 1500, 2000]);
});
