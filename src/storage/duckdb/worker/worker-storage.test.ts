import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CandelaError } from '../../../core/errors.ts';
import { type Logger, silentLogger } from '../../../core/log.ts';
import { columnOf } from '../../../market/columns.ts';
import { builtStoreProgram } from '../../../testing/built-store.ts';
import { appendTicks, createTicks, rowsOf, scanAll, type Tick, ticks } from '../../cases/fixtures.ts';
import { describeStorage } from '../../storage.case.ts';
import type { Storage } from '../../storage.ts';
import { openWorkerStorage } from './worker-storage.ts';

let root = '';
let directories = 0;
let program: URL;
const newDirectory = (): string => join(root, String(directories++));
const open = (directory: string | null, log = silentLogger): Promise<Storage> =>
  openWorkerStorage({ directory, log }, program);

beforeAll(async () => {
  program = builtStoreProgram();
  root = await mkdtemp(join(tmpdir(), 'candela-worker-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describeStorage('duckdb on its thread', () => open(newDirectory()));

const manyTicks = (count: number): Tick[] =>
  Array.from({ length: count }, (_, i): Tick => [i % 9, BigInt(i), BigInt(i), i / 3]);

describe('opening', () => {
  it('is refused while this process has the directory open, and possible once it is closed', async () => {
    const directory = newDirectory();
    const storage = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'DATA_DIRECTORY_IN_USE',
      message: expect.stringContaining(join(directory, 'market.duckdb')),
    });
    await storage.commit([createTicks]);
    await storage.close();
    const again = await open(directory);
    expect((await again.scan(scanAll)).rowCount).toBe(0);
    await again.close();
  });

  it('fails with the error of the thread', async () => {
    await expect(open(join(import.meta.filename, 'below-a-file'))).rejects.toThrow(/ENOTDIR/);
  });
});

describe('errors', () => {
  it('keep code, message, help, position and cause', async () => {
    const storage = await open(null);
    const snapshot = await storage.snapshot();
    const query = (text: string) => snapshot.query(text, [], { rowsMax: 9, timeoutMs: 5000 });
    const syntax: unknown = await query('SELECT 1 FRM x').catch((error: unknown) => error);
    expect(syntax).toBeInstanceOf(CandelaError);
    expect(syntax).toMatchObject({ code: 'SYNTAX', kind: 'syntax', position: 13 });
    await expect(query('SELECT no_such_column')).rejects.toMatchObject({
      code: 'COLUMN_NOT_FOUND',
      cause: expect.objectContaining({ message: expect.stringContaining('no_such_column') }),
    });
    await snapshot.close();
    await storage.close();
  });

  it('of a snapshot that is closed', async () => {
    const storage = await open(null);
    const snapshot = await storage.snapshot();
    await Promise.all([snapshot.close(), snapshot.close()]);
    const query = snapshot.query('SELECT 1', [], { rowsMax: 1, timeoutMs: 1000 });
    await expect(query).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await storage.close();
  });
});

describe('calls', () => {
  it('begin in the order they were made in', async () => {
    const storage = await open(newDirectory());
    const done: number[] = [];
    const commits = [storage.commit([createTicks])];
    for (let i = 0; i < 20; i++) {
      const commit = storage.commit([appendTicks([[1, BigInt(i), BigInt(i), i]])]);
      commits.push(commit.then(() => void done.push(i)));
    }
    await Promise.all(commits);
    expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect((await storage.scan(scanAll)).rowCount).toBe(20);
    await storage.close();
  });

  it('leave a commit its arrays', async () => {
    const storage = await open(newDirectory());
    const block = Float64Array.from({ length: 100 }, (_, i) => i);
    const columns = [
      columnOf('int64', [0n, 0n]),
      columnOf('timestamp', [1n, 2n]),
      columnOf('int64', [1n, 2n]),
      { kind: 'double' as const, values: block.subarray(50, 52) },
    ];
    await storage.commit([createTicks, { op: 'append', table: ticks.id, columns, rowCount: 2 }]);
    expect(block[50]).toBe(50);
    expect(rowsOf(await storage.scan({ ...scanAll, columns: ['price'] }))).toEqual([[50], [51]]);
    await storage.close();
  });

  it('are refused once the store is closed, and closing again waits for the same', async () => {
    const storage = await open(newDirectory());
    const commit = storage.commit([createTicks]);
    const closing = storage.close();
    await expect(storage.commit([])).rejects.toMatchObject({ code: 'STOPPING' });
    await Promise.all([commit, closing, storage.close()]);
    await expect(storage.stats()).rejects.toMatchObject({ code: 'STOPPING' });
  });
});

describe('sealing', () => {
  it('gives way when it is aborted, before or after it has begun', async () => {
    const storage = await open(newDirectory());
    await storage.commit([createTicks, appendTicks(manyTicks(300_000))]);
    const range = { table: ticks.id, fromNs: 0n, toNs: 300_000n };
    expect(await storage.seal(range, AbortSignal.abort())).toBe(0);
    const abort = new AbortController();
    const seal = storage.seal(range, abort.signal);
    abort.abort();
    expect(await seal).toBe(0);
    expect(await storage.seal(range, new AbortController().signal)).toBe(300_000);
    await storage.close();
  });
});

describe('images', () => {
  it('say what files they have and are read in pieces', async () => {
    const storage = await open(newDirectory());
    await storage.commit([createTicks, appendTicks(manyTicks(1000))]);
    const image = await storage.image();
    expect(image.files).toEqual([{ name: 'market.duckdb', bytes: expect.any(Number) }]);
    const piece = await image.read('market.duckdb', 0, 4096);
    expect(Buffer.from(piece.subarray(8, 12)).toString()).toBe('DUCK');
    await image.close();
    await storage.close();
  });
});

describe('the log', () => {
  it('gets the lines of the thread, errors as errors', async () => {
    const lines: [string, object, string][] = [];
    const note = (level: string) => (fields: object, message: string) =>
      void lines.push([level, fields, message]);
    const log: Logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
      child: () => log,
    };
    const storage = await open(newDirectory(), log);
    // A commit that fails after BEGIN is rolled back; sealing what is not there is told as well.
    await expect(storage.commit([{ op: 'drop-table', table: 99 }])).rejects.toThrow();
    await storage.commit([createTicks, appendTicks(manyTicks(100_000))]);
    const abort = new AbortController();
    const seal = storage.seal({ table: ticks.id, fromNs: 0n, toNs: 100_000n }, abort.signal);
    abort.abort();
    await seal;
    await storage.close();
    expect(lines).toContainEqual([
      'debug',
      expect.objectContaining({ err: expect.any(Error) }),
      expect.any(String),
    ]);
  });
});

describe('a thread that ends by itself', () => {
  /** A program that opens and then does `what` at the next call. */
  const dying = (what: string): URL =>
    new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from 'node:worker_threads';
        parentPort.on('message', ({ id, method }) => {
          if (method === 'open') parentPort.postMessage({ type: 'object', id, target: 1, fields: {} });
          else { ${what} }
        });`)}`,
    );

  it.each([
    ['throws', "throw new Error('boom')", /boom/],
    ['rejects', "Promise.reject(new Error('boom'))", /boom/],
    ['exits', 'process.exit(3)', /exit code 3/],
  ])('because it %s fails what is pending and all that comes', async (_, what, message) => {
    const errors: string[] = [];
    const log = { ...silentLogger, error: (_fields: object, text: string) => void errors.push(text) };
    const storage = await openWorkerStorage({ directory: newDirectory(), log }, dying(what));
    const ended = { code: 'WRITES_STOPPED', message: expect.stringMatching(message) };
    const pending = [storage.commit([createTicks]), storage.documents()];
    for (const call of pending) await expect(call).rejects.toMatchObject(ended);
    await expect(storage.stats()).rejects.toMatchObject(ended);
    await expect(storage.close()).rejects.toMatchObject(ended);
    expect(errors).toEqual(["the store's thread has ended"]);
  });
});
