/** Tiering changes where rows lie and nothing that a read can tell, whatever happens to the rows after. */
import { expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import type { ColumnSet } from '../../market/columns.ts';
import { columnOf } from '../../market/columns.ts';
import type { Storage, StorageOp } from '../storage.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, tickColumns, ticks } from './fixtures.ts';

const all = { table: ticks.id, fromNs: -(10n ** 15n), toNs: 10n ** 15n };
const early = { ...all, toNs: 10_000n };

function randomTicks(count: number, seed: number, firstVersion = 0): Tick[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, i) => [
    prng.below(5),
    BigInt(prng.below(60) - 20) * 1_000n,
    BigInt(firstVersion + i),
    i / 4,
  ]);
}

const column = { name: 'x', type: { kind: 'text' }, nullable: true } as const;
const replacement: StorageOp = {
  op: 'replace',
  table: ticks.id,
  key: ['_series', 'time'],
  columns: tickColumns([[1, -5_000n, 999n, 7]]),
  rowCount: 1,
};

/** Everything that can be asked for. */
async function everything(storage: Storage): Promise<unknown[][][]> {
  const sets: ColumnSet[] = [
    await storage.scan(scanAll),
    await storage.scan({ ...scanAll, series: Int32Array.of(3), order: 'desc', limit: 40 }),
    await storage.scan({ ...scanAll, fromNs: -7_000n, toNs: 20_000n, versionBelow: 300n }),
    await storage.scan({ ...scanAll, order: 'desc', limit: 90, after: { timeNs: 12_000n, version: 200n } }),
    await storage.scan({ ...scanAll, limit: 90, after: { timeNs: -3_000n, version: 100n } }),
    await storage.lastRows(ticks.id, scanAll.columns),
  ];
  const found = await storage.lookup({
    table: ticks.id,
    columns: scanAll.columns,
    series: Int32Array.of(1, 2, 3),
    timesNs: BigInt64Array.of(-5_000n, 7_000n, 30_000n),
  });
  const read = await storage.readAll(ticks.id, scanAll.columns);
  const byVersion = (set: ColumnSet): unknown[][] => rowsOf(set).sort((a, b) => Number(a[2]) - Number(b[2]));
  return [...sets.map(rowsOf), byVersion(found), byVersion(read), await counts(storage)];
}

async function counts(storage: Storage, hotOnly = false): Promise<unknown[][]> {
  const versions = { versionFrom: 0n, versionBelow: 10n ** 9n };
  const found = await storage.countByTime({ ...all, ...versions, widthNs: 10_000n, hotOnly });
  return found.map(({ startNs, rowCount }) => [startNs, rowCount]);
}

async function rowsLeft(storage: Storage): Promise<number> {
  return (await counts(storage, true)).reduce((sum, [, rows]) => sum + Number(rows), 0);
}

/** See `storage.case.ts`. */
export function tieringCases(use: () => Storage): void {
  it('leaves every answer as it was, and counts what is left', async () => {
    const rows = randomTicks(700, 11);
    await use().commit([createTicks, appendTicks(rows)]);
    const before = await everything(use());
    const moved = rows.filter(([, timeNs]) => timeNs < 10_000n).length;
    expect(await use().tier(early)).toBe(moved);
    expect(await rowsLeft(use())).toBe(700 - moved);
    expect(await everything(use())).toEqual(before);
    expect(await use().tier(early)).toBe(0);
    expect(await use().tier(all)).toBe(700 - moved);
    expect(await everything(use())).toEqual(before);
  });

  it('shows late rows and what was moved as one, moves them too, and seals beside', async () => {
    const [rows, late] = [randomTicks(500, 12), randomTicks(300, 13, 500)];
    await use().commit([createTicks, appendTicks([...rows, ...late])]);
    const expected = await everything(use());
    await use().commit([{ op: 'delete-range', ...all }, appendTicks(rows)]);
    await use().tier(early);
    await use().commit([appendTicks(late)]);
    expect(await everything(use())).toEqual(expected);
    await use().seal(all);
    expect(await everything(use())).toEqual(expected);
    expect(await use().tier(early)).toBe(late.filter(([, timeNs]) => timeNs < 10_000n).length);
    expect(await everything(use())).toEqual(expected);
  });

  it.each<[string, StorageOp[]]>([
    ['replaced', [replacement]],
    ['deleted by version', [deletion(['_version'], [[9n], [10n]])]],
    ['deleted by time', [deletion(['_series', 'time'], [[2n, -5_000n]])]],
    ['deleted by range, in part of a file', [{ op: 'delete-range', table: ticks.id, fromNs: -5_000n, toNs: 3_000n }]],
    ['deleted by range, all of a file', [{ op: 'delete-range', ...early }]],
    ['given another column', [{ op: 'add-column', table: ticks.id, column }]],
    ['rewritten', [{ op: 'rewrite', table: ticks.id, columns: tickColumns([[1, 2n, 3n, 4]]), rowCount: 1 }]],
  ])('rows can be %s after they were moved', async (_, ops) => {
    await use().commit([createTicks, appendTicks(randomTicks(600, 14)), ...ops]);
    const expected = await everything(use());
    await use().commit([{ op: 'drop-table', table: ticks.id }, createTicks, appendTicks(randomTicks(600, 14))]);
    await use().tier(early);
    await use().commit(ops);
    expect(await everything(use())).toEqual(expected);
    await use().tier(all);
    expect(await everything(use())).toEqual(expected);
  }); // biome-ignore format: a case a line

  it('answers reads made beside it right', async () => {
    const rows = randomTicks(5_000, 15);
    await use().commit([createTicks, appendTicks(rows)]);
    let isDone = false;
    const tiers = (async () => {
      for (let from = -20_000n; from < 40_000n; from += 10_000n) {
        await use().tier({ table: ticks.id, fromNs: from, toNs: from + 10_000n });
        await use().commit([deletion(['_version'], [[from / -1_000n + 100n]])]);
      }
      isDone = true;
    })();
    while (!isDone) {
      const versions = rowsOf(await use().scan({ ...scanAll, columns: ['_version'] })).map(([v]) =>
        Number(v),
      );
      expect(new Set(versions).size).toBe(versions.length);
      expect(versions.length).toBeGreaterThanOrEqual(5_000 - 6);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await tiers;
  });

  it('moves nothing of an empty range, on an aborted signal, or of a table that is not there', async () => {
    await use().commit([createTicks, appendTicks(randomTicks(50, 16))]);
    expect(await use().tier({ table: ticks.id, fromNs: 10n ** 12n, toNs: 10n ** 13n })).toBe(0);
    expect(await use().tier(all, AbortSignal.abort())).toBe(0);
    await expect(use().tier({ ...all, table: 99 })).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    expect(await rowsLeft(use())).toBe(50);
  });
}

function deletion(key: string[], rows: bigint[][]): StorageOp {
  const columns = key.map((name, i) => {
    const values = rows.map((row) => row[i]);
    return columnOf(name === 'time' ? 'timestamp' : 'int64', values);
  });
  return { op: 'delete', table: ticks.id, key, columns, rowCount: rows.length };
}
