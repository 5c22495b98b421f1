import { describe, expect, it } from 'vitest';
import type { SeriesBar } from './bar.ts';
import { applyWatchBars, changeFraction, createWatchList, findEntries, listSeries } from './watch-list.ts';

/** A list of the symbols A to C. */
function listOf(since: 'day-open' | 'first-bar') {
  const list = createWatchList(since);
  listSeries(
    list,
    ['B', 'A', 'C'].map((series) => ({ series, keyValues: [series], name: null })),
  );
  return list;
}

function barOf(series: string, timeMs: number, open: number, close: number): SeriesBar {
  const bar = { timeMs, open, high: Math.max(open, close), low: Math.min(open, close), close, volume: null };
  return { series, bar };
}

const entryOf = (list: ReturnType<typeof listOf>, series: string) => {
  const entry = list.entries.get(series);
  if (!entry) throw new Error(`${series} is not in the list`);
  return entry;
};

it('lists symbols in order, numbers by size, and keeps prices when listed again', () => {
  const list = listOf('day-open');
  applyWatchBars(list, [barOf('A', 0, 10, 11)]);
  const names = ['ESH10', 'ESH9', 'A'].map((series) => ({
    series,
    keyValues: [series],
    name: `${series} Inc.`,
  }));
  listSeries(list, names);
  expect([...list.entries.keys()]).toEqual(['A', 'B', 'C', 'ESH9', 'ESH10']);
  expect(entryOf(list, 'A')).toMatchObject({ last: 11, name: 'A Inc.' });
});

describe('with day bars', () => {
  it('counts the change from the open of the latest day', () => {
    const list = listOf('day-open');
    applyWatchBars(list, [barOf('A', 0, 100, 120)]);
    expect(changeFraction(entryOf(list, 'A'))).toBeCloseTo(0.2, 12);
    applyWatchBars(list, [barOf('A', 86_400_000, 120, 114)]);
    expect(entryOf(list, 'A')).toMatchObject({ last: 114, base: 120, move: 'down' });
    expect(changeFraction(entryOf(list, 'A'))).toBeCloseTo(-0.05, 12);
  });

  it('takes a corrected open, and ignores a correction of the day before', () => {
    const list = listOf('day-open');
    applyWatchBars(list, [barOf('A', 86_400_000, 100, 110)]);
    applyWatchBars(list, [barOf('A', 86_400_000, 99, 110), barOf('A', 0, 50, 60)]);
    expect(entryOf(list, 'A')).toMatchObject({ last: 110, base: 99 });
  });
});

describe('without day bars', () => {
  it('counts the change from the first bar known', () => {
    const list = listOf('first-bar');
    applyWatchBars(list, [barOf('A', 0, 100, 101), barOf('A', 1000, 101, 103), barOf('A', 2000, 103, 110)]);
    expect(entryOf(list, 'A')).toMatchObject({ last: 110, base: 100 });
  });
});

it('says which lines changed, and which series it does not know', () => {
  const list = listOf('day-open');
  applyWatchBars(list, [barOf('A', 0, 10, 11), barOf('B', 0, 5, 5)]);
  const again = applyWatchBars(list, [barOf('A', 0, 10, 11), barOf('B', 0, 5, 6), barOf('X', 0, 1, 1)]);
  expect([...again.changed]).toEqual(['B']);
  expect([...again.unknown]).toEqual(['X']);
  expect(entryOf(list, 'B').move).toBe('up');
});

it('shows as many decimals as any price had', () => {
  const list = listOf('day-open');
  applyWatchBars(list, [barOf('A', 0, 0.00140213, 0.0014)]);
  applyWatchBars(list, [barOf('A', 0, 0.0014, 0.0015)]);
  expect(entryOf(list, 'A').decimals).toBe(8);
});

it('has no change before the first price, nor over an open of zero', () => {
  const list = listOf('day-open');
  expect(changeFraction(entryOf(list, 'A'))).toBeNull();
  applyWatchBars(list, [barOf('A', 0, 0, 5)]);
  expect(changeFraction(entryOf(list, 'A'))).toBeNull();
});

it('finds by symbol and name, symbols that begin with the text first', () => {
  const list = createWatchList('day-open');
  const names = { AAPL: 'Apple', META: 'Meta Platforms', PL: 'Planet Labs', 'ETH/USD': null };
  listSeries(
    list,
    Object.entries(names).map(([series, name]) => ({ series, keyValues: [series], name })),
  );
  const found = (text: string) => findEntries(list, text).map(({ series }) => series);
  expect(found('pl')).toEqual(['PL', 'AAPL', 'META']);
  expect(found('meta plat')).toEqual(['META']);
  expect(found(' usd')).toEqual(['ETH/USD']);
  expect(found('nothing like it')).toEqual([]);
  expect(found('')).toHaveLength(4);
});
