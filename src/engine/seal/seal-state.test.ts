import { describe, expect, it } from 'vitest';
import {
  addArrivals,
  closedChunks,
  formatSealState,
  isTooWide,
  markSealed,
  narrow,
  narrowerNs,
  newSealState,
  parseSealState,
  planRun,
  type SealLimits,
} from './seal-state.ts';

const limits: SealLimits = { intervalMs: 1000, rowsMin: 100, rowsMax: 1000, idleMs: 60_000 };
const dayNs = 86_400e9;

function stateOf(arrivals: [number, number][], nowMs = 0) {
  const state = newSealState();
  addArrivals(state, new Map(arrivals), nowMs);
  return state;
}

describe('a chunk is closed', () => {
  it('when the watermark is past its end by a grace and rows have stopped coming', () => {
    const state = stateOf([
      [10, 500],
      [11, 500],
    ]);
    addArrivals(state, new Map([[11, 20]]), 1);
    expect(closedChunks(state, 11 * dayNs, 1, limits)).toEqual([]);
    expect(closedChunks(state, 11.05 * dayNs, 1, limits)).toEqual([10]);
    expect(closedChunks(state, 13 * dayNs, 1, limits)).toEqual([10, 11]);
    addArrivals(state, new Map([[10, 100]]), 2);
    expect(closedChunks(state, 13 * dayNs, 2, limits)).toEqual([11]);
  });

  it('when no row came for long, wherever the watermark is', () => {
    const state = stateOf([[10, 500]], 1000);
    expect(closedChunks(state, 10 * dayNs, 60_999, limits)).toEqual([]);
    expect(closedChunks(state, 10 * dayNs, 61_000, limits)).toEqual([10]);
  });
});

describe('a run', () => {
  it('takes neighbours together up to the most rows of a step', () => {
    const totals = new Map([
      [1, 400],
      [2, 400],
      [3, 400],
    ]);
    const state = stateOf([...totals]);
    expect(planRun(state, [1, 2, 3], totals, limits)).toMatchObject({ from: 1, to: 2, rowCount: 800 });
    markSealed(state, { from: 1, to: 2, rowCount: 800 });
    expect(planRun(state, [3], totals, limits)).toMatchObject({ from: 3, to: 3, rowCount: 400 });
  });

  it('waits until enough rows of small chunks have gathered', () => {
    const days = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, 10]));
    const numbers = (count: number) => [...days(count).keys()];
    expect(planRun(stateOf([...days(9)]), numbers(9), days(9), limits)).toBeUndefined();
    expect(planRun(stateOf([...days(10)]), numbers(10), days(10), limits)).toMatchObject({ from: 0, to: 9 });
  });

  it('counts the sealed rows it spans, and is not worth it for a few late rows', () => {
    const totals = new Map([
      [1, 450],
      [2, 100],
      [3, 450],
    ]);
    const few = stateOf([
      [1, 60],
      [3, 60],
    ]);
    expect(planRun(few, [1, 3], totals, limits)).toBeUndefined();
    const more = stateOf([
      [1, 60],
      [3, 80],
    ]);
    expect(planRun(more, [1, 3], totals, limits)).toMatchObject({ from: 1, to: 3, rowCount: 1000 });
  });

  it('believes the rows that are there rather than the count', () => {
    expect(planRun(stateOf([[1, 500]]), [1], new Map([[1, 20]]), limits)).toBeUndefined();
    expect(planRun(stateOf([[1, 500]]), [1], new Map(), limits)).toBeUndefined();
  });
});

describe('chunks', () => {
  it('narrow where a step cannot hold one, sharing out the unsealed rows as rows lie', () => {
    const state = stateOf([[-1, 1200]]);
    expect(isTooWide(state, limits)).toBe(true);
    expect(narrowerNs(state)).toBe(dayNs / 6);
    // Day -1 is chunks -6 … -1 of four hours.
    const totals = new Map([
      [-6, 600],
      [-2, 1800],
    ]);
    narrow(state, dayNs / 6, totals);
    expect([...state.chunks].map(([number, { unsealed }]) => [number, unsealed])).toEqual([
      [-6, 300],
      [-2, 900],
    ]);
    expect(isTooWide(state, limits)).toBe(false);
    for (let width = narrowerNs(state); width !== undefined; width = narrowerNs(state)) {
      expect(state.widthNs % width).toBe(0);
      state.widthNs = width;
    }
    expect(state.widthNs).toBe(1e9);
  });

  it('come back from their document as they were', () => {
    const state = { ...stateOf([[3, 7]], 5), countedBelow: 12 };
    const read = parseSealState(formatSealState(state), 5);
    expect(read).toEqual({ ...state, chunks: new Map([[3, { unsealed: 7, arrived: 0, touchedMs: 5 }]]) });
  });
});
