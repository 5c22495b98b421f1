/**
 * A process that commits without pause is killed at random moments, mid-commit and mid-checkpoint. Whatever it had
 * been told is committed must be there, and nothing of a commit may be there in part. Each commit appends ticks and
 * replaces bars by key; now and then so many of either that DuckDB writes them to the database file beforehand.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { must } from '../../src/core/assert.ts';
import { silentLogger } from '../../src/core/log.ts';
import { createPrng, type Prng } from '../../src/core/prng.ts';
import { valueAt } from '../../src/market/columns.ts';
import { openDuckDbStorage } from '../../src/storage/duckdb/duckdb-storage.ts';
import type { Storage, StoredTable } from '../../src/storage/storage.ts';
import { killAtStep } from './kill-at-step.ts';
import { expectAcknowledged, lastNumber, runAndKill } from './run-and-kill.ts';
import { storedTicks } from './stored-ticks.ts';

const rounds = Number(process.env.CANDELA_CRASH_ROUNDS ?? 12);
const seed = Number(process.env.CANDELA_SEED ?? 20241121);

/** How many ticks commit n appends, and bars it replaces: the first ones of those there are. */
const tickCount = (n: number): number => (n % 4 === 2 ? 130_000 : 20_000);
const barCount = (n: number): number => (n % 4 === 0 ? 130_000 : 500);

const columns: StoredTable['columns'] = [
  ...storedTicks.columns.slice(0, 3),
  { name: 'venue', type: { kind: 'text' }, nullable: true },
];
const ticks: StoredTable = { ...storedTicks, columns };
const bars: StoredTable = { ...ticks, id: 2 };

/** Commits for ever, numbering the commits, and prints each number once its commit has resolved. */
const writer = `${killAtStep}
  import { openDuckDbStorage } from './dist/storage/duckdb/duckdb-storage.js';
  const [directory, first, step, afterMs] = process.argv.slice(1);
  const { log } = killAtStep(step, 1, Number(afterMs));
  const tickCount = ${tickCount};
  const barCount = ${barCount};
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
      { op: 'append', table: 1, ...rows(tickCount(n), n) },
      { op: 'replace', table: 2, key: ['_series', 'time'], ...rows(barCount(n), n) },
      { op: 'put-doc', key: 'commit', value: String(n) },
      { op: 'put-doc', key: 'as long as a page of the log', value: 'x'.repeat(9000) },
    ]);
    process.stdout.write(n + '\\n');
  }`;

/** Kills at a random moment, or in the checkpoint that comes next; the number of the last commit it acknowledged. */
async function writeAndDie(directory: string, first: number, prng: Prng): Promise<number> {
  const step = prng.below(2) === 0 ? 'checkpoint' : 'random';
  const args = [directory, first, step, prng.below(60)];
  const afterMs = step === 'random' ? prng.below(800) : 5_000;
  return lastNumber(await runAndKill({ program: writer, args, afterMs }), first - 1);
}

async function numbers(storage: Storage, text: string): Promise<number[][]> {
  const snapshot = await storage.snapshot();
  const set = await snapshot.query(text, [], { rowsMax: 100_000, timeoutMs: 60_000 });
  await snapshot.close();
  return Array.from({ length: set.rowCount }, (_, row) =>
    set.columns.map((column) => Number(valueAt(column, row))),
  );
}

/** By version: rows, rows of different keys, and rows with another text than the version's. */
const perVersion = (table: string): string =>
  `SELECT _version, count(*), count(DISTINCT (_series, time)), count(*) FILTER (venue <> 'v' || _version)
   FROM candela.${table} GROUP BY _version ORDER BY _version`;

/** The number of the last commit in the store, after checking that all up to it are there, each once and whole. */
async function check(storage: Storage): Promise<number> {
  const commit = Number(must((await storage.documents()).get('commit'), 'document'));
  const expected = Array.from({ length: commit }, (_, i) => [i + 1, tickCount(i + 1), tickCount(i + 1), 0]);
  expect(await numbers(storage, perVersion('t1'))).toEqual(expected);
  const allReplaced = commit - (commit % 4);
  const versions = allReplaced === 0 ? [] : [[allReplaced, barCount(allReplaced)]];
  if (commit > allReplaced) {
    if (versions.length > 0) versions[0][1] -= barCount(commit);
    versions.push([commit, barCount(commit)]);
  }
  const bars = versions.map(([version, count]) => [version, count, count, 0]);
  expect(await numbers(storage, perVersion('t2'))).toEqual(bars);
  return commit;
}

it(`keeps every acknowledged commit, whole, through ${rounds} times SIGKILL, seed ${seed}`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-crash-'));
  const prng = createPrng(seed);
  const open = (): Promise<Storage> => openDuckDbStorage({ directory, log: silentLogger });
  const fresh = await open();
  await fresh.commit([
    { op: 'create-table', table: ticks },
    { op: 'create-table', table: bars },
  ]);
  await fresh.close();
  let present = 0;
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await writeAndDie(directory, present + 1, prng);
    const storage = await open();
    present = await check(storage);
    expectAcknowledged(present, acknowledged);
    await storage.close();
  }
  expect(present).toBeGreaterThan(rounds);
  await rm(directory, { recursive: true });
}, 1_200_000);
