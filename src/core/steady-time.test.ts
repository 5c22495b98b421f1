import { beforeEach, expect, it } from 'vitest';
import { createSteadyTime } from './steady-time.ts';

const hourMs = 3_600_000;
let wallMs: number;
let monotonicMs: number;
let steady: () => number;
const clock = { nowMs: () => wallMs, monotonicMs: () => monotonicMs };

function pass(ms: number): void {
  wallMs += ms;
  monotonicMs += ms;
}

beforeEach(() => {
  wallMs = Date.UTC(2024, 2, 1);
  monotonicMs = 500;
  steady = createSteadyTime(clock);
});

it('is the wall clock while that goes as it should, or a little faster or slower', () => {
  for (let step = 0; step < 100; step++) {
    pass(hourMs);
    wallMs += step % 2 === 0 ? 900 : -700;
    expect(steady()).toBe(wallMs);
  }
});

it('does not follow a leap ahead that is taken back, and goes on meanwhile', () => {
  const beforeMs = wallMs;
  wallMs += 5 * hourMs;
  expect(steady()).toBe(beforeMs);
  pass(hourMs / 2);
  expect(steady()).toBe(beforeMs + hourMs / 2);
  wallMs -= 5 * hourMs;
  pass(hourMs);
  expect(steady()).toBe(wallMs);
  // Another one waits its full time again.
  wallMs += 5 * hourMs;
  expect(steady()).toBe(wallMs - 5 * hourMs);
  pass(hourMs - 1);
  expect(steady()).toBe(wallMs - 5 * hourMs);
});

it('follows a leap ahead that lasts', () => {
  wallMs += 5 * hourMs;
  steady();
  pass(hourMs);
  expect(steady()).toBe(wallMs);
  pass(hourMs);
  expect(steady()).toBe(wallMs);
});

it('follows a leap back at once', () => {
  wallMs -= 5 * hourMs;
  expect(steady()).toBe(wallMs);
});
