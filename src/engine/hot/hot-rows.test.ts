import { describe, expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { HotRows } from './hot-rows.ts';

/** Rows that carry their own number, so that a payload in the wrong place shows. */
class Numbers {
  values: Float64Array;
  constructor(capacity: number) {
    this.values = new Float64Array(capacity);
  }
  grow(capacity: number): void {
    const values = new Float64Array(capacity);
    values.set(this.values);
    this.values = values;
  }
}

interface Row {
  series: number;
  timeNs: number;
}

const seriesCount = 7;

/** Hot rows beside a list of all rows ever written. */
function harness(firstRow = 0) {
  const evicted: number[] = [];
  const hot = new HotRows<Numbers>(
    firstRow,
    (capacity) => new Numbers(capacity),
    (block) => {
      for (let at = 0; at < block.length; at++) evicted.push(block.baseRow + at);
    },
  );
  hot.reserveSeries(seriesCount);
  const all: Row[] = [];
  const append = (rows: Row[]): void => {
    const spans = hot.append(
      Int32Array.from(rows, ({ series }) => series),
      Float64Array.from(rows, ({ timeNs }) => timeNs - (timeNs & 255)),
      Uint8Array.from(rows, ({ timeNs }) => timeNs & 255),
      rows.length,
    );
    for (const { block, at, count } of spans) {
      for (let i = 0; i < count; i++) block.payload.values[at + i] = block.baseRow + at + i;
    }
    all.push(...rows);
  };
  return { hot, all, evicted, append };
}

/** What must hold at any time. */
function check({ hot, all, evicted }: ReturnType<typeof harness>, firstRow = 0): void {
  const inMemory = all
    .map((row, i) => ({ ...row, row: firstRow + i }))
    .filter(({ row }) => row >= hot.firstRow);
  expect(evicted).toEqual(Array.from({ length: hot.firstRow - firstRow }, (_, i) => firstRow + i));
  for (let series = 0; series < seriesCount; series++) {
    const walked: number[] = [];
    hot.walk(series, 0, (block, at, row) => {
      expect(block.payload.values[at]).toBe(row);
      walked.push(row);
      return true;
    });
    const own = inMemory.filter((row) => row.series === series).map(({ row }) => row);
    expect(walked).toEqual(own.reverse());
    checkLatest(hot, all, series, firstRow);
  }
}

function checkLatest(hot: HotRows<Numbers>, all: Row[], series: number, firstRow: number): void {
  let latest = -1;
  let evictedMax = Number.NEGATIVE_INFINITY;
  for (const [i, row] of all.entries()) {
    if (row.series !== series) continue;
    if (latest < 0 || row.timeNs >= all[latest].timeNs) latest = i;
    if (firstRow + i < hot.firstRow) evictedMax = Math.max(evictedMax, row.timeNs - (row.timeNs & 255));
  }
  expect(hot.latestRow[series]).toBe(latest < 0 ? -1 : firstRow + latest);
  expect(hot.evictedMaxT[series]).toBe(evictedMax);
}

describe('hot rows', () => {
  it.each([1, 2, 3])('hold what was written and not evicted, by series, seed %i', (seed) => {
    const prng = createPrng(seed);
    const firstRow = seed === 1 ? 0 : 5_000_000_000;
    const rows = harness(firstRow);
    for (let step = 0; step < 60; step++) {
      const count = 1 + prng.below(prng.below(5) === 0 ? 9000 : 300);
      // Many times fall into the same 256 ns.
      const timeNs = (): number => prng.below(100_000);
      rows.append(
        Array.from({ length: count }, () => ({ series: prng.below(seriesCount), timeNs: timeNs() })),
      );
      if (prng.below(3) === 0) rows.hot.flushedRow = rows.hot.nextRow - prng.below(rows.hot.pendingRows + 1);
      while (prng.below(3) === 0 && rows.hot.evictOldest());
      if (step % 6 === 0) check(rows, firstRow);
    }
    check(rows, firstRow);
    expect(rows.evicted.length).toBeGreaterThan(1000);
  });

  it('keep rows that the store does not have', () => {
    const { hot, append } = harness();
    append(Array.from({ length: 300 }, () => ({ series: 0, timeNs: 1 })));
    expect(hot.evictOldest()).toBe(false);
    hot.flushedRow = 299;
    expect(hot.evictOldest()).toBe(false);
    hot.flushedRow = 300;
    expect(hot.evictOldest()).toBe(true);
    expect([hot.firstRow, hot.nextRow, hot.capacityRows]).toEqual([300, 300, 0]);
  });

  it('walk stops when told, and at the row asked for', () => {
    const { hot, append } = harness();
    append(Array.from({ length: 10 }, (_, i) => ({ series: i % 2, timeNs: i })));
    const walked: number[] = [];
    hot.walk(1, 5, (_block, _at, row) => {
      walked.push(row);
      return true;
    });
    hot.walk(0, 0, (_block, _at, row) => {
      walked.push(row);
      return false;
    });
    expect(walked).toEqual([9, 7, 5, 8]);
  });
});

it('forgets a series: its rows are nobody’s, those of others and views handed out stay as they are', () => {
  const { hot, append } = harness();
  append(Array.from({ length: 600 }, (_, i) => ({ series: i % 3, timeNs: i * 256 })));
  hot.flushedRow = hot.nextRow;
  const view = hot.blocks[0].series.subarray(0, 6);
  const rowsOf = (series: number): number[] => {
    const rows: number[] = [];
    hot.walk(series, 0, (_, __, row) => rows.push(row) > 0);
    return rows;
  };
  const others = rowsOf(2);
  hot.forget([1, 5, 10_000]);
  expect([rowsOf(1), rowsOf(2), [...view]]).toEqual([[], others, [0, 1, 2, 0, 1, 2]]);
  // From here on whoever asks for earlier rows must ask the store.
  expect([hot.evictedMaxT[1], hot.evictedMaxT[2]]).toEqual([598 * 256, Number.NEGATIVE_INFINITY]);
  append([
    { series: 1, timeNs: 700 * 256 },
    { series: 1, timeNs: 701 * 256 },
  ]);
  expect(rowsOf(1)).toEqual([601, 600]);
  hot.flushedRow = hot.nextRow;
  while (hot.evictOldest());
  expect([hot.evictedMaxT[1], hot.evictedMaxT[2]]).toEqual([701 * 256, 599 * 256]);
});
