import { appendFile, cp, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { createTicks, ticks } from '../cases/fixtures.ts';
import type { Storage, StorageOp } from '../storage.ts';
import { openDuckDbStorage } from './duckdb-storage.ts';
import { cutTornLogs } from './torn-log.ts';

/** More than the 122,880 rows from which a transaction's rows are written to the database file before its COMMIT. */
const rowCount = 130_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-torn-'));
});
afterEach(() => rm(root, { recursive: true }));

const open = (name: string): Promise<Storage> =>
  openDuckDbStorage({ directory: join(root, name), log: silentLogger });
const fileIn = (name: string): string => join(root, name, 'market.duckdb');
const logOf = (name: string): string => `${fileIn(name)}.wal`;

/** Rows with versions from `from`, and a document that counts all rows there are then. */
function append(from: number, count = rowCount): StorageOp[] {
  const versions = BigInt64Array.from({ length: count }, (_, row) => BigInt(from + row));
  const columns = [
    { kind: 'int64' as const, values: versions.map((version) => version % 50n) },
    { kind: 'timestamp' as const, values: versions.map((version) => version % 1000n) },
    { kind: 'int64' as const, values: versions },
    { kind: 'double' as const, values: Float64Array.from(versions, Number) },
  ];
  return [
    { op: 'append', table: ticks.id, columns, rowCount: count },
    { op: 'put-doc', key: 'rows', value: String(from + count) },
  ];
}

/** The same rows again, by version. */
function replace(count: number): StorageOp[] {
  const [rows, document] = append(0, count) as [StorageOp & { op: 'append' }, StorageOp];
  return [{ ...rows, op: 'replace', key: ['_version'] }, document];
}

/** What a store with some of its log holds: rows, different rows, and what its document says. */
async function contentOf(name: string, logBytes: number): Promise<(number | undefined)[]> {
  await rm(join(root, 'copy'), { recursive: true, force: true });
  await cp(join(root, name), join(root, 'copy'), { recursive: true });
  await truncate(logOf('copy'), logBytes);
  const storage = await open('copy');
  const { rowCount: rows, columns } = await storage.readAll(ticks.id, ['_version']);
  const distinct = new Set((columns[0] as { values: BigInt64Array }).values).size;
  const said = (await storage.documents()).get('rows');
  await storage.close();
  return [rows, distinct, said === undefined ? undefined : Number(said)];
}

/**
 * A store in directory `data`, its log begun after `first`, then what `act` does; `data` is a copy made before
 * closing.
 */
async function prepare(first: StorageOp[], act: (storage: Storage) => Promise<unknown>): Promise<number> {
  const begun = await open('live');
  await begun.commit([createTicks]);
  await begun.commit(first);
  await begun.close();
  const storage = await open('live');
  await act(storage);
  await cp(join(root, 'live'), join(root, 'data'), { recursive: true });
  await storage.close();
  return (await stat(logOf('data'))).size;
}

/** Ends of the log: in the entry that ends the transaction, at its beginning, in one before and in the header. */
const cuts = (bytes: number): number[] => [bytes - 1, bytes - 21, bytes - 22, bytes >> 1, 5];

it('has each row once when the commit of a sealing is cut short anywhere', { timeout: 30_000 }, async () => {
  const bytes = await prepare(append(0), (storage) =>
    storage.seal({ table: ticks.id, fromNs: 0n, toNs: 1000n }),
  );
  for (const cut of [bytes, ...cuts(bytes)]) {
    expect(await contentOf('data', cut), `${cut} of ${bytes} bytes`).toEqual([rowCount, rowCount, rowCount]);
  }
});

it('has a large commit whole or not at all', { timeout: 30_000 }, async () => {
  const first = 1000;
  const bytes = await prepare(append(0, first), (storage) => storage.commit(append(first)));
  const all = first + rowCount;
  expect(await contentOf('data', bytes)).toEqual([all, all, all]);
  for (const cut of cuts(bytes)) {
    expect(await contentOf('data', cut), `${cut} of ${bytes} bytes`).toEqual([first, first, first]);
  }
});

it('has replaced rows once', { timeout: 30_000 }, async () => {
  const bytes = await prepare(append(0), (storage) => storage.commit(replace(rowCount)));
  for (const cut of [bytes, ...cuts(bytes)]) {
    expect(await contentOf('data', cut), `${cut} of ${bytes} bytes`).toEqual([rowCount, rowCount, rowCount]);
  }
});

it('cuts bytes that were never written', async () => {
  await prepare(append(0, 10), (storage) => storage.commit(append(10, 10)));
  await appendFile(logOf('data'), new Uint8Array(5000));
  expect(await contentOf('data', (await stat(logOf('data'))).size)).toEqual([20, 20, 20]);
});

it('leaves a log alone that is whole or whose database is in use', async () => {
  const bytes = await prepare(append(0, 10), (storage) => storage.commit(append(10, 10)));
  const inUse = async (): Promise<never> => {
    throw new Error('in use');
  };
  await cutTornLogs(fileIn('data'), inUse, silentLogger);
  await truncate(logOf('data'), bytes - 1);
  await expect(cutTornLogs(fileIn('data'), inUse, silentLogger)).rejects.toThrow('in use');
  expect((await stat(logOf('data'))).size).toBe(bytes - 1);
});

it('refuses a log of another version', async () => {
  await prepare(append(0, 10), (storage) => storage.commit(append(10, 10)));
  const log = await readFile(logOf('data'));
  // Version 2 became 4.
  expect(log[5]).toBe(2);
  log[5] = 4;
  await writeFile(logOf('data'), log);
  await expect(open('data')).rejects.toMatchObject({ code: 'CORRUPT_STORE' });
});
