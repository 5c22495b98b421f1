/** A backup made while writes, sealing and queries run, restored, is the database as of the backup's position. */
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrng } from '../../core/prng.ts';
import { type ColumnSet, columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';
import { restore } from './backup.ts';

const t0 = 1_700_006_400n * 1_000_000_000n;
const rowsPerBatch = 500;
const symbols = ['AAA', 'BBB', 'CCC'];

let root: string;
let database: Database;
const at = (name: string): string => join(root, name);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-backup-'));
  const sealing = { intervalMs: 10, rowsMin: 100, rowsMax: 5_000 };
  database = await open({ directory: at('data'), flushIntervalMs: 20, sealing });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
  await database.createTable({
    name: 'company',
    kind: 'plain',
    seriesKey: ['symbol'],
    columns: [
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'name', type: { kind: 'text' } },
    ],
  });
  await database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m', '1h'] });
});

afterEach(async () => {
  await database.close();
  await rm(root, { recursive: true });
});

/** Batch n is always the same, and each is one position of the log. */
function batch(n: number) {
  const prng = createPrng(n);
  const rows = Array.from({ length: rowsPerBatch }, (_, i) => i);
  return {
    rowCount: rowsPerBatch,
    columns: {
      time: columnOf(
        'timestamp',
        rows.map((i) => t0 + BigInt(n * 20_000 + i * 30 - prng.below(9_000)) * 1_000_000_000n),
      ),
      symbol: textColumn(rows.map(() => symbols[prng.below(3)])),
      price: columnOf(
        'double',
        rows.map(() => prng.below(1000) / 4),
      ),
    },
  };
}

function text({ rowCount, columns }: ColumnSet): string {
  const rows = Array.from({ length: rowCount }, (_, row) => columns.map((c) => valueAt(c, row)).join());
  return rows.join('\n');
}

async function answers(of: Database): Promise<string[]> {
  const sets = [
    await of.read({ table: 'trades' }),
    await of.bars({ table: 'trades', timeframe: '1m' }),
    await of.bars({ table: 'trades', timeframe: '2h' }),
    of.latest('trades'),
    await of.sql('SELECT * FROM trades_1h ORDER BY ALL'),
    await of.sql(
      'SELECT symbol, name, count(*), sum(price) FROM trades JOIN company USING (symbol) GROUP BY ALL ORDER BY ALL',
    ),
  ];
  return sets.map(text);
}

const company = { symbol: textColumn(symbols), name: textColumn(symbols.map((s) => `${s} Inc.`)) };

it('equals the original up to its position, though writes went on', async () => {
  await database.write('company', { rowCount: 3, columns: company });
  let written = 0;
  let isDone = false;
  const writer = (async () => {
    while (!isDone || written < 40) {
      await database.write('trades', batch(written++));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const queries = (async () => {
    while (!isDone) await database.sql('SELECT count(*) FROM trades t JOIN trades_1m b USING (symbol)');
  })();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const progress: [number, number][] = [];
  const { lsn, bytes } = await database.backup(at('backup'), {
    onProgress: (done, total) => progress.push([done, total]),
  });
  expect(progress.at(-1)).toEqual([bytes, bytes]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  isDone = true;
  await Promise.all([writer, queries]);
  expect(lsn).toBeGreaterThan(0);
  expect(written).toBeGreaterThan(lsn);

  expect(await restore(at('backup'), at('restored'))).toEqual({ lsn, bytes });
  const restored = await open({ directory: at('restored') });
  expect(restored.status().lsn).toBe(lsn);
  // The same batches up to that position, written to a database of its own.
  const expected = await open({ directory: at('expected') });
  for (const { rollup, name } of database.tables()) {
    if (rollup) await expected.createRollup(rollup);
    else await expected.createTable(definitionOf(database, name));
  }
  await expected.write('company', { rowCount: 3, columns: company });
  for (let n = 0; n < lsn; n++) await expected.write('trades', batch(n));
  expect(await answers(restored)).toEqual(await answers(expected));
  // And it goes on as a database does.
  await restored.write('trades', batch(lsn));
  await expected.write('trades', batch(lsn));
  expect(await answers(restored)).toEqual(await answers(expected));
  await Promise.all([restored.close(), expected.close()]);
});

function definitionOf(of: Database, name: string) {
  const info = of.table(name);
  if (!info) throw new Error(name);
  const { kind, columns, timeColumn, seriesKey } = info;
  return { name, kind, columns, seriesKey, ...(timeColumn === undefined ? {} : { timeColumn }) };
}

describe('backup', () => {
  it('refuses a directory that is not empty, and a second one beside it', async () => {
    await mkdir(at('full'));
    await writeFile(at('full/x'), '');
    await expect(database.backup(at('full'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const [first, second] = await Promise.allSettled([
      database.backup(at('one')),
      database.backup(at('two')),
    ]);
    const refused = [first, second].filter((result) => result.status === 'rejected');
    expect(refused.length).toBeLessThan(2);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await database.backup(at('three'));
    await restore(at('three'), at('restored'));
  });

  it('is finished by a close that comes meanwhile', async () => {
    const backup = database.backup(at('backup'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await database.close();
    await backup.then(
      () => restore(at('backup'), at('restored')),
      (error: unknown) => expect(error).toMatchObject({ code: 'STOPPING' }),
    );
  });
});

describe('restore', () => {
  beforeEach(async () => {
    await database.write('trades', batch(0));
    await database.backup(at('backup'));
  });

  it('refuses a directory that is not empty', async () => {
    await expect(restore(at('backup'), at('data'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it.each([
    ['a flipped byte', (file: Buffer) => file.writeUInt8(file.readUInt8(70_000) ^ 1, 70_000), /checksum/],
  ])('refuses %s, and leaves no directory', async (_, change, message) => {
    const bytes = await readFile(at('backup/market.duckdb'));
    change(bytes);
    await writeFile(at('backup/market.duckdb'), bytes);
    await expect(restore(at('backup'), at('restored'))).rejects.toMatchObject({
      code: 'CORRUPT_STORE',
      message,
    });
    await expect(readFile(at('restored'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a shortened file, a missing one and a missing or strange manifest', async () => {
    await truncate(at('backup/market.duckdb'), 100_000);
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ message: /100000 bytes/ });
    await rm(at('backup/market.duckdb'));
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ code: 'CORRUPT_STORE' });
    const manifest = JSON.parse(await readFile(at('backup/manifest.json'), 'utf8'));
    const put = (text: string) => writeFile(at('backup/manifest.json'), text);
    await put(JSON.stringify({ ...manifest, version: 2 }));
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await put(JSON.stringify({ ...manifest, files: [{ ...manifest.files[0], name: '../x' }] }));
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ code: 'CORRUPT_STORE' });
    await put('{');
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ code: 'CORRUPT_STORE' });
    await rm(at('backup/manifest.json'));
    await expect(restore(at('backup'), at('r'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
