import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { createTicks, ticks } from '../cases/fixtures.ts';
import type { StorageOp } from '../storage.ts';
import { openDuckDbStorage } from './duckdb-storage.ts';

const rowCount = 100_000;
const logBytesMax = 32 * 2 ** 20;

/** Three megabytes of log: few enough rows to go through it whole. */
function append(from: number): StorageOp {
  const versions = BigInt64Array.from({ length: rowCount }, (_, row) => BigInt(from + row));
  const columns = [
    { kind: 'int64' as const, values: versions.map((version) => version % 50n) },
    { kind: 'timestamp' as const, values: versions },
    { kind: 'int64' as const, values: versions },
    { kind: 'double' as const, values: Float64Array.from(versions, Number) },
  ];
  return { op: 'append', table: ticks.id, columns, rowCount };
}

it('keeps the log short beside a reader, who goes on seeing what it saw', { timeout: 30_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-checkpoints-'));
  const storage = await openDuckDbStorage({ directory, log: silentLogger });
  await storage.commit([createTicks, append(0)]);
  const snapshot = await storage.snapshot();
  const rows = async (): Promise<unknown> =>
    (await snapshot.query(`SELECT count(*) FROM candela.t${ticks.id}`, [], { rowsMax: 1, timeoutMs: 10_000 }))
      .columns[0];
  let written = 0;
  let longest = 0;
  let before = 0;
  for (let commit = 1; commit <= 28; commit++) {
    await storage.commit([append(commit * rowCount)]);
    // The checkpoint that follows a commit may have removed it already.
    const { size } = await stat(join(directory, 'market.duckdb.wal')).catch(() => ({ size: 0 }));
    written += Math.max(0, size - before);
    before = size;
    longest = Math.max(longest, size);
  }
  expect(written).toBeGreaterThan(1.5 * logBytesMax);
  expect(longest).toBeLessThan(1.3 * logBytesMax);
  expect(await rows()).toMatchObject({ values: BigInt64Array.of(BigInt(rowCount)) });
  await snapshot.renew();
  expect(await rows()).toMatchObject({ values: BigInt64Array.of(BigInt(29 * rowCount)) });
  await snapshot.close();
  await storage.close();
  await rm(directory, { recursive: true });
});
