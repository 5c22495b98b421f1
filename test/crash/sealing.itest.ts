/**
 * A process that appends rows and seals them without pause is killed at random moments, while it commits what it
 * sealed and mid-checkpoint.
 * Every acknowledged row must be there once, as it was written: sealing leaves the old state or the new.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { createPrng, type Prng } from '../../src/core/prng.ts';
import { valueAt } from '../../src/market/columns.ts';
import { openDuckDbStorage } from '../../src/storage/duckdb/duckdb-storage.ts';
import type { Storage, StorageOp } from '../../src/storage/storage.ts';
import { killAtStep } from './kill-at-step.ts';
import { expectAcknowledged, lastNumber, runAndKill } from './run-and-kill.ts';
import { storedTicks } from './stored-ticks.ts';

const rounds = Number(process.env.CANDELA_CRASH_ROUNDS ?? 12);
const seed = Number(process.env.CANDELA_SEED ?? 20261121);
const rowsPerCommit = 20_000;
/** So many that DuckDB's log names sealed rows in an entry of several pages. */
const commitsAtFirst = 70;

/** Row v of all: series v mod 50, second v mod 1000, price v / 4. Prints each commit's number and each seal. */
const writer = `${killAtStep}
  import { openDuckDbStorage } from './dist/storage/duckdb/duckdb-storage.js';
  const [directory, first, step, nth, afterMs] = process.argv.slice(1);
  const { log } = killAtStep(step, Number(nth), Number(afterMs));
  const storage = await openDuckDbStorage({ directory, log });
  const count = ${rowsPerCommit};
  const seal = async () => {
    for (let from = 0n; ; from = (from + 500n) % 1500n) {
      const to = from === 0n ? 500n : 1000n;
      const rows = await storage.seal({ table: 1, fromNs: (from % 1000n) * 10n ** 9n, toNs: to * 10n ** 9n });
      if (rows > 0) process.stdout.write('seal ' + rows + '\\n');
    }
  };
  seal();
  for (let n = Number(first); ; n++) {
    const second = (row) => BigInt(row % 1000) * 10n ** 9n;
    const row = (i) => (n - 1) * count + i;
    await storage.commit([
      { op: 'append', table: 1, rowCount: count, columns: [
        { kind: 'int64', values: BigInt64Array.from({ length: count }, (_, i) => BigInt(row(i) % 50)) },
        { kind: 'timestamp', values: BigInt64Array.from({ length: count }, (_, i) => second(row(i))) },
        { kind: 'int64', values: BigInt64Array.from({ length: count }, (_, i) => BigInt(row(i))) },
        { kind: 'double', values: Float64Array.from({ length: count }, (_, i) => row(i) / 4) },
      ] },
    ]);
    process.stdout.write(n + '\\n');
  }`;

/** Where to kill, and how long after at most, in ms. */
const places: [step: string, afterMsMax: number][] = [
  ['seal-commit', 150],
  ['seal-commit', 30],
  ['checkpoint', 60],
  ['random', 1],
];

/** Kills at a random moment or at a step; the lines that the writer said. */
function writeAndDie(directory: string, first: number, prng: Prng): Promise<string[]> {
  const [step, afterMsMax] = places[prng.below(places.length)];
  const args = [directory, first, step, 1 + prng.below(2), prng.below(afterMsMax)];
  const afterMs = step === 'random' ? 200 + prng.below(1_500) : 6_000;
  return runAndKill({ program: writer, args, afterMs });
}

/** The first rows, as the writer would write them. */
function appendOp(count: number): StorageOp {
  const versions = BigInt64Array.from({ length: count }, (_, row) => BigInt(row));
  return {
    op: 'append',
    table: storedTicks.id,
    rowCount: count,
    columns: [
      { kind: 'int64', values: versions.map((version) => version % 50n) },
      { kind: 'timestamp', values: versions.map((version) => (version % 1000n) * 1_000_000_000n) },
      { kind: 'int64', values: versions },
      { kind: 'double', values: Float64Array.from(versions, (version) => Number(version) / 4) },
    ],
  };
}

/** The number of commits in the store, after checking that every row of them is there, once and unchanged. */
async function check(storage: Storage): Promise<number> {
  const snapshot = await storage.snapshot();
  const result = await snapshot.query(
    `SELECT count(*), count(DISTINCT _version), coalesce(max(_version) + 1, 0),
       count(*) FILTER (_series <> _version % 50 OR price <> _version / 4 OR
         epoch_us(time) <> (_version % 1000) * 1000000) FROM candela.t1`,
    [],
    { rowsMax: 1, timeoutMs: 60_000 },
  );
  await snapshot.close();
  const [rows, distinct, next, wrong] = result.columns.map((column) => Number(valueAt(column, 0)));
  expect({ distinct, next, wrong }).toEqual({ distinct: rows, next: rows, wrong: 0 });
  expect(rows % rowsPerCommit).toBe(0);
  return rows / rowsPerCommit;
}

it(`keeps every row, once, through ${rounds} times SIGKILL while sealing, seed ${seed}`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-crash-'));
  const prng = createPrng(seed);
  const open = (): Promise<Storage> => openDuckDbStorage({ directory, log: silentLogger });
  const fresh = await open();
  await fresh.commit([{ op: 'create-table', table: storedTicks }]);
  await fresh.commit([appendOp(commitsAtFirst * rowsPerCommit)]);
  await fresh.close();
  let present = commitsAtFirst;
  let seals = 0;
  for (let round = 0; round < rounds; round++) {
    const said = await writeAndDie(directory, present + 1, prng);
    seals += said.filter((line) => line.startsWith('seal ')).length;
    const acknowledged = lastNumber(said, present);
    const storage = await open();
    present = await check(storage);
    expectAcknowledged(present, acknowledged);
    await storage.close();
  }
  expect(present).toBeGreaterThan(rounds);
  expect(seals).toBeGreaterThan(rounds / 4);
  await rm(directory, { recursive: true });
}, 1_200_000);
