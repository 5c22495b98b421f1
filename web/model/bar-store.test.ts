import { describe, expect, it } from 'vitest';
import type { Bar } from './bar.ts';
import { applyBar, barAt, prependBars, sortedByTime, trimBars } from './bar-store.ts';

/** A bar that begins at `timeMs` and closes at `close`. */
function barOf(timeMs: number, close = timeMs): Bar {
  return { timeMs, open: 1, high: 9, low: 0, close, volume: null };
}

const barsAt = (...times: number[]): Bar[] => times.map((timeMs) => barOf(timeMs));
const timesOf = (bars: readonly Bar[]): number[] => bars.map(({ timeMs }) => timeMs);

describe('applyBar', () => {
  it('appends the first bar and newer ones', () => {
    const bars: Bar[] = [];
    expect(applyBar(bars, barOf(10), false)).toBe('appended');
    expect(applyBar(bars, barOf(20), false)).toBe('appended');
    expect(timesOf(bars)).toEqual([10, 20]);
  });

  it('replaces the last bar while it is live', () => {
    const bars = barsAt(10, 20);
    expect(applyBar(bars, barOf(20, 5), false)).toBe('replaced');
    expect(bars).toEqual([barOf(10), barOf(20, 5)]);
  });

  it('corrects an older bar where it stands', () => {
    const bars = barsAt(10, 20, 30, 40);
    expect(applyBar(bars, barOf(20, 7), false)).toBe('corrected');
    expect(bars).toEqual([barOf(10), barOf(20, 7), barOf(30), barOf(40)]);
  });

  it('puts the bar of a late tick into its gap', () => {
    const bars = barsAt(10, 40);
    expect(applyBar(bars, barOf(20), false)).toBe('inserted');
    expect(timesOf(bars)).toEqual([10, 20, 40]);
  });

  it('leaves a bar before all that is loaded to the history, unless the history ends there', () => {
    const bars = barsAt(20, 30);
    expect(applyBar(bars, barOf(10), false)).toBe('ignored');
    expect(timesOf(bars)).toEqual([20, 30]);
    expect(applyBar(bars, barOf(10), true)).toBe('inserted');
    expect(timesOf(bars)).toEqual([10, 20, 30]);
  });

  it('gives the same bars in any order of arrival', () => {
    const arrivals = [barOf(30), barOf(10), barOf(20, 4), barOf(40), barOf(10, 3)];
    const bars: Bar[] = [];
    for (const bar of arrivals) applyBar(bars, bar, true);
    expect(bars).toEqual([barOf(10, 3), barOf(20, 4), barOf(30), barOf(40)]);
  });
});

describe('prependBars', () => {
  it('takes a page in descending order and leaves out what is there', () => {
    const bars = barsAt(30, 40);
    expect(prependBars(bars, [barOf(30, 1), ...barsAt(20, 10)])).toBe(2);
    expect(bars).toEqual(barsAt(10, 20, 30, 40));
  });

  it('adds nothing from an empty page', () => {
    const bars = barsAt(30);
    expect(prependBars(bars, [])).toBe(0);
    expect(timesOf(bars)).toEqual([30]);
  });
});

it('sorts a snapshot, the later state of a bar winning', () => {
  expect(sortedByTime([barOf(20), barOf(10), barOf(20, 6)])).toEqual([barOf(10), barOf(20, 6)]);
});

it('trims the oldest bars once there are too many', () => {
  const bars = barsAt(1, 2, 3, 4, 5);
  expect(trimBars(bars, 5)).toBe(false);
  expect(trimBars(bars, 4)).toBe(true);
  expect(timesOf(bars)).toEqual([3, 4, 5]);
});

it('finds a bar and the one before it', () => {
  const bars = barsAt(10, 20);
  expect(barAt(bars, 20)).toEqual({ bar: bars[1], previous: bars[0] });
  expect(barAt(bars, 10)).toEqual({ bar: bars[0], previous: undefined });
  expect(barAt(bars, 15)).toBeUndefined();
  expect(barAt(bars, 25)).toBeUndefined();
  expect(barAt([], 10)).toBeUndefined();
});
