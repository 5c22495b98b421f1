import { expect, it } from 'vitest';
import { createBucketing } from '../../../market/bucketing.ts';
import { Partials } from '../../rollup/partials.ts';
import type { BarSource } from '../bar-source.ts';
import { pageWith } from './bar-page.ts';
import { barStates } from './bar-states.ts';

const minute = 60e9;

/** Minutes 0 to 4 of one series, the second filled in, each bar's first tick at the second of its minute. */
function page(secondOfFirstTick: number) {
  const partials = new Partials([], 5);
  const bars = Array.from({ length: 5 }, (_, row) => {
    partials.firstT[row] = row * minute + secondOfFirstTick * 1e9;
    return { row, group: 0, start: row * minute, isFilled: row === 1 };
  });
  return pageWith(partials, bars, false);
}

function source(more: Partial<BarSource>): BarSource {
  const read = () => Promise.reject(new Error('no read'));
  const before = async () => new Map();
  const plan = { bucketing: createBucketing('1m'), slots: [], outputs: [] };
  const completeFrom = Number.NEGATIVE_INFINITY;
  return { plan, bucketing: plan.bucketing, seriesCount: 1, completeFrom, read, before, ...more };
}

async function statesOf(more: Partial<BarSource>, secondOfFirstTick = 30): Promise<string[]> {
  const { dictionary, codes } = await barStates(source(more), page(secondOfFirstTick), 4.5 * minute);
  return Array.from(codes, (code) => dictionary[code]);
}

it('a bar is live until its bucket has ended, and filled whatever else', async () => {
  expect(await statesOf({})).toEqual(['first', 'filled', 'complete', 'complete', 'live']);
});

it('the first bar is complete if a tick stands at its very start, or if it is not the first', async () => {
  expect((await statesOf({}, 0))[0]).toBe('complete');
  const before = async () => new Map([[0, { partials: new Partials([], 1), row: 0 }]]);
  expect((await statesOf({ before }))[0]).toBe('complete');
});

it('what a back-fill has not come down to is partial', async () => {
  expect(await statesOf({ completeFrom: 3 * minute })).toEqual([
    'partial',
    'filled',
    'partial',
    'complete',
    'live',
  ]);
});
