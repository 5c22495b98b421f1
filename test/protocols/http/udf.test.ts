/** TradingView's UDF: what its library is told, and who may read it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createToken, hashToken } from '../../../src/net/auth.ts';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

const chart = 'https://charts.example';
const token = createToken();
let server: TestServer;
beforeAll(async () => {
  const users = [{ name: 'desk', role: 'admin' as const, tokens: [hashToken(token)] }];
  server = await startTestServer({ users, allowedOrigins: [chart] });
  await server.database.createTable(tradesTable);
  await server.database.createCandles({ source: 'trades', price: 'price', timeframes: ['1m', '1h'] });
  const rows = [{ time: 1_715_938_200, symbol: 'A', price: 1 }];
  await server.post('/api/v1/write/trades', rows, { authorization: `Bearer ${token}` });
});
afterAll(() => server.end());

const read = (path: string, headers: Record<string, string> = {}) =>
  server.get(path, { authorization: `Bearer ${token}`, ...headers });
const history = (resolution: string) =>
  read(`/udf/history?symbol=A&resolution=${resolution}&from=1715904000&to=1715938300`);

describe('history', () => {
  it.each(['1', '5', '60', '1D', 'D', '1440'])('has the resolution %s', async (resolution) => {
    expect(await (await history(resolution)).json()).toMatchObject({ s: 'ok', c: [1] });
  });

  it.each(['1S', '7', '1H', '0', 'x'])('says that there is no resolution %s', async (resolution) => {
    const answer = (await (await history(resolution)).json()) as { s: string; errmsg: string };
    expect(answer.s).toBe('error');
    expect(answer.errmsg).toMatch(/is not a resolution here: there are 1, 3, 5,/);
  });

  it('says what is missing in its own form', async () => {
    const answer = await read('/udf/history?symbol=A&resolution=1');
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { s: 'error', errmsg: expect.stringContaining('from'), code: 'INVALID_ARGUMENT' },
    ]);
  });
});

describe('pages of other sites', () => {
  const origin = (response: Response) => response.headers.get('access-control-allow-origin');

  it('may read where the server was told of them, and see why they may not', async () => {
    const allowed = await read('/udf/config', { origin: chart });
    expect([allowed.status, origin(allowed), allowed.headers.get('vary')]).toEqual([
      200,
      chart,
      expect.stringContaining('origin'),
    ]);
    const anonymous = await server.get('/udf/config', { origin: chart });
    expect([anonymous.status, origin(anonymous)]).toEqual([401, chart]);
    const asked = await fetch(`${server.url}/udf/history`, { method: 'OPTIONS', headers: { origin: chart } });
    expect([asked.status, origin(asked)]).toEqual([204, chart]);
    expect(asked.headers.get('access-control-allow-headers')).toBe('authorization');
    expect(asked.headers.get('access-control-allow-methods')).toBe('GET');
  });

  it('may not otherwise, nor anywhere else', async () => {
    expect(origin(await read('/udf/config', { origin: 'https://evil.example' }))).toBeNull();
    expect(origin(await read('/api/v1/tables', { origin: chart }))).toBeNull();
    expect((await fetch(`${server.url}/api/v1/tables`, { method: 'OPTIONS' })).status).toBe(404);
  });

  it.each([
    [chart, true],
    ['https://evil.example', false],
  ])('connect to /ws from %s: %s', async (from, isLetIn) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${token}`, { origin: from });
    const opened = await new Promise((resolve) => {
      socket.on('open', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    socket.close();
    expect(opened).toBe(isLetIn);
  });
});
