/** Corporate actions over HTTP and through the client: written to a table that need not be there, used by reads. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runImport } from '../../../src/cli/import/run-import.ts';
import { connect } from '../../../src/client/connect.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  const columns = tradesTable.columns.map((column) =>
    column.name === 'size' ? { ...column, type: { kind: 'int64' as const } } : column,
  );
  await server.database.createTable({ ...tradesTable, columns });
  await server.database.createCandles({
    source: 'trades',
    price: 'price',
    volume: 'size',
    timeframes: ['1d'],
  });
  await server.post('/api/v1/write/trades', [
    { time: '2024-05-14T14:00:00Z', symbol: 'A', price: 90, size: 10 },
    { time: '2024-05-15T14:00:00Z', symbol: 'A', price: 31, size: 10 },
  ]);
});
afterAll(() => server.end());

it('a split is written and read', async () => {
  expect((await server.get('/api/v1/tables/corporate_actions')).status).toBe(404);
  const answer = await server.post('/api/v1/write/corporate_actions', [
    { symbol: 'A', ex_date: '2024-05-15', kind: 'split', ratio: 3 },
  ]);
  expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ rowCount: 1 })]);
  const bars = await server.json(
    '/api/v1/bars?table=trades&timeframe=1d&adjust=split&columns=close,volume,trades',
  );
  expect(bars.rows).toEqual([
    { close: 30, volume: 30, trades: 1 },
    { close: 31, volume: 10, trades: 1 },
  ]);
  expect(bars.kinds).toEqual({ close: 'double', volume: 'double', trades: 'int64' });
  const ticks = await server.get('/api/v1/ticks?table=trades&adjust=split&columns=price,size&format=csv');
  expect(await ticks.text()).toBe('price,size\n30,30\n31,10\n');
  expect(await server.json('/api/v1/ticks?table=trades&columns=price')).toMatchObject({
    rows: [{ price: 90 }, { price: 31 }],
  });
  expect((await server.get('/api/v1/ticks?table=trades&adjust=yes')).status).toBe(400);
});

it('roles and gaps of what is there are changed', async () => {
  const patch = (name: string, change: object): Promise<Response> =>
    fetch(`${server.url}/api/v1/tables/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    });
  expect((await patch('trades', { roles: { price: 'price', size: null } })).status).toBe(200);
  expect((await patch('trades_1d', { gaps: 'flat' })).status).toBe(200);
  expect(server.database.table('trades_1d')?.rollup?.gaps).toBe('flat');
  expect((await patch('trades', { roles: { price: 'cost' } })).status).toBe(400);
});

it('a dividend comes in by import, and the client reads what the database does', async () => {
  const remote = await connect({ url: server.url });
  const folder = mkdtempSync(join(tmpdir(), 'candela-adjust-'));
  try {
    const file = join(folder, 'actions.csv');
    writeFileSync(file, 'symbol,ex_date,kind,amount\nA,2024-05-15,dividend,9\n');
    const choices = {
      map: new Map(),
      symbol: null,
      timeZone: null,
      format: null,
      columnNames: null,
      delimiter: ',',
      create: null,
      rejectsFile: null,
    };
    await runImport(remote, { ...choices, files: [file], table: 'corporate_actions' }, systemClock);
  } finally {
    rmSync(folder, { recursive: true });
  }
  const request = { table: 'trades', timeframe: '1d', adjust: 'all' } as const;
  const [near, far] = [await server.database.bars(request), await remote.bars(request)];
  expect(far.columns.map(({ kind }) => kind)).toEqual(near.columns.map(({ kind }) => kind));
  const close = far.columns[far.names.indexOf('close')];
  expect(close).toEqual({ kind: 'double', values: Float64Array.of((90 / 3) * 0.9, 31) });
});
