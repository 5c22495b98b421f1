/** Sealing changes where rows lie and nothing that a read can tell; and counts by time. */
import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import type { Storage } from '../storage.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, ticks } from './fixtures.ts';

const all = { table: ticks.id, fromNs: -(10n ** 15n), toNs: 10n ** 15n };
const scanned = ['_series', 'time', '_version', 'price'];

function randomTicks(count: number, seed: number): Tick[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, i) => [
    prng.below(5),
    BigInt(prng.below(60) - 20) * 1_000n,
    BigInt(i),
    i / 4,
  ]);
}

/** See `storage.case.ts`. */
export function sealingCases(use: () => Storage): void {
  it('puts the rows of the range in (series, time, version) order, after the others', async () => {
    const rows = randomTicks(500, 1);
    await use().commit([createTicks, appendTicks(rows)]);
    const range = { table: ticks.id, fromNs: 0n, toNs: 20_000n };
    const isIn = ([, timeNs]: Tick): boolean => timeNs >= 0n && timeNs < 20_000n;
    const sealed = rows
      .filter(isIn)
      .sort((a, b) => a[0] - b[0] || Number(a[1] - b[1]) || Number(a[2] - b[2]));
    expect(await use().seal(range)).toBe(sealed.length);
    const expected = [...rows.filter((row) => !isIn(row)), ...sealed];
    expect(rowsOf(await use().readAll(ticks.id, ['_version']))).toEqual(
      expected.map(([, , version]) => [version]),
    );
  });

  it('leaves scans, lookups and last rows as they were, with equal times in order of version', async () => {
    await use().commit([createTicks, appendTicks(randomTicks(700, 2))]);
    const read = async () => [
      await use().scan({ ...scanAll, series: Int32Array.of(3) }),
      await use().scan({ ...scanAll, order: 'desc', limit: 40 }),
      await use().lastRows(ticks.id, scanned),
    ];
    const before = (await read()).map(rowsOf);
    expect(await use().seal(all)).toBe(700);
    expect((await read()).map(rowsOf)).toEqual(before);
    expect(await use().seal(all)).toBe(700);
    expect((await read()).map(rowsOf)).toEqual(before);
  });

  it('seals nothing in an empty range, on an aborted signal, or of a table that is not there', async () => {
    await use().commit([createTicks, appendTicks(randomTicks(50, 3))]);
    expect(await use().seal({ table: ticks.id, fromNs: 10n ** 12n, toNs: 10n ** 13n })).toBe(0);
    expect(await use().seal(all, AbortSignal.abort())).toBe(0);
    await expect(use().seal({ ...all, table: 99 })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    expect((await use().readAll(ticks.id, ['time'])).rowCount).toBe(50);
  });

  it('loses no commit made beside it', async () => {
    await use().commit([createTicks, appendTicks(randomTicks(20_000, 4))]);
    const late = randomTicks(3_000, 5).map(
      ([series, timeNs, version, price]): Tick => [series, timeNs, version + 20_000n, price],
    );
    const seals = [use().seal(all), use().seal(all)];
    const commits = [0, 1, 2].map((part) =>
      use().commit([appendTicks(late.slice(part * 1000, part * 1000 + 1000))]),
    );
    await Promise.all([...seals, ...commits]);
    const versions = rowsOf(await use().scan({ ...scanAll, columns: ['_version'] })).map(([v]) => Number(v));
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 23_000 }, (_, i) => i));
  });

  it('never keeps a commit from replacing rows or changing the table', async () => {
    await use().commit([createTicks, appendTicks(randomTicks(20_000, 6))]);
    const replacement = appendTicks([[1, 7_000n, 99_999n, -1]]);
    const seal = use().seal(all);
    await use().commit([{ ...replacement, op: 'replace', key: ['_series', 'time'] } as never]);
    await seal;
    const range = { ...scanAll, series: Int32Array.of(1), fromNs: 7_000n, toNs: 7_001n };
    expect(rowsOf(await use().scan(range))).toEqual([[1n, 7_000n, 99_999n, -1]]);
    const second = use().seal(all);
    await use().commit([
      { op: 'add-column', table: ticks.id, column: { name: 'x', type: { kind: 'text' }, nullable: true } },
    ]);
    await second;
    const third = use().seal(all);
    await use().commit([{ op: 'drop-table', table: ticks.id }]);
    await third;
    await expect(use().scan(scanAll)).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });

  it('counts rows by time and version', async () => {
    const rows = randomTicks(400, 7);
    await use().commit([createTicks, appendTicks(rows)]);
    const request = { ...all, fromNs: -15_000n, toNs: 33_000n, widthNs: 10_000n };
    const counts = await use().countByTime({ ...request, versionFrom: 100n, versionBelow: 300n });
    const expected = [-20_000n, -10_000n, 0n, 10_000n, 20_000n, 30_000n].map((startNs) => ({
      startNs,
      rowCount: rows.filter(
        ([, at, v]) =>
          at >= -15_000n && at < 33_000n && at >= startNs && at < startNs + 10_000n && v >= 100n && v < 300n,
      ).length,
    }));
    expect(counts).toEqual(expected);
  });
}
