/** Bars filled in, their states, and the gap report: over HTTP and through the client. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../../src/client/connect.ts';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.database.createTable(tradesTable);
  await server.database.createCandles({
    source: 'trades',
    price: 'price',
    volume: 'size',
    timeframes: ['1m'],
    calendar: 'XSHG',
    gaps: 'null',
  });
  // Shanghai: 11:28, 11:29:30, then 13:02 after lunch.
  const rows = [
    { time: '2024-05-17T03:28:00Z', symbol: '600519', price: 10, size: 1 },
    { time: '2024-05-17T03:29:30Z', symbol: '600519', price: 11, size: 1 },
    { time: '2024-05-17T05:02:00Z', symbol: '600519', price: 12, size: 1 },
  ];
  await server.post('/api/v1/write/trades', rows);
});
afterAll(() => server.end());

it('bars are filled in as the rollup says, or as the request does', async () => {
  const path = '/api/v1/bars?table=trades&timeframe=1m&columns=close,volume';
  expect((await server.json(path)).rows).toEqual([
    { close: 10, volume: 1 },
    { close: 11, volume: 1 },
    { close: null, volume: null },
    { close: null, volume: null },
    { close: 12, volume: 1 },
  ]);
  const flat = await server.json(`${path}&gaps=flat&flags=true&order=desc&limit=3`);
  expect(flat.rows).toEqual([
    { close: 12, volume: 1, bar_state: 'live' },
    { close: 11, volume: 0, bar_state: 'filled' },
    { close: 11, volume: 0, bar_state: 'filled' },
  ]);
  const next = await server.json(`${path}&gaps=flat&order=desc&limit=3&cursor=${flat.cursor}`);
  expect(next).toMatchObject({ rows: [{ close: 11 }, { close: 10 }], cursor: null });
  const named = await server.json('/api/v1/ticks?table=trades_1m&gaps=none&flags=true&columns=bar_state');
  expect(named.rows).toEqual([{ bar_state: 'complete' }, { bar_state: 'complete' }, { bar_state: 'live' }]);
});

it('gaps are reported in any form, lunch is none', async () => {
  const gap = { symbol: '600519', gap_from: '2024-05-17T05:00:00Z', gap_to: '2024-05-17T05:02:00Z' };
  expect(await server.json('/api/v1/tables/trades/gaps')).toEqual({
    rows: [{ ...gap, buckets: 2, missing_seconds: 120 }],
    cursor: null,
    timeframe: '1m',
    source: 'trades_1m',
    timeZone: 'Asia/Shanghai',
  });
  const csv = await server.get('/api/v1/tables/trades/gaps?min=3&format=csv');
  expect(await csv.text()).toBe('symbol,gap_from,gap_to,buckets,missing_seconds\n');
  for (const query of ['min=0', 'limit=1000001', 'stamp=close', 'calendar=XXXX']) {
    const response = await server.get(`/api/v1/tables/trades/gaps?${query}`);
    expect([query, response.status >= 400 && response.status < 500]).toEqual([query, true]);
  }
  expect((await server.get('/api/v1/tables/nothing/gaps')).status).toBe(404);
});

it('the client asks and answers as the database itself', async () => {
  const remote = await connect({ url: server.url });
  const bars = { table: 'trades', timeframe: '1m', gaps: 'flat', flags: true, limit: 4 } as const;
  const { columns, ...rest } = await remote.bars(bars);
  const { columns: own, ...ownRest } = await server.database.bars(bars);
  expect(rest).toEqual(ownRest);
  expect(columns.map(({ kind }) => kind)).toEqual(own.map(({ kind }) => kind));
  const report = { table: 'trades', bucketsMin: 2, series: { symbol: '600519' } };
  expect(await remote.gaps(report)).toEqual(await server.database.gaps(report));
});
