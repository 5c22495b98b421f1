import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ceil256, checkRange, floor256, formatCursor, isInRange, sortedRows } from './range.ts';

describe('checkRange', () => {
  it('fills in what was not asked for', () => {
    expect(checkRange({})).toEqual({ fromNs: null, toNs: null, order: 'asc', limit: null, after: null });
    const asked = { fromNs: -5n, toNs: 0n, order: 'desc', limit: 0 } as const;
    expect(checkRange(asked)).toEqual({ ...asked, after: null });
  });

  it.each([
    [{ limit: -1 }],
    [{ limit: 1.5 }],
    [{ limit: Number.NaN }],
    [{ limit: 2 ** 53 }],
    [{ order: 'down' as 'desc' }],
    [{ cursor: '' }],
    [{ cursor: '12' }],
    [{ cursor: '12.-1' }],
    [{ cursor: '12.3.4' }],
    [{ cursor: '12345678901234567890.1' }],
  ])('refuses %o', (request) => {
    expect(() => checkRange(request)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('takes back every cursor it gave', () => {
    const position = fc.record({
      timeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      tie: fc.bigInt({ min: 0n, max: 2n ** 53n }),
    });
    fc.assert(
      fc.property(position, (after) => {
        expect(checkRange({ cursor: formatCursor(after) }).after).toEqual(after);
      }),
    );
  });
});

it('isInRange includes the start, excludes the end, and goes on behind the cursor', () => {
  const rows: [bigint, bigint][] = [
    [1n, 0n],
    [2n, 1n],
    [2n, 3n],
    [2n, 5n],
    [3n, 2n],
  ];
  const kept = (request: Parameters<typeof checkRange>[0]): number[] => {
    const range = checkRange(request);
    return rows.flatMap(([timeNs, tie], row) => (isInRange(range, timeNs, tie) ? [row] : []));
  };
  expect(kept({ fromNs: 2n, toNs: 3n })).toEqual([1, 2, 3]);
  expect(kept({ cursor: '2.3' })).toEqual([3, 4]);
  expect(kept({ cursor: '2.3', order: 'desc' })).toEqual([0, 1]);
  expect(kept({ cursor: '2.4', order: 'desc', fromNs: 2n })).toEqual([1, 2]);
});

it('sortedRows orders by time, then by tie', () => {
  const row = fc.tuple(fc.bigInt({ min: -3n, max: 3n }), fc.integer({ min: 0, max: 50 }));
  fc.assert(
    fc.property(fc.uniqueArray(row, { selector: String }), fc.constantFrom('asc', 'desc'), (rows, order) => {
      const times = BigInt64Array.from(rows, ([timeNs]) => timeNs);
      const ties = Float64Array.from(rows, ([, tie]) => tie);
      const expected = [...rows.keys()].sort(
        (a, b) => Number(rows[a][0] - rows[b][0]) || rows[a][1] - rows[b][1],
      );
      if (order === 'desc') expected.reverse();
      expect([...sortedRows(times, ties, order)]).toEqual(expected);
    }),
  );
});

it('floor256 and ceil256 enclose a time', () => {
  const enclosed = (timeNs: bigint): number[] => [floor256(timeNs), ceil256(timeNs)];
  expect(enclosed(0n)).toEqual([0, 0]);
  expect(enclosed(1n)).toEqual([0, 256]);
  expect(enclosed(-1n)).toEqual([-256, 0]);
  expect(enclosed(-256n)).toEqual([-256, -256]);
  const below = 2n ** 60n + 256n * 3n;
  expect(enclosed(below + 255n).map(BigInt)).toEqual([below, below + 256n]);
});
