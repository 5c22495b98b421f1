import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { appendTicks, createTicks, type Tick, ticks } from '../../storage/cases/fixtures.ts';
import { openMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { Slices } from './slices.ts';

const timesMin = -(2n ** 63n);
const dayNs = 86_400_000_000_000n;

async function slicesOf(times: bigint[], rowsMax: number, toNs: bigint) {
  const storage = openMemoryStorage();
  const rows = times.map((timeNs, i): Tick => [i % 3, timeNs, BigInt(i), 1]);
  await storage.commit([createTicks, appendTicks(rows)]);
  const slices = new Slices(storage, ticks.id, rowsMax);
  await slices.count(timesMin, toNs);
  const spans: { fromNs: bigint; toNs: bigint; rowCount: number }[] = [];
  for (let end = toNs, slice = await slices.take(); slice; slice = await slices.take()) {
    spans.push({ ...slice, toNs: end });
    end = slice.fromNs;
  }
  return spans;
}

it('cuts any times into slices that follow one another, newest first, and miss none', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = createPrng(seed);
    const scale = [dayNs * 400n, dayNs, 3_600_000_000_000n, 1_000_000n][prng.below(4)];
    const times = Array.from(
      { length: 1 + prng.below(300) },
      () => (scale * BigInt(prng.below(1_000_000))) / 1_000_000n - (prng.below(2) === 0 ? scale : 0n),
    );
    const rowsMax = 1 + prng.below(40);
    const toNs = 512n * dayNs;
    const spans = await slicesOf(times, rowsMax, toNs);
    let seen = 0;
    for (const { fromNs, toNs: end, rowCount } of spans) {
      expect(fromNs % 256n, `seed ${seed}`).toBe(0n);
      expect(fromNs < end, `seed ${seed}: ${fromNs} is below ${end}`).toBe(true);
      const inside = times.filter((time) => time >= fromNs && time < end).length;
      expect(rowCount).toBe(inside);
      // Only what lies within 256 ns is more than a page.
      if (inside > rowsMax) expect(times.some((time) => time >= fromNs + 256n && time < end)).toBe(false);
      seen += inside;
    }
    expect(seen, `seed ${seed}`).toBe(times.length);
  }
});

it('takes empty times together with what lies before them', async () => {
  const spans = await slicesOf([0n, 1n, 300n * dayNs], 10, 400n * dayNs);
  expect(spans).toEqual([{ fromNs: 0n, toNs: 400n * dayNs, rowCount: 3 }]);
});
