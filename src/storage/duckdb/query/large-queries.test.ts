import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { rowsOf } from '../../cases/fixtures.ts';
import type { QueryLimits, QueryResult, Storage, StorageSnapshot } from '../../storage.ts';
import { openDuckDbStorage } from '../duckdb-storage.ts';

const memoryBytesMax = 40 * 2 ** 20;
let directory = '';
let temporary = '';
let storage: Storage;
let snapshot: StorageSnapshot;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'candela-large-'));
  temporary = join(directory, 'temporary');
  await mkdir(join(temporary, '7'), { recursive: true });
  await writeFile(
    join(temporary, '7', 'duckdb_temp_storage_S32K-0.tmp'),
    'left by a process that was killed',
  );
  await writeFile(join(temporary, 'notes.txt'), 'not of DuckDB');
  storage = await openDuckDbStorage({ directory, memoryBytesMax, log: silentLogger });
  snapshot = await storage.snapshot();
});
afterAll(async () => {
  await snapshot.close();
  await storage.close();
  await rm(directory, { recursive: true });
});

const query = (text: string, limits: Partial<QueryLimits> = {}): Promise<QueryResult> =>
  snapshot.query(text, [], { rowsMax: 1_000_000, timeoutMs: 100_000, ...limits });

/** Names in the folder of temporary files while a task runs. */
async function namesDuring(task: Promise<unknown>): Promise<Set<string>> {
  const names = new Set<string>();
  let isRunning = true;
  const end = (): void => {
    isRunning = false;
  };
  task.then(end, end);
  while (isRunning) {
    for (const name of await readdir(temporary, { recursive: true })) names.add(name);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return names;
}

describe('queries that need more memory than there is', { timeout: 100_000 }, () => {
  it('begin in a folder without what others left', async () => {
    expect(await readdir(temporary)).toEqual(['notes.txt']);
  });

  it('sort on the disk', async () => {
    // 7919 does not divide 1,000,003, so that the products take every remainder once; each row has 60 bytes.
    const sort = query(`
      SELECT k FROM (
        SELECT (range * 7919) % 1000003 AS k, md5(range::VARCHAR) AS pad, md5((range + 1)::VARCHAR) AS more
        FROM range(1000003)
      ) ORDER BY k, pad, more OFFSET 1000000`);
    const names = await namesDuring(sort);
    expect(rowsOf(await sort)).toEqual([[1_000_000n], [1_000_001n], [1_000_002n]]);
    expect([...names].some((name) => name.startsWith(join('8', 'duckdb_temp_')))).toBe(true);
  });

  it('group on the disk', async () => {
    const text =
      'SELECT range % 700001 AS k, md5(k::VARCHAR) AS pad, count(*) AS n FROM range(1000000) GROUP BY ALL';
    const { columns } = await query(`SELECT count(*) AS groups, sum(n)::BIGINT AS total FROM (${text})`);
    expect(columns.map((column) => 'values' in column && column.values[0])).toEqual([700_001n, 1_000_000n]);
  });

  it('leave nothing behind', async () => {
    await snapshot.close();
    await storage.close();
    expect(await readdir(temporary)).toEqual(['notes.txt']);
    storage = await openDuckDbStorage({ directory, memoryBytesMax, log: silentLogger });
    snapshot = await storage.snapshot();
  });
});

describe('results larger than allowed', () => {
  it('are refused, of numbers and of texts, and the snapshot goes on', async () => {
    const refused = { code: 'LIMIT_EXCEEDED', message: expect.stringContaining('larger than 8 MiB') };
    const bytesMax = 8 * 2 ** 20;
    await expect(query('SELECT range, range + 1 FROM range(600000)', { bytesMax })).rejects.toMatchObject(
      refused,
    );
    const texts = "SELECT repeat('x', 1000) FROM range(10000)";
    await expect(query(texts, { bytesMax })).rejects.toMatchObject(refused);
    expect((await query(texts, { bytesMax: 2 * bytesMax })).rowCount).toBe(10_000);
    expect((await query('SELECT range, range + 1 FROM range(500000)', { bytesMax })).rowCount).toBe(500_000);
  });

  it('do not count a null as a long text', async () => {
    const text = "SELECT CASE WHEN range % 2 = 0 THEN repeat('y', 100) END FROM range(10000)";
    const { rowCount } = await query(text, { bytesMax: 10_000 * 16 + 5_000 * 100 });
    expect(rowCount).toBe(10_000);
    await expect(query(text, { bytesMax: 10_000 * 16 + 4_999 * 100 })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});
