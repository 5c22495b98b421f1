import { gunzipSync, gzipSync } from 'node:zlib';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ limits: { bodyBytesMax: 300_000, rowsMax: 5_000 } });
  expect((await server.post('/api/v1/tables', tradesTable)).status).toBe(200);
  const candles = { source: 'trades', price: 'price', volume: 'size', timeframes: ['1s', '1m'] };
  expect((await server.post('/api/v1/candles', candles)).status).toBe(200);
});

afterAll(() => server.end());

const minute = '2024-05-17T09:30';

describe('writes', () => {
  const bodies: [string, string, string | Uint8Array][] = [
    [
      'JSON rows',
      'application/json',
      JSON.stringify([{ time: `${minute}:01Z`, symbol: 'JSON', price: 1, size: 2 }]),
    ],
    [
      'wrapped rows',
      'application/json',
      JSON.stringify({ rows: [{ time: 1715938201, symbol: 'WRAP', price: 1, size: 2 }] }),
    ],
    [
      'columns',
      'application/json',
      JSON.stringify({ columns: { time: [1715938201000], symbol: ['COLS'], price: [1], size: [2] } }),
    ],
    ['NDJSON', 'application/x-ndjson', `{"time":"${minute}:01Z","symbol":"ND","price":1,"size":2}\n`],
    ['CSV', 'text/csv', `time,symbol,price,size\n${minute}:01Z,CSV,1,2\n`],
  ];
  it.each(bodies)('takes %s', async (_, type, body) => {
    const answer = await server.post('/api/v1/write/trades', body, { 'content-type': type });
    expect(await answer.json()).toMatchObject({ rowCount: 1, rejected: [] });
    const symbol = { 'JSON rows': 'JSON', 'wrapped rows': 'WRAP', columns: 'COLS', NDJSON: 'ND', CSV: 'CSV' }[
      _
    ];
    const { rows } = await server.json(`/api/v1/ticks?table=trades&symbol=${symbol}`);
    expect(rows).toEqual([{ time: `${minute}:01Z`, symbol, price: 1, size: 2 }]);
  });

  it('takes Arrow, and gives it back', async () => {
    const bytes = new Uint8Array(
      await (await server.get('/api/v1/ticks?table=trades&symbol=CSV&format=arrow')).arrayBuffer(),
    );
    expect(
      tableFromIPC(bytes)
        .toArray()
        .map((row) => row?.toJSON()),
    ).toMatchObject([{ symbol: 'CSV', price: 1, size: 2 }]);
    const answer = await server.post('/api/v1/write/trades', bytes, {
      'content-type': 'application/vnd.apache.arrow.stream',
    });
    expect(await answer.json()).toMatchObject({ rowCount: 1 });
    expect((await server.json('/api/v1/ticks?table=trades&symbol=CSV')).rows).toHaveLength(2);
  });

  it('unpacks gzip, and refuses what unpacks to too much', async () => {
    const headers = { 'content-encoding': 'gzip', 'content-type': 'text/csv' };
    const body = gzipSync(`time,symbol,price\n${minute}:01Z,GZ,1\n`);
    expect(await (await server.post('/api/v1/write/trades', body, headers)).json()).toMatchObject({
      rowCount: 1,
    });
    const bomb = await server.post('/api/v1/write/trades', gzipSync('x'.repeat(400_000)), headers);
    expect([bomb.status, ((await bomb.json()) as { code: string }).code]).toEqual([413, 'LIMIT_EXCEEDED']);
  });

  it('names each bad row as it was sent, and writes nothing or the rest', async () => {
    const rows = [
      { time: 'yesterday', symbol: 'BAD', price: 1 },
      { time: `${minute}:02Z`, symbol: 'BAD', price: 2 },
      { time: `${minute}:03Z`, symbol: 'BAD', price: null },
    ];
    const failed = await server.post('/api/v1/write/trades', rows);
    expect(failed.status).toBe(400);
    expect(await failed.json()).toMatchObject({ code: 'INVALID_ROWS', rows: [{ row: 0, column: 'time' }] });
    expect((await server.json('/api/v1/ticks?table=trades&symbol=BAD')).rows).toEqual([]);
    const kept = await server.post('/api/v1/write/trades?onInvalid=skip', rows);
    expect(await kept.json()).toMatchObject({
      rowCount: 1,
      rejected: [
        { row: 0, column: 'time' },
        { row: 2, column: 'price' },
      ],
    });
  });
});

describe('reads', () => {
  beforeAll(async () => {
    // 2,000 rows of three series with many equal times.
    const rows = Array.from({ length: 2_000 }, (_, i) => ({
      time: 1_715_000_000_000 + Math.floor(i / 7) * 1000,
      symbol: `P${i % 3}`,
      price: i,
      size: 1,
    }));
    expect((await server.post('/api/v1/write/trades', rows)).status).toBe(200);
  });

  it.each(['asc', 'desc'])(
    'page by cursor over equal times, %s, with no hole and no repeat',
    async (order) => {
      const prices: number[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const range = `table=trades&symbol=P*&order=${order}&limit=333&columns=price`;
        const page = await server.json(`/api/v1/ticks?${range}&cursor=${cursor}`);
        prices.push(...(page.rows as { price: number }[]).map(({ price }) => price));
        cursor = page.cursor as string | null;
      }
      const expected = Array.from({ length: 2_000 }, (_, i) => i);
      expect(prices).toEqual(order === 'asc' ? expected : expected.reverse());
    },
  );

  it('give bars of stored and of merged timeframes', async () => {
    const bars = await server.json('/api/v1/bars?table=trades&symbol=P0&timeframe=30m&limit=1&time=s');
    // 1715000000 lies in the half hour from 1714998600 to 1715000400: all rows do.
    expect(bars).toMatchObject({
      rows: [
        {
          time: 1_714_998_600,
          symbol: 'P0',
          open: 0,
          high: 1998,
          low: 0,
          close: 1998,
          volume: 667,
          trades: 667,
        },
      ],
      rollup: 'trades_1m',
    });
  });

  it('give columns, CSV and times in every unit', async () => {
    const path = '/api/v1/ticks?table=trades&symbol=P1&limit=2&columns=time,price';
    expect(await server.json(`${path}&format=columns&time=ns`)).toMatchObject({
      columns: { time: ['1715000000000000000', '1715000000000000000'], price: [1, 4] },
      rowCount: 2,
    });
    expect(await (await server.get(`${path}&time=us`, { accept: 'text/csv' })).text()).toBe(
      'time,price\n1715000000000000,1\n1715000000000000,4\n',
    );
  });

  it('are gzipped when that is accepted and worth it', async () => {
    const { request } = await import('node:http');
    const chunks: Buffer[] = await new Promise((resolve, reject) => {
      const gathered: Buffer[] = [];
      const url = `${server.url}/api/v1/ticks?table=trades&symbol=P2&limit=500`;
      request(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        response.on('data', (chunk: Buffer) => gathered.push(chunk)).on('end', () => resolve(gathered));
      })
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()).rows).toHaveLength(500);
  });

  it('give the latest row of each series and the answer to SQL', async () => {
    const { rows } = await server.json('/api/v1/latest?table=trades&symbol=P0,P1');
    expect((rows as { price: number }[]).map(({ price }) => price)).toEqual([1998, 1999]);
    const sql = await server.post('/api/v1/sql', {
      sql: 'select symbol, sum(volume) as v from trades_1m where symbol like $1 group by 1 order by 1',
      parameters: ['P%'],
    });
    expect(await sql.json()).toMatchObject({
      rows: [{ v: 667 }, { v: 667 }, { v: 666 }],
      types: ['VARCHAR', 'DOUBLE'],
    });
  });
});

describe('mistakes', () => {
  const cases: [string, number, string][] = [
    ['/api/v1/nothing', 404, 'ROUTE_NOT_FOUND'],
    ['/api/v1/ticks', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=none', 404, 'TABLE_NOT_FOUND'],
    ['/api/v1/ticks?table=trades&symbl=A', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&from=soon', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&limit=-1', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&limit=999999', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&limit=1e400', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&cursor=x', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/ticks?table=trades&columns=nope', 404, 'COLUMN_NOT_FOUND'],
    ['/api/v1/bars?table=trades&timeframe=7parsecs', 400, 'INVALID_ARGUMENT'],
    ['/api/v1/bars?table=trades&timeframe=100ms', 404, 'TIMEFRAME_NOT_FOUND'],
    ['/api/v1/sql?q=selec', 400, 'SYNTAX'],
    ['/api/v1/sql?q=drop+table+trades', 501, 'UNSUPPORTED'],
    ['/api/v1/sql?q=select+*+from+read_csv(%27/etc/passwd%27)', 501, 'UNSUPPORTED'],
  ];
  it.each(cases)('%s answers %i %s with what to do', async (path, status, code) => {
    const answer = await server.get(path);
    const body = (await answer.json()) as { code: string; message: string; help: string };
    expect([answer.status, body.code]).toEqual([status, code]);
    expect(body.message.length).toBeGreaterThan(5);
    expect(body.help.length).toBeGreaterThan(5);
  });

  it('a body that is not JSON says where, one of another kind says which kinds', async () => {
    const broken = await server.post('/api/v1/write/trades', '[{"time": 1,]');
    expect(await broken.json()).toMatchObject({ code: 'SYNTAX' });
    const image = await server.post('/api/v1/write/trades', 'x', { 'content-type': 'image/png' });
    expect([image.status, await image.json()]).toMatchObject([400, { code: 'INVALID_ARGUMENT' }]);
    const table = await server.post('/api/v1/tables', '{"name": ');
    expect([table.status, await table.json()]).toMatchObject([400, { code: 'SYNTAX', position: 9 }]);
    const word = await server.post('/api/v1/sql', '{"sql": selec}');
    expect([word.status, await word.json()]).toMatchObject([400, { code: 'SYNTAX', position: 8 }]);
    const empty = await server.post('/api/v1/tables', '');
    expect([empty.status, await empty.json()]).toMatchObject([400, { code: 'SYNTAX' }]);
  });

  it('a table that is in use or already there is a conflict', async () => {
    expect((await server.post('/api/v1/tables', tradesTable)).status).toBe(409);
    const dropped = await fetch(`${server.url}/api/v1/tables/trades`, { method: 'DELETE' });
    expect([dropped.status, await dropped.json()]).toMatchObject([409, { code: 'TABLE_IN_USE' }]);
  });

  it('requests to another name are refused while everybody is let in', async () => {
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const options = { headers: { host: 'evil.example' } };
      request(`${server.url}/api/v1/status`, options, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

describe('changes of tables', () => {
  it('add a column to a live table and drop a table', async () => {
    const def = { ...tradesTable, name: 'venues' };
    await server.post('/api/v1/tables', def);
    await server.post('/api/v1/write/venues', [{ time: 1, symbol: 'A', price: 1 }]);
    const patched = await fetch(`${server.url}/api/v1/tables/venues`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ addColumn: { name: 'venue', type: { kind: 'text' } } }),
    });
    expect(await patched.json()).toMatchObject({ version: 2 });
    await server.post('/api/v1/write/venues', [{ time: 2, symbol: 'A', price: 2, venue: 'X' }]);
    expect((await server.json('/api/v1/ticks?table=venues')).rows).toMatchObject([
      { venue: null },
      { venue: 'X' },
    ]);
    expect((await fetch(`${server.url}/api/v1/tables/venues`, { method: 'DELETE' })).status).toBe(200);
    expect((await server.get('/api/v1/tables/venues')).status).toBe(404);
  });
});

describe('the rest', () => {
  it('reports health and figures', async () => {
    expect(await server.json('/healthz')).toEqual({ status: 'ok' });
    const text = await (await server.get('/metrics')).text();
    expect(text).toMatch(/^candela_rows_written_total \d{4,}$/m);
    expect(text).toMatch(/^candela_ticks_outside_sessions_total 0$/m);
    for (const name of [
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect(text).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
    expect(text).toMatch(
      /candela_http_request_seconds_count\{method="GET",route="\/api\/v1\/ticks",status="200"\} \d+/,
    );
  });

  it('serves charting libraries by UDF', async () => {
    expect(await server.json('/udf/config')).toMatchObject({
      supports_search: true,
      supported_resolutions: expect.arrayContaining(['1S', '1', '30', '1D']),
    });
    expect(await server.json('/udf/symbols?symbol=P0')).toMatchObject({
      ticker: 'trades:P0',
      has_seconds: true,
    });
    const found = await server.json('/udf/search?query=p');
    expect(found).toMatchObject([
      { symbol: 'WRAP' },
      { symbol: 'P0' },
      { symbol: 'P1' },
      { ticker: 'trades:P2' },
    ]);
    const history = await server.json(
      '/udf/history?symbol=trades:P0&resolution=1&from=1715000000&to=1715000400',
    );
    // The first whole minute after second 20 of the half hour is 1715000040; 3.5 rows of P0 a 1.5 s.
    expect(history).toMatchObject({ s: 'ok' });
    expect((history.t as number[])[0]).toBe(1_715_000_040);
    const back = await server.json('/udf/history?symbol=P0&resolution=1&from=0&to=1715000100&countback=2');
    expect(back.t).toEqual([1_714_999_980, 1_715_000_040]);
    const later = await server.json('/udf/history?symbol=P0&resolution=1&from=1800000000&to=1800000060');
    expect(later).toEqual({ s: 'no_data', nextTime: 1_715_000_280 });
    expect(await server.json('/udf/history?symbol=NOPE&resolution=1&from=0&to=1')).toMatchObject({
      s: 'error',
    });
    expect(Number(await (await server.get('/udf/time')).text())).toBeGreaterThan(1_700_000_000);
  });
});
