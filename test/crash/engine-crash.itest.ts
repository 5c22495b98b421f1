/**
 * A process that writes through the embedded API and changes the catalog is killed at random moments and at named
 * steps, over and over, some times on each directory. It must start again by itself each time, and what must hold:
 *
 * - every acknowledged batch is there, each row once; one that was not acknowledged is there whole or not at all,
 * - every bar of every rollup is what a naive recomputation makes of the ticks that are there,
 * - an acknowledged change of the catalog is there; one that was not is there whole or not at all.
 *
 * CANDELA_SEED repeats a run, CANDELA_CRASH_ROUNDS makes it longer.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { createPrng, type Prng } from '../../src/core/prng.ts';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { ColumnSet, Scalar } from '../../src/market/columns.ts';
import { valueAt } from '../../src/market/columns.ts';
import type { Aggregate } from '../../src/market/schema.ts';
import type { NaiveTick } from '../../src/testing/naive-bars.ts';
import { naiveBars } from '../../src/testing/naive-bars.ts';
import { compareRows, rowsOf, sorted } from '../property/compare-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { engineWriter } from './engine-writer.ts';
import { steps } from './kill-at-step.ts';

const rounds = Number(process.env.CANDELA_CRASH_ROUNDS ?? 52);
const seed = Number(process.env.CANDELA_SEED ?? Date.now() % 1_000_000);

/** Kills on one directory; then another is begun, for every row of it is looked at each time. */
const roundsPerDirectory = 13;

/** No round takes longer, whatever the child does. */
const roundMsMax = 30_000;
/** Once open, a step is waited for so long; a round that does not come to it is killed then. */
const stepMsMax = 4_000;

/** Where to kill, in turn; `random`: at any time, also while it opens. */
const places = ['random', ...Object.keys(steps), 'random', 'flush', 'backfill-page', 'seal-commit'];

/** What the parent knows of the directory, from the lines the children said. */
interface Ledger {
  acknowledged: Set<number>;
  /** Rollups and columns by whether they are there; undefined: a change was begun and not acknowledged. */
  isThere: Map<string, boolean | undefined>;
  nextBatch: number;
  /** How often each step was reached. */
  reached: Map<string, number>;
}

/** Takes a line of the child. */
function note(ledger: Ledger, line: string): void {
  const [word, ...rest] = line.split(' ');
  if (word === 'tables') checkCatalog(ledger, JSON.parse(rest.join(' ')));
  else if (word === 'wrote') ledger.acknowledged.add(Number(rest[0]));
  else if (word === 'step') ledger.reached.set(rest[0], (ledger.reached.get(rest[0]) ?? 0) + 1);
  else if (word === 'done') ledger.isThere.set(rest[1], rest[0] !== 'drop');
  else ledger.isThere.set(rest[0], undefined);
}

function checkCatalog(ledger: Ledger, found: { tables: string[]; columns: string[] }): void {
  const names = new Set([...found.tables, ...found.columns]);
  for (const [name, isThere] of ledger.isThere) {
    if (isThere !== undefined) expect([name, names.has(name)]).toEqual([name, isThere]);
    ledger.isThere.set(name, names.has(name));
  }
}

/** Starts the writer, which kills itself at a step, or kills it: some time after it opened, or while it opens. */
async function runAndKill(directory: string, prng: Prng, ledger: Ledger, place: string): Promise<void> {
  const mode = modeFor(place, prng);
  const { nthMax, afterMsMax } = steps[place] ?? { nthMax: 1, afterMsMax: 0 };
  const nth = 1 + prng.below(nthMax);
  // Every other time in the moment it begins.
  const afterMs = prng.below(2) * prng.below(1 + afterMsMax);
  const args = [directory, prng.below(2 ** 31), ledger.nextBatch, mode, place, nth, afterMs].map(String);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', engineWriter, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const lines = createInterface(child.stdout);
  let changes = 0;
  const failures: unknown[] = [];
  const lastChange = 1 + prng.below(8);
  lines.on('line', (line) => {
    try {
      note(ledger, line);
    } catch (error) {
      failures.push(error);
    }
    if (
      place === 'random' &&
      mode === 'catalog' &&
      /^(create|drop|add) /.test(line) &&
      ++changes === lastChange
    )
      killSoon(child, prng.below(prng.below(2) === 0 ? 3 : 60));
  });
  // Listened for from the start: a child that ends early, or says nothing, must not be waited for.
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  killSoon(child, roundMsMax);
  const isEarly = place === 'random' && prng.below(4) === 0;
  if (!isEarly) await Promise.race([once(lines, 'line'), ended]);
  if (place === 'random')
    killSoon(child, isEarly ? 100 + prng.below(400) : prng.below(mode === 'catalog' ? 3_000 : 1_200));
  else killSoon(child, stepMsMax);
  const [[code]] = await ended;
  expect(failures).toEqual([]);
  // Killed, or closed by itself, and not ended by a mistake of its own.
  expect([code === 0 && mode === 'close' ? null : code, errors]).toEqual([null, '']);
  ledger.nextBatch += 100_000;
}

/** A back-fill needs rollups to be made, and a checkpoint of so few rows is made only when the database is closed. */
function modeFor(place: string, prng: Prng): 'catalog' | 'writes' | 'close' {
  if (place === 'checkpoint') return 'close';
  return place === 'backfill-page' || prng.below(2) === 0 ? 'catalog' : 'writes';
}

function killSoon(child: ChildProcess, afterMs: number): void {
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  child.once('exit', () => clearTimeout(timer));
}

async function readAll(database: Database, table: string): Promise<ColumnSet> {
  return database.read({ table });
}

/** All trades as the naive recomputation takes them, after checking that batches are whole. */
async function checkTrades(database: Database, { acknowledged }: Ledger): Promise<NaiveTick[]> {
  const set = await readAll(database, 'trades');
  const names = set.names;
  const rowsOfBatch = new Map<number, Set<bigint>>();
  const ticks: NaiveTick[] = [];
  for (let at = 0; at < set.rowCount; at++) {
    const values: Record<string, Scalar> = {};
    for (const [i, name] of names.entries()) values[name] = valueAt(set.columns[i], at);
    const batch = Number(values.batch);
    const rows = rowsOfBatch.get(batch) ?? new Set();
    rowsOfBatch.set(batch, rows);
    if (rows.has(values.row as bigint)) throw new Error(`row ${values.row} of batch ${batch} is there twice`);
    rows.add(values.row as bigint);
    for (const name of names)
      if (name.startsWith('extra') && values[name] !== null) expect(values[name]).toBe(values.batch);
    ticks.push({ timeNs: values.time as bigint, arrival: at, values });
  }
  for (const { values } of ticks) {
    const rows = rowsOfBatch.get(Number(values.batch));
    if (BigInt(rows?.size ?? 0) !== values.of) throw new Error(`batch ${values.batch} is there in part`);
  }
  const missing = [...acknowledged].filter((batch) => !rowsOfBatch.has(batch));
  expect(missing).toEqual([]);
  return ticks;
}

const candle: Aggregate[] = [
  { name: 'open', fn: 'first', of: 'price' },
  { name: 'high', fn: 'max', of: 'price' },
  { name: 'close', fn: 'last', of: 'price' },
  { name: 'volume', fn: 'sum', of: 'size' },
];

async function checkRollups(database: Database, ticks: NaiveTick[]): Promise<void> {
  for (const { name, rollup } of database.tables()) {
    if (!rollup) continue;
    const groupBy = rollup.groupBy ?? ['symbol'];
    const aggregates: Aggregate[] = name === 'day' ? candle : [...candle, { name: 'n', fn: 'count' }];
    const expected = naiveBars(ticks, { timeframe: rollup.timeframe, groupBy, aggregates });
    const rows = expected.map(({ startNs, group, values }) => [startNs, ...group, ...values]);
    compareRows(sorted(rowsOf(await readAll(database, name))), sorted(rows), 0);
    const sql = await database.sql(`select * from "${name}"`);
    compareRows(sorted(rowsOf(sql)), sorted(rows), 0);
  }
}

async function check(directory: string, ledger: Ledger): Promise<void> {
  const database = await open({ directory });
  try {
    const columns = database.table('trades')?.columns.map(({ name }) => name) ?? [];
    checkCatalog(ledger, { tables: database.tables().map(({ name }) => name), columns });
    await waitUntil(
      () => database.tables().every(({ backfill }) => backfill === null),
      'history is filled',
      60_000,
    );
    const ticks = await checkTrades(database, ledger);
    await checkRollups(database, ticks);
  } finally {
    await database.close();
  }
}

/** A directory's life: so many kills, those of all the test from `first` on. */
async function liveAndDie(
  prng: Prng,
  first: number,
  count: number,
  reached: Ledger['reached'],
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-engine-crash-'));
  const ledger: Ledger = { acknowledged: new Set(), isThere: new Map(), nextBatch: 0, reached };
  for (let round = first; round < first + count; round++) {
    await runAndKill(directory, prng, ledger, places[round % places.length]);
    if (round % 6 === 0) await check(directory, ledger);
  }
  await check(directory, ledger);
  expect(ledger.acknowledged.size).toBeGreaterThan(count);
  await rm(directory, { recursive: true });
}

it(`survives being killed ${rounds} times, seed ${seed}`, async () => {
  const prng = createPrng(seed);
  const reached: Ledger['reached'] = new Map();
  for (let done = 0; done < rounds; done += roundsPerDirectory)
    await liveAndDie(prng, done + 1, Math.min(roundsPerDirectory, rounds - done), reached);
  if (rounds >= 2 * places.length) expect([...reached.keys()].sort()).toEqual(Object.keys(steps).sort());
}, 1_200_000);
