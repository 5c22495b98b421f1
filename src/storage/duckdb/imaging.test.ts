import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick } from '../cases/fixtures.ts';
import type { Storage, StorageImage } from '../storage.ts';
import { openDuckDbStorage } from './duckdb-storage.ts';

let root: string;
let storage: Storage;
const open = (name: string): Promise<Storage> =>
  openDuckDbStorage({ directory: join(root, name), log: silentLogger });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-image-'));
  storage = await open('data');
  await storage.commit([createTicks]);
});

afterEach(async () => {
  await storage.close();
  await rm(root, { recursive: true });
});

/** Ticks `from` … `to`-1, one version each. */
const ticksOf = (from: number, to: number) =>
  appendTicks(
    Array.from({ length: to - from }, (_, i): Tick => [i % 7, BigInt(i % 90), BigInt(from + i), i]),
  );

async function lay(image: StorageImage, name: string): Promise<void> {
  await mkdir(join(root, name));
  for (const file of image.files) {
    await writeFile(join(root, name, file.name), await image.read(file.name, 0, file.bytes));
  }
}

async function countIn(name: string): Promise<number> {
  const copy = await open(name);
  const { rowCount } = await copy.scan(scanAll);
  await copy.close();
  return rowCount;
}

it('holds the commits before it and none after, whatever is written and read while it is copied', async () => {
  await storage.commit([ticksOf(0, 1_000)]);
  const reader = await storage.snapshot();
  await storage.commit([ticksOf(1_000, 200_000)]);
  const image = await storage.image();
  // More rows than fit one row group go to the file itself, before their commit.
  await storage.commit([ticksOf(200_000, 900_000)]);
  await storage.commit([{ op: 'rewrite', table: 7, ...emptyRows }]);
  await storage.commit([ticksOf(0, 400_000)]);
  await lay(image, 'copy');
  await image.close();
  await reader.close();
  expect(await countIn('copy')).toBe(200_000);
  expect(
    rowsOf(await storage.scan({ ...scanAll, columns: ['_version'], limit: 1, order: 'desc' })),
  ).toHaveLength(1);
  expect((await storage.scan(scanAll)).rowCount).toBe(400_000);
});

const { columns, rowCount } = appendTicks([]) as Extract<ReturnType<typeof appendTicks>, { op: 'append' }>;
const emptyRows = { columns, rowCount };

it('leaves the lock on the file in place', async () => {
  const image = await storage.image();
  await lay(image, 'copy');
  await image.close();
  const program = `
    import { DuckDBInstance } from '@duckdb/node-api';
    await DuckDBInstance.create(process.argv[1]);`;
  const file = join(root, 'data/market.duckdb');
  const other = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program, file]);
  await expect(other).rejects.toThrow(/lock/i);
});

it('puts sealing off until it is closed, and is one at a time', async () => {
  await storage.commit([ticksOf(0, 1_000)]);
  const image = await storage.image();
  await expect(storage.image()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  let isSealed = false;
  const seal = storage.seal({ table: 7, fromNs: 0n, toNs: 1_000n }).then((rows) => {
    isSealed = true;
    return rows;
  });
  await storage.commit([ticksOf(1_000, 1_100)]);
  expect(isSealed).toBe(false);
  await image.close();
  expect(await seal).toBe(1_100);
  await (await storage.image()).close();
});
