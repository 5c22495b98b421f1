/**
 * A process that commits without pause is killed at random moments, mid-commit and mid-checkpoint. Whatever it had
 * been told is committed must be there, and nothing of a commit may be there in part.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { must } from '../../src/core/assert.ts';
import { silentLogger } from '../../src/core/log.ts';
import { createPrng } from '../../src/core/prng.ts';
import { columnNamed, valueAt } from '../../src/market/columns.ts';
import { openDuckDbStorage } from '../../src/storage/duckdb/duckdb-storage.ts';
import type { Storage, StoredTable } from '../../src/storage/storage.ts';

const rounds = 12;
const rowsPerCommit = 20_000;
const barCount = 500;

const columns: StoredTable['columns'] = [
  { name: '_series', type: { kind: 'int32' }, nullable: false },
  { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
  { name: '_version', type: { kind: 'int64' }, nullable: false },
  { name: 'venue', type: { kind: 'text' }, nullable: true },
];
const roles = { series: '_series', time: 'time', version: '_version' };
const ticks: StoredTable = { id: 1, columns, roles };
const bars: StoredTable = { id: 2, columns, roles };

/** Commits for ever, numbering the commits, and prints each number once its commit has resolved. */
const writer = `
  import { openDuckDbStorage } from './dist/storage/duckdb/duckdb-storage.js';
  const [directory, first] = process.argv.slice(1);
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const storage = await openDuckDbStorage({ directory, log });
  const rows = (count, version) => ({
    rowCount: count,
    columns: [
      { kind: 'int64', values: BigInt64Array.from({ length: count }, (_, i) => BigInt(i % 50)) },
      { kind: 'timestamp', values: BigInt64Array.from({ length: count }, (_, i) => BigInt(i) * 1000n) },
      { kind: 'int64', values: new BigInt64Array(count).fill(BigInt(version)) },
      { kind: 'text', dictionary: ['v' + version], codes: new Int32Array(count) },
    ],
  });
  for (let n = Number(first); ; n++) {
    await storage.commit([
      { op: 'append', table: 1, ...rows(${rowsPerCommit}, n) },
      { op: 'replace', table: 2, key: ['_series', 'time'], ...rows(${barCount}, n) },
      { op: 'put-doc', key: 'commit', value: String(n) },
    ]);
    process.stdout.write(n + '\\n');
  }`;

async function runAndKill(directory: string, first: number, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', writer, directory, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = first - 1;
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => {
    acknowledged = Number(line);
  });
  await once(lines, 'line');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  return acknowledged;
}

/** The number of the last commit in the store, after checking that all up to it are there, each once and whole. */
async function check(storage: Storage): Promise<number> {
  const commit = Number(must((await storage.documents()).get('commit'), 'document'));
  const snapshot = await storage.snapshot();
  const counts = await snapshot.query(
    `SELECT _version, count(*), count(DISTINCT (_series, time)), any_value(venue) = 'v' || _version AND
       min(venue) = max(venue) FROM candela.t1 GROUP BY _version ORDER BY _version`,
    [],
    { rowsMax: 100_000, timeoutMs: 60_000 },
  );
  await snapshot.close();
  expect(counts.rowCount).toBe(commit);
  for (let row = 0; row < counts.rowCount; row++) {
    const values = counts.columns.map((column) => valueAt(column, row));
    expect(values).toEqual([BigInt(row + 1), BigInt(rowsPerCommit), BigInt(rowsPerCommit), true]);
  }
  const set = await storage.readAll(bars.id, ['_version']);
  const versions = must(columnNamed(set, '_version'), 'versions');
  expect(set.rowCount).toBe(barCount);
  for (let row = 0; row < set.rowCount; row++) expect(valueAt(versions, row)).toBe(BigInt(commit));
  return commit;
}

it('keeps every acknowledged commit, whole, through SIGKILL', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-crash-'));
  const prng = createPrng(20241121);
  const open = (): Promise<Storage> => openDuckDbStorage({ directory, log: silentLogger });
  const fresh = await open();
  await fresh.commit([
    { op: 'create-table', table: ticks },
    { op: 'create-table', table: bars },
  ]);
  await fresh.close();
  let present = 0;
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await runAndKill(directory, present + 1, prng.below(400));
    const storage = await open();
    present = await check(storage);
    // One commit may have become durable without its acknowledgement getting out.
    expect(present - acknowledged).toBeGreaterThanOrEqual(0);
    expect(present - acknowledged).toBeLessThanOrEqual(1);
    await storage.close();
  }
  expect(present).toBeGreaterThan(rounds);
  await rm(directory, { recursive: true });
});
