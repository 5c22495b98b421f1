import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { columnOf } from '../../market/columns.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, ticks } from '../cases/fixtures.ts';
import { describeStorage } from '../storage.case.ts';
import type { Storage, StoredTable } from '../storage.ts';
import { openDuckDbStorage } from './duckdb-storage.ts';

let root = '';
let directories = 0;
const newDirectory = (): string => join(root, 'a', String(directories++));
const open = (directory: string | null): Promise<Storage> =>
  openDuckDbStorage({ directory, log: silentLogger });

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-storage-'));
});
afterAll(() => rm(root, { recursive: true }));

describeStorage('duckdb', () => open(newDirectory()));
describeStorage('duckdb in memory', () => open(null), false);

describe('opening', () => {
  it('finds again what was committed', async () => {
    const directory = newDirectory();
    const first = await open(directory);
    await first.commit([
      createTicks,
      appendTicks([[1, 10n, 1n, 5]]),
      {
        op: 'add-column',
        table: ticks.id,
        column: { name: 'size', type: { kind: 'decimal' }, nullable: true },
      },
      { op: 'put-doc', key: 'lsn', value: '17' },
      {
        op: 'put-view',
        view: {
          name: 'ticks',
          columns: [{ name: 'size', source: { from: 'row', column: 'size' } }],
          tables: [ticks.id],
          seriesTable: null,
        },
      },
    ]);
    await first.close();
    const second = await open(directory);
    expect(await second.documents()).toEqual(new Map([['lsn', '17']]));
    expect(rowsOf(await second.scan({ ...scanAll, columns: ['price', 'size'] }))).toEqual([[5, null]]);
    const snapshot = await second.snapshot();
    const result = await snapshot.query('SELECT size FROM ticks', [], { rowsMax: 9, timeoutMs: 1000 });
    expect(result).toMatchObject({ types: ['DECIMAL(38,20)'], rowCount: 1 });
    await snapshot.close();
    await second.close();
  });

  it('is refused while this process has the directory open', async () => {
    const directory = newDirectory();
    const storage = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: expect.stringContaining(join(directory, 'market.duckdb')),
    });
    await storage.close();
    await (await open(directory)).close();
  });

  it('is refused while another process has the directory open, and names it', async () => {
    const directory = newDirectory();
    await (await open(directory)).close();
    const program = `
      import { DuckDBInstance } from '@duckdb/node-api';
      await DuckDBInstance.create(process.argv[1]);
      console.log('open');
      setInterval(() => {}, 1000);`;
    const file = join(directory, 'market.duckdb');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program, file]);
    await once(child.stdout, 'data');
    const message = `another process (pid ${child.pid}) has ${file} open`;
    await expect(open(directory)).rejects.toMatchObject({ code: 'DATA_DIRECTORY_IN_USE', message });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await open(directory)).close();
  });

  it('is refused for a file that is no database', async () => {
    const directory = newDirectory();
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'market.duckdb'), 'not a database '.repeat(1000));
    await expect(open(directory)).rejects.toMatchObject({ code: 'CORRUPT_STORE' });
  });
});

describe('large commits', () => {
  const rowCount = 1_200_000;
  const table: StoredTable = { ...ticks, id: 3 };
  const columns = [
    { kind: 'int64' as const, values: BigInt64Array.from({ length: rowCount }, (_, i) => BigInt(i % 100)) },
    {
      kind: 'timestamp' as const,
      values: BigInt64Array.from({ length: rowCount }, (_, i) => BigInt(i) * 1000n),
    },
    { kind: 'int64' as const, values: BigInt64Array.from({ length: rowCount }, (_, i) => BigInt(i)) },
    { kind: 'double' as const, values: Float64Array.from({ length: rowCount }, (_, i) => i / 7) },
  ];

  it('keep the order of the rows and roll back whole', async () => {
    const storage = await open(newDirectory());
    await storage.commit([{ op: 'create-table', table }]);
    const append = { op: 'append' as const, table: 3, columns, rowCount };
    const failing = storage.commit([append, { op: 'drop-table', table: 99 }]);
    await expect(failing).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    expect((await storage.readAll(3, [])).rowCount).toBe(0);
    await storage.commit([append, appendTicks([[1, -1n, -1n, 1]], 3)]);
    const { columns: read } = await storage.readAll(3, ['_version', 'price']);
    const versions = BigInt64Array.from({ length: rowCount + 1 }, (_, i) => (i < rowCount ? BigInt(i) : -1n));
    expect(
      read[0].kind === 'int64' && Buffer.from(read[0].values.buffer).equals(Buffer.from(versions.buffer)),
    ).toBe(true);
    const { bytesOnDisk } = await storage.stats();
    expect(bytesOnDisk).toBeGreaterThan(rowCount);
    await storage.close();
  });

  it('leave the event loop its turns', async () => {
    const storage = await open(newDirectory());
    await storage.commit([{ op: 'create-table', table }]);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await storage.commit([{ op: 'append', table: 3, columns, rowCount }]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(20);
    await storage.close();
  });
});

describe('the log', () => {
  it('stays bounded while readers come and go, and is empty after a close', { timeout: 30_000 }, async () => {
    const directory = newDirectory();
    const storage = await open(directory);
    const logBytes = async (): Promise<number> => {
      const file = await stat(join(directory, 'market.duckdb.wal')).catch(() => null);
      return file?.size ?? 0;
    };
    await storage.commit([createTicks]);
    let longest = 0;
    let snapshot = await storage.snapshot();
    for (let i = 0; i < 80; i++) {
      const rows = Array.from(
        { length: 20_000 },
        (_, row): Tick => [row % 9, BigInt(row), BigInt(i), row * Math.PI],
      );
      await storage.commit([appendTicks(rows)]);
      longest = Math.max(longest, await logBytes());
      if (i % 7 !== 0) continue;
      await snapshot.close();
      snapshot = await storage.snapshot();
    }
    await snapshot.close();
    // 80 commits of 20,000 rows of 28 bytes are 45 MB.
    expect(longest).toBeGreaterThan(16 * 2 ** 20);
    expect(longest).toBeLessThan(36 * 2 ** 20);
    await storage.close();
    expect(await logBytes()).toBe(0);
  });
});

describe('rows a store cannot hold', () => {
  it('leave it usable', async () => {
    const storage = await open(null);
    const value = {
      name: 'value',
      type: { kind: 'decimal', precision: 4, scale: 1 },
      nullable: false,
    } as const;
    await storage.commit([{ op: 'create-table', table: { id: 1, columns: [value], roles: null } }]);
    const append = (coefficient: bigint) => ({
      op: 'append' as const,
      table: 1,
      columns: [columnOf('decimal', [{ coefficient, scale: 1 }])],
      rowCount: 1,
    });
    await expect(storage.commit([append(1n), append(99999n)])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await storage.commit([append(9999n)]);
    expect(rowsOf(await storage.readAll(1, ['value']))).toEqual([[{ coefficient: 9999n, scale: 1 }]]);
    await storage.close();
  });
});
