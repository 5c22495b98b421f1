/**
 * A process that appends rows, moves them to cold files, and takes them back by deleting some, without pause, is
 * killed at random moments, while it writes a file and while it commits one. Every acknowledged row must be there
 * once, in the table or in a file, and every deleted one gone; files that the database does not name must be gone
 * after the next start.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { createPrng, type Prng } from '../../src/core/prng.ts';
import { openDuckDbStorage } from '../../src/storage/duckdb/duckdb-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { killAtStep } from './kill-at-step.ts';
import { expectAcknowledged, lastNumber, runAndKill } from './run-and-kill.ts';
import { storedTicks } from './stored-ticks.ts';

const rounds = Number(process.env.CANDELA_CRASH_ROUNDS ?? 12);
const seed = Number(process.env.CANDELA_SEED ?? 20261121);
const rowsPerCommit = 4_000;

/**
 * Commit n appends rows (n-1)·count …, row v with series v mod 50, second v mod 100, price v / 4, and every third
 * deletes row (n-2)·count + 7, which may lie in a file. Prints each commit's number and `tier` for each file.
 */
const writer = `${killAtStep}
  import { openDuckDbStorage } from './dist/storage/duckdb/duckdb-storage.js';
  const [directory, first, step, nth, afterMs] = process.argv.slice(1);
  const { log } = killAtStep(step, Number(nth), Number(afterMs));
  const storage = await openDuckDbStorage({ directory, log });
  const count = ${rowsPerCommit};
  const tier = async () => {
    for (let from = 0n; ; from = (from + 20n) % 100n) {
      log.debug({ step: 'tier' });
      const rows = await storage.tier({ table: 1, fromNs: from * 10n ** 9n, toNs: (from + 20n) * 10n ** 9n });
      if (rows > 0) process.stdout.write('tier ' + rows + '\\n');
    }
  };
  tier();
  const second = (row) => BigInt(row % 100) * 10n ** 9n;
  for (let n = Number(first); ; n++) {
    const row = (i) => (n - 1) * count + i;
    const longs = (of) => BigInt64Array.from({ length: count }, (_, i) => BigInt(of(row(i))));
    const gone = row(0) - count + 7;
    await storage.commit([
      { op: 'append', table: 1, rowCount: count, columns: [
        { kind: 'int64', values: longs((v) => v % 50) },
        { kind: 'timestamp', values: longs(second) },
        { kind: 'int64', values: longs((v) => v) },
        { kind: 'double', values: Float64Array.from({ length: count }, (_, i) => row(i) / 4) },
      ] },
      ...(n % 3 === 0 && n > 1 ? [{ op: 'delete', table: 1, key: ['time', '_version'], rowCount: 1, columns: [
        { kind: 'timestamp', values: BigInt64Array.of(second(gone)) },
        { kind: 'int64', values: BigInt64Array.of(BigInt(gone)) },
      ] }] : []),
    ]);
    process.stdout.write(n + '\\n');
  }`;

/** Where to kill, and how long after at most, in ms. */
const places: [step: string, afterMsMax: number][] = [
  ['tier', 150],
  ['tier-commit', 5],
  ['tier-commit', 60],
  ['random', 1],
];

/** Kills at a random moment or at a step; the lines that the writer said. */
function writeAndDie(directory: string, first: number, prng: Prng): Promise<string[]> {
  const [step, afterMsMax] = places[prng.below(places.length)];
  const args = [directory, first, step, 1 + prng.below(3), prng.below(afterMsMax)];
  const afterMs = step === 'random' ? 200 + prng.below(1_500) : 6_000;
  return runAndKill({ program: writer, args, afterMs });
}

/** The number of commits in the store, after checking that every row of them is there, once, and the others are not. */
async function check(storage: Storage): Promise<number> {
  const set = await storage.readAll(storedTicks.id, ['_series', 'time', '_version', 'price']);
  const [series, times, versions] = set.columns as { values: BigInt64Array }[];
  const prices = set.columns[3] as { values: Float64Array };
  const seen = new Set<number>();
  for (let row = 0; row < set.rowCount; row++) {
    const version = Number(versions.values[row]);
    if (seen.has(version)) throw new Error(`row ${version} is there twice`);
    seen.add(version);
    const isRight =
      Number(series.values[row]) === version % 50 &&
      times.values[row] === BigInt(version % 100) * 1_000_000_000n &&
      prices.values[row] === version / 4;
    if (!isRight) throw new Error(`row ${version} is not as it was written`);
  }
  let greatest = -1;
  for (const version of seen) greatest = Math.max(greatest, version);
  const commits = Math.ceil((greatest + 1) / rowsPerCommit);
  const gone = new Set<number>();
  for (let n = 3; n <= commits; n += 3) gone.add((n - 2) * rowsPerCommit + 7);
  for (let version = 0; version < commits * rowsPerCommit; version++) {
    if (seen.has(version) === gone.has(version))
      throw new Error(`row ${version} of ${commits} commits is ${gone.has(version) ? 'back' : 'missing'}`);
  }
  return commits;
}

it(`keeps every row, once, through ${rounds} times SIGKILL while tiering, seed ${seed}`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-crash-'));
  const prng = createPrng(seed);
  const open = (): Promise<Storage> => openDuckDbStorage({ directory, log: silentLogger });
  const fresh = await open();
  await fresh.commit([{ op: 'create-table', table: storedTicks }]);
  await fresh.close();
  let present = 0;
  let tiers = 0;
  for (let round = 0; round < rounds; round++) {
    const said = await writeAndDie(directory, present + 1, prng);
    tiers += said.filter((line) => line.startsWith('tier ')).length;
    const acknowledged = lastNumber(said, present);
    const storage = await open();
    present = await check(storage);
    expectAcknowledged(present, acknowledged);
    const snapshot = await storage.snapshot();
    const named = await snapshot.query('SELECT name FROM candela.cold', [], {
      rowsMax: 10_000,
      timeoutMs: 60_000,
    });
    await snapshot.close();
    const files = await readdir(join(directory, 'cold')).catch(() => []);
    expect(files.length).toBe(named.rowCount);
    await storage.close();
  }
  expect(present).toBeGreaterThan(rounds);
  expect(tiers).toBeGreaterThan(rounds / 4);
  await rm(directory, { recursive: true });
}, 1_200_000);
