import { describe, expect, it } from 'vitest';
import { columnOf, type Scalar, textColumn, valueAt } from '../../market/columns.ts';
import type { SeriesFilter } from '../database.ts';
import { type KeyValue, SeriesIndex } from './series-index.ts';

function textIndex(symbols: string[]): SeriesIndex {
  const index = new SeriesIndex([{ name: 'symbol', type: { kind: 'text' } }]);
  index.resolve([textColumn(symbols)], symbols.length);
  return index;
}

/** Symbol and contract number; both may be null. */
function pairIndex(keys: [KeyValue, KeyValue][]): { index: SeriesIndex; numbers: number[] } {
  const index = new SeriesIndex([
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'contract', type: { kind: 'int64' } },
  ]);
  const symbols = textColumn(keys.map(([symbol]) => symbol as string | null));
  const contracts = columnOf(
    'int64',
    keys.map(([, contract]) => contract),
  );
  return { index, numbers: [...index.resolve([symbols, contracts], keys.length)] };
}

describe('resolve', () => {
  it('numbers keys in the order of their first appearance, for good', () => {
    const index = textIndex(['B', 'A', 'B']);
    expect([...index.resolve([textColumn(['A', 'C', 'B', 'C'])], 4)]).toEqual([1, 2, 0, 2]);
    expect(index.count).toBe(3);
  });

  it('minds neither repeated nor unused entries of a dictionary', () => {
    const index = textIndex(['A']);
    const column = {
      kind: 'text' as const,
      dictionary: ['X', 'A', 'B', 'A', 'B'],
      codes: Int32Array.of(3, 4, 2, 1),
    };
    expect([...index.resolve([column], 4)]).toEqual([0, 1, 1, 0]);
    expect(index.values).toEqual([['A', 'B']]);
  });

  it('is not misled by the dictionary of the batch before', () => {
    const index = textIndex(['A', 'B', 'C']);
    expect([...index.resolve([textColumn(['C', 'A', 'D'])], 3)]).toEqual([2, 0, 3]);
    expect([...index.resolve([textColumn(['A', 'B', 'C'])], 3)]).toEqual([0, 1, 2]);
  });

  it('tells keys of several columns apart, nulls and empty texts too', () => {
    const keys: [KeyValue, KeyValue][] = [
      ['A', 1n],
      ['A', -1n],
      ['', 1n],
      [null, 1n],
      ['A', null],
      ['', null],
      [null, null],
      ['A', 1n],
    ];
    const { index, numbers } = pairIndex(keys);
    expect(numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 0]);
    const shown = index.keyColumnsOf(Int32Array.from(numbers));
    expect(keys.map((_, row) => shown.map((column) => valueAt(column, row)))).toEqual(keys);
  });

  it('keeps texts apart that look like a null beside a text', () => {
    const index = new SeriesIndex(
      ['a', 'b', 'c', 'd'].map((name) => ({ name, type: { kind: 'text' as const } })),
    );
    const keys: (string | null)[][] = [
      ['a', '', 'n', null],
      ['a', null, '', 'n'],
      ['a', '', null, 'n'],
      [null, 'a', '', 'n'],
      ['a', '', 'n', 'vvvn'],
      ['a', '', 'n', ''],
    ];
    const columns = [0, 1, 2, 3].map((i) => textColumn(keys.map((key) => key[i])));
    expect([...index.resolve(columns, keys.length)]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('gives a table without a key one series', () => {
    const index = new SeriesIndex([]);
    expect([index.count, ...index.resolve([], 3)]).toEqual([1, 0, 0, 0]);
  });
});

it('restore passes over keys that are known, and knows them as logged', () => {
  const index = textIndex(['A']);
  index.restore(0, [textColumn(['A', 'B', 'C'])], 3);
  index.restore(1, [textColumn(['B', 'C', 'D'])], 3);
  expect(index.values).toEqual([['A', 'B', 'C', 'D']]);
  expect(index.loggedCount).toBe(4);
  expect(index.columns(2, 4).map((column) => [valueAt(column, 0), valueAt(column, 1)])).toEqual([['C', 'D']]);
});

describe('match', () => {
  const { index } = pairIndex([
    ['AAPL', 1n],
    ['AA', 12n],
    ['a.b', 2n],
    ['aXb', 2n],
    ['A*', 1n],
    [null, 1n],
    ['null', -7n],
    ['x\ny', 2n ** 62n],
  ]);
  const matched = (filter: SeriesFilter): number[] => {
    const found = [...(index.match(filter) ?? [])];
    const oneByOne = Array.from({ length: index.count }, (_, series) => series);
    expect(oneByOne.filter((series) => index.matches(filter, series))).toEqual(found);
    return found;
  };

  it('takes every series without a filter', () => {
    expect(index.match(undefined)).toBeNull();
    expect(index.match({})).toBeNull();
  });

  it('takes a whole key in one look-up, numbers in any form', () => {
    expect(matched({ symbol: 'AAPL', contract: 1 })).toEqual([0]);
    expect(matched({ symbol: 'AA', contract: '12' })).toEqual([1]);
    expect(matched({ symbol: 'x\ny', contract: 2n ** 62n })).toEqual([7]);
    expect(matched({ symbol: 'AAPL', contract: 2 })).toEqual([]);
    expect(matched({ symbol: 'AAPL', contract: 'one' })).toEqual([]);
    expect(matched({ symbol: 'AAPL', contract: 1.5 })).toEqual([]);
  });

  it('takes columns that are absent as any value, and lists as any of theirs', () => {
    expect(matched({ contract: 1n })).toEqual([0, 4, 5]);
    expect(matched({ symbol: ['AA', 'AAPL', 'ZZ'] })).toEqual([0, 1]);
    expect(matched({ symbol: [] })).toEqual([]);
    expect(matched({ contract: [2, '12'] })).toEqual([1, 2, 3]);
  });

  it('takes * for any characters, line ends too, and nothing else for more than itself', () => {
    expect(matched({ symbol: 'A*' })).toEqual([0, 1, 4]);
    expect(matched({ symbol: '*A*L' })).toEqual([0]);
    expect(matched({ symbol: 'a.b' })).toEqual([2]);
    expect(matched({ symbol: 'a*b' })).toEqual([2, 3]);
    expect(matched({ symbol: 'x*y' })).toEqual([7]);
    expect(matched({ contract: '1*' })).toEqual([0, 1, 4, 5]);
    expect(matched({ symbol: ['AA', 'a.*'] })).toEqual([1, 2]);
  });

  it('finds a null by no text', () => {
    expect(matched({ symbol: '*' })).not.toContain(5);
    expect(matched({ symbol: 'null' })).toEqual([6]);
    expect(matched({ symbol: '' })).toEqual([]);
  });
});

it('keyColumnsOf gives the values of the rows', () => {
  const index = textIndex(['A', 'B']);
  const [column] = index.keyColumnsOf(Int32Array.of(1, 0, 1));
  const values: Scalar[] = [0, 1, 2].map((row) => valueAt(column, row));
  expect(values).toEqual(['B', 'A', 'B']);
});
