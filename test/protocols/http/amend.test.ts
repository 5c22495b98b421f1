import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../../src/client/connect.ts';
import { columnOf } from '../../../src/market/columns.ts';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;
const minute = '2024-05-17T09:30';
const columns = [...tradesTable.columns, { name: 'id', type: { kind: 'int64' } as const }];

beforeAll(async () => {
  server = await startTestServer();
  const table = { ...tradesTable, columns, dedup: { by: ['id'], keep: 'last' } };
  expect((await server.post('/api/v1/tables', table)).status).toBe(200);
  const candles = { source: 'trades', price: 'price', volume: 'size', timeframes: ['1s', '1m'] };
  expect((await server.post('/api/v1/candles', candles)).status).toBe(200);
});

afterAll(() => server.end());

const write = async (rows: object[], path = '', headers: Record<string, string> = {}) =>
  (await server.post(`/api/v1/write/trades${path}`, JSON.stringify(rows), headers)).json();
const tick = (second: string, id: number, price: number, symbol = 'A') => ({
  time: `${minute}:${second}Z`,
  symbol,
  price,
  size: 1,
  id,
});
const bars = async () =>
  (await server.json('/api/v1/bars?table=trades&timeframe=1m&symbol=A&columns=open,high,low,close,trades'))
    .rows;

it('a batch with an Idempotency-Key, or a batchId, is written once', async () => {
  const rows = [tick('01', 1, 10), tick('02', 2, 20), tick('03', 3, 5)];
  const headers = { 'idempotency-key': 'first' };
  const first = { rowCount: 3, duplicates: 0, corrected: 0, rejected: [] };
  expect(await write(rows, '', headers)).toMatchObject({ ...first, repeated: false });
  expect(await write([tick('04', 4, 99)], '', headers)).toMatchObject({ ...first, repeated: true });
  expect(await write(rows, '?batchId=first')).toMatchObject({ ...first, repeated: true });
  expect(await write(rows)).toMatchObject({ rowCount: 0, duplicates: 3, repeated: false });
  expect(await bars()).toEqual([{ open: 10, high: 20, low: 5, close: 5, trades: 3 }]);
});

it('a correction changes the bar and reaches subscribers', async () => {
  const socket = await server.database.subscribe({ table: 'trades' });
  expect(await write([tick('02', 2, 7)])).toMatchObject({ rowCount: 0, corrected: 1 });
  expect(await bars()).toEqual([{ open: 10, high: 10, low: 5, close: 5, trades: 3 }]);
  expect(socket.take().map(({ type }) => type)).toEqual(['correction']);
  socket.close();
});

it('DELETE takes rows away by value, symbol and range, all of them only when told so', async () => {
  const remove = (query: string) =>
    fetch(`${server.url}/api/v1/tables/trades/rows${query}`, { method: 'DELETE' });
  await write([tick('01', 1, 1, 'B'), tick('02', 2, 2, 'B')]);
  expect(await (await remove(`?symbol=A&where=${encodeURIComponent('{"id": 3}')}`)).json()).toMatchObject({
    rowCount: 1,
  });
  expect(await bars()).toEqual([{ open: 10, high: 10, low: 7, close: 7, trades: 2 }]);
  expect(await (await remove(`?to=${minute}:02Z&symbol=A`)).json()).toMatchObject({ rowCount: 1 });
  expect(await bars()).toEqual([{ open: 7, high: 7, low: 7, close: 7, trades: 1 }]);
  for (const query of ['', '?where={}', '?all=false']) {
    const refused = await remove(query);
    const { code } = (await refused.json()) as { code: string };
    expect([refused.status, code]).toEqual([400, 'INVALID_ARGUMENT']);
  }
  expect((await remove('?where={"nothing":1}')).status).toBe(400);
  expect((await remove('?sybmol=A')).status).toBe(400);
  expect(await (await remove('?all=true')).json()).toMatchObject({ rowCount: 3 });
  expect(await bars()).toEqual([]);
});

it('the client has the same calls; refresh finds everything right', async () => {
  const client = await connect({ url: server.url });
  const batch = {
    rowCount: 2,
    columns: {
      time: columnOf('timestamp', [1_715_938_201_000_000_000n, 1_715_938_262_000_000_000n]),
      symbol: columnOf('text', ['A', 'A']),
      price: columnOf('double', [1, 2]),
      id: columnOf('int64', [2n ** 60n + 1n, 2n ** 60n + 2n]),
    },
  };
  const options = { batchId: 'from the client' };
  expect(await client.write('trades', batch, options)).toMatchObject({ rowCount: 2, repeated: false });
  expect(await client.write('trades', batch, options)).toMatchObject({ rowCount: 2, repeated: true });
  expect(await client.refresh({ table: 'trades' })).toEqual({ bars: 3, changed: 0, skipped: 0 });
  expect(await client.deleteRows('trades', { where: { id: 2n ** 60n + 1n } })).toMatchObject({ rowCount: 1 });
  expect(await client.deleteRows('trades', {})).toMatchObject({ rowCount: 1 });
  expect((await client.read({ table: 'trades' })).rowCount).toBe(0);
  await client.alterTable('trades', { dedup: null });
  await client.write('trades', batch);
  expect(await client.write('trades', batch)).toMatchObject({ rowCount: 2, duplicates: 0 });
});
