import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createToken, hashPassword, hashToken } from '../../../src/net/auth.ts';
import { openSocket, startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;
const token = createToken();

beforeAll(async () => {
  server = await startTestServer({
    users: [
      { name: 'reader', role: 'read', tokens: [hashToken(token)] },
      { name: 'writer', role: 'write', passwordHash: await hashPassword('write: me') },
      { name: 'boss', role: 'admin', passwordHash: await hashPassword('b') },
    ],
  });
});

afterAll(() => server.end());

const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

describe('roles', () => {
  it('let each do what its role may, and tell the others', async () => {
    const row = [{ time: 1, symbol: 'A', price: 1 }];
    const made = await server.post('/api/v1/tables', tradesTable, basic('boss', 'b'));
    expect(made.status).toBe(200);
    const statuses = [
      (await server.get('/api/v1/tables')).status,
      (await server.get('/api/v1/tables', bearer(token))).status,
      (await server.post('/api/v1/write/trades', row, bearer(token))).status,
      (await server.post('/api/v1/write/trades', row, basic('writer', 'write: me'))).status,
      (await server.post('/api/v1/tables', tradesTable, basic('writer', 'write: me'))).status,
      (await server.get('/api/v1/tables', basic('writer', 'wrong'))).status,
      (await server.get('/api/v1/tables', basic('nobody', 'b'))).status,
      (await server.get('/api/v1/tables', bearer('nonsense'))).status,
      (await server.get('/metrics')).status,
      (await server.get('/healthz')).status,
    ];
    expect(statuses).toEqual([401, 200, 403, 200, 403, 401, 401, 401, 401, 200]);
    const denied = await server.post('/api/v1/write/trades', row, bearer(token));
    expect(await denied.json()).toMatchObject({
      code: 'DENIED',
      message: expect.stringContaining('needs write'),
    });
  });

  it('come with a token for those who sign in by password', async () => {
    const signIn = (user: string, password: string) => server.post('/api/v1/sign-in', { user, password });
    const wrong = await signIn('writer', 'guess');
    expect([wrong.status, await wrong.json()]).toMatchObject([401, { code: 'UNAUTHENTICATED' }]);
    const answer = (await (await signIn('writer', 'write: me')).json()) as Record<string, string>;
    expect(answer).toEqual({ name: 'writer', role: 'write', token: expect.stringMatching(/^.{32,}$/) });
    expect((await server.get('/api/v1/tables', bearer(answer.token))).status).toBe(200);
    expect((await server.post('/api/v1/tables', tradesTable, bearer(answer.token))).status).toBe(403);
    const client = await openSocket(server.url, bearer(answer.token));
    client.socket.close();
  });

  it('hold for /ws, by header or by token in the address', async () => {
    await expect(openSocket(server.url)).rejects.toThrow('401');
    const client = await openSocket(server.url, bearer(token));
    client.send({ op: 'ping' });
    await client.until((event) => event.type === 'pong');
    client.socket.close();
  });
});
