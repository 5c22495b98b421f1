/** Backups of a running server, and the two commands about backups. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { connect } from '../../../src/client/connect.ts';
import { restore } from '../../../src/engine/backup/backup.ts';
import { open } from '../../../src/engine/open.ts';
import { createToken, hashToken } from '../../../src/net/auth.ts';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

const [boss, writer] = [createToken(), createToken()];
let root: string;
let server: TestServer;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const users = [
  { name: 'boss', role: 'admin' as const, tokens: [hashToken(boss)] },
  { name: 'writer', role: 'write' as const, tokens: [hashToken(writer)] },
];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-backup-'));
  server = await startTestServer({ users, backupsDirectory: join(root, 'backups') });
  await server.database.createTable(tradesTable);
  await server.post('/api/v1/write/trades', [{ time: 1, symbol: 'A', price: 1.5 }], bearer(boss));
});

afterAll(async () => {
  await server.end();
  await rm(root, { recursive: true });
});

async function countIn(directory: string): Promise<unknown> {
  const database = await open({ directory });
  const { rowCount } = await database.read({ table: 'trades' });
  await database.close();
  return rowCount;
}

it('an administrator makes a backup in the folder for them, which restores', async () => {
  const remote = await connect({ url: server.url, token: boss });
  const info = await remote.backup('monday');
  expect(info).toEqual({ lsn: 1, bytes: expect.any(Number) });
  expect(await restore(join(root, 'backups/monday'), join(root, 'monday'))).toEqual(info);
  expect(await countIn(join(root, 'monday'))).toBe(1);
  await expect(remote.backup('monday')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('is not empty'),
  });
});

it('nobody else may, nor name a path', async () => {
  const denied = await server.post('/api/v1/backup', { name: 'x' }, bearer(writer));
  expect(denied.status).toBe(403);
  for (const name of ['../x', '/tmp/x', 'a/b', '.', '..', '', '.hidden']) {
    expect((await server.post('/api/v1/backup', { name }, bearer(boss))).status).toBe(400);
  }
});

it('a server without a folder for backups makes none', async () => {
  const other = await startTestServer();
  const answer = await other.post('/api/v1/backup', { name: 'x' });
  expect([answer.status, await answer.json()]).toMatchObject([
    501,
    { help: expect.stringContaining('--backups') },
  ]);
  await other.end();
});

it('candela backup and restore work on directories', async () => {
  const database = await open({ directory: join(root, 'data') });
  await database.createTable(tradesTable);
  await database.close();
  const said: string[] = [];
  const written = vi.spyOn(process.stderr, 'write').mockImplementation((line) => said.push(String(line)) > 0);
  try {
    const run = (...words: string[]) => createProgram().parseAsync(words, { from: 'user' });
    await run('backup', join(root, 'copy'), '--data', join(root, 'data'));
    await run('restore', join(root, 'copy'), '--data', join(root, 'again'));
  } finally {
    written.mockRestore();
  }
  expect(said.join('')).toMatch(/copy holds every write up to position 0.*\n.*again holds every write/);
  expect(await countIn(join(root, 'again'))).toBe(0);
});
