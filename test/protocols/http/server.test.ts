/** What holds for every route: TLS, packing, bounds, the page, closing. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type RequestOptions, request as requestTls } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Database } from '../../../src/engine/database.ts';
import type { FeedStatus } from '../../../src/market/feed-status.ts';
import { loadTls } from '../../../src/net/tls.ts';
import type { WireRows } from '../../../src/protocols/http/wire.ts';
import { makeCertificate } from '../../support/certificate.ts';
import {
  openSocket,
  startTestServer,
  type TestServer,
  type TestServerOptions,
  tradesTable,
  withMethods,
} from './support.ts';

const servers: TestServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.end();
});

async function start(options: TestServerOptions = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  servers.push(server);
  return server;
}

interface RawAnswer {
  status: number;
  headers: Record<string, unknown>;
  body: Buffer;
}

/** A request by hand: nothing is unpacked or followed. */
function raw(url: string, options: RequestOptions & { body?: string | Uint8Array } = {}) {
  return new Promise<RawAnswer>((resolve, reject) => {
    const send = url.startsWith('https') ? requestTls : request;
    const sent = send(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

/** Bytes on a bare connection, and all that comes back. */
function rawBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

const json = (answer: RawAnswer) => JSON.parse(answer.body.toString()) as Record<string, unknown>;

describe('TLS', () => {
  const files = makeCertificate();

  it.skipIf(!files)('serves the API and /ws under a certificate', async () => {
    if (!files) return;
    const tls = await loadTls(files);
    const server = await start({ tls });
    expect(server.url).toMatch(/^https/);
    const answer = await raw(`${server.url}/api/v1/status`, { ca: Buffer.from(tls.cert) });
    expect([answer.status, json(answer)]).toMatchObject([200, { version: 'test' }]);
    await expect(raw(`${server.url}/api/v1/status`)).rejects.toThrow('self-signed certificate');
    const socket = new WebSocket(`${server.url.replace('https', 'wss')}/ws`, { ca: Buffer.from(tls.cert) });
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    const pong = new Promise((resolve) => socket.once('message', (data) => resolve(String(data))));
    socket.send('{"op":"ping"}');
    expect(await pong).toBe('{"type":"pong"}');
    socket.close();
  });
});

describe('packing', () => {
  it('unpacks the body of any request', async () => {
    const server = await start();
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const body = gzipSync(JSON.stringify({ sql: 'select 1 as one, 2 as one' }));
    const answer = await raw(`${server.url}/api/v1/sql`, { method: 'POST', headers, body });
    expect(json(answer)).toMatchObject({ rows: [{ one: 1, one_2: 2 }], names: ['one', 'one_2'] });
    const broken = await raw(`${server.url}/api/v1/sql`, { method: 'POST', headers, body: 'not gzip' });
    expect([broken.status, json(broken)]).toMatchObject([400, { code: 'SYNTAX' }]);
    const other = { ...headers, 'content-encoding': 'br' };
    const unknown = await raw(`${server.url}/api/v1/sql`, { method: 'POST', headers: other, body });
    expect([unknown.status, json(unknown)]).toMatchObject([501, { code: 'UNSUPPORTED' }]);
  });

  it('packs answers of any kind that are worth it, for those who can unpack', async () => {
    const server = await start();
    const ask = (path: string, encoding: string) =>
      raw(server.url + path, { headers: { 'accept-encoding': encoding } });
    const packed = await ask('/api/v1/openapi.json', 'br, gzip;q=0.5');
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(JSON.parse(gunzipSync(packed.body).toString())).toMatchObject({ openapi: '3.1.0' });
    expect((await ask('/api/v1/openapi.json', 'gzip;q=0')).headers['content-encoding']).toBeUndefined();
    expect((await ask('/healthz', 'gzip')).headers['content-encoding']).toBeUndefined();
  });

  it('sends large answers whole, packed or not, in every form', async () => {
    const server = await start();
    await server.post('/api/v1/tables', tradesTable);
    const rows = 30_000;
    const price = Array.from({ length: rows }, (_, i) => i);
    const time = price.map((i) => 1_700_000_000_000 + i);
    await server.post('/api/v1/write/trades', { columns: { time, symbol: 'A', price } });
    const path = `/api/v1/ticks?table=trades&limit=${rows}`;
    const plain = await raw(`${server.url}${path}`);
    expect(plain.body.length).toBeGreaterThan(1_500_000);
    expect((json(plain) as unknown as WireRows).rows.map((row) => row.price)).toEqual(price);
    const packed = await raw(`${server.url}${path}&format=columns`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    const { columns } = JSON.parse(gunzipSync(packed.body).toString()) as { columns: { price: number[] } };
    expect(columns.price).toEqual(price);
    const csv = await raw(`${server.url}${path}&format=csv`);
    expect(csv.body.toString().trimEnd().split('\n').length).toBe(rows + 1);
  });
});

describe('bounds', () => {
  it('turn away bodies that are too large, each and together', async () => {
    const server = await start({
      limits: { bodyBytesMax: 1_000, bodyBytesInFlightMax: 1_500, requestBytesMax: 100 },
    });
    await server.post('/api/v1/tables', { name: 'x' });
    const large = await server.post('/api/v1/write/trades', 'x'.repeat(1_001));
    expect([large.status, await large.json()]).toMatchObject([413, { code: 'LIMIT_EXCEEDED' }]);
    const query = await server.post('/api/v1/sql', { sql: `select '${'x'.repeat(200)}'` });
    expect(query.status).toBe(413);
    // A writer that has promised 900 bytes and sent none holds its share until it goes.
    const slow = connect(server.server.port, '127.0.0.1');
    slow.write('POST /api/v1/write/trades HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const crowded = await server.post('/api/v1/write/trades', 'x'.repeat(900));
    expect([crowded.status, await crowded.json()]).toMatchObject([429, { code: 'LIMIT_EXCEEDED' }]);
    slow.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await server.post('/api/v1/write/trades', 'x'.repeat(900))).status).toBe(404);
  });

  it('give back the share of a body that was answered before its end', async () => {
    const server = await start({ limits: { bodyBytesMax: 1_000, bodyBytesInFlightMax: 1_500 } });
    await server.post('/api/v1/tables', tradesTable);
    const head = 'POST /api/v1/write/trades HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n';
    // What begins as no gzip is refused at once, while most of it is still to come.
    const bytes = `${head}content-encoding: gzip\r\ncontent-length: 900\r\n\r\nno gzip at all`;
    for (let i = 0; i < 4; i++) {
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect(server.server.port, '127.0.0.1', () => socket.write(bytes));
        socket.once('data', (chunk) => {
          socket.destroy();
          resolve(String(chunk));
        });
        socket.on('error', reject);
      });
      expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*not gzip/);
    }
  });

  it('stop unpacking where a body becomes too large', async () => {
    const server = await start({ limits: { bodyBytesMax: 12_000_000 } });
    const member = gzipSync(Buffer.alloc(10_000_000));
    const bomb = Buffer.concat(Array.from({ length: 1_000 }, () => member));
    const headers = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    const answer = await raw(`${server.url}/api/v1/write/x`, { method: 'POST', headers, body: bomb });
    expect([answer.status, json(answer)]).toMatchObject([413, { code: 'LIMIT_EXCEEDED' }]);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { user, system } = process.cpuUsage(before);
    // Ten gigabytes of zeros would keep a thread busy for many seconds.
    expect((user + system) / 1000).toBeLessThan(300);
  });

  it('tell bytes that are not HTTP what is wrong', async () => {
    const server = await start();
    const answer = await rawBytes(server.server.port, 'HELLO\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toMatchObject({ code: 'SYNTAX' });
    const header = `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`;
    expect(await rawBytes(server.server.port, header)).toMatch(/^HTTP\/1\.1 431 /);
    const path = await rawBytes(
      server.server.port,
      'GET /%E0%A4 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n',
    );
    expect(path).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"INVALID_ARGUMENT"/);
  });
});

describe('the page', () => {
  it('is served with its policy, hashed files for a year', async () => {
    const root = await mkdtemp(join(tmpdir(), 'candela-page-'));
    await mkdir(join(root, 'assets'));
    await writeFile(join(root, 'index.html'), '<title>Candela</title>');
    await writeFile(join(root, 'assets', 'main-Bx3kQ9aZ.js'), `export const a = '${'a'.repeat(2_000)}';`);
    const server = await start({ webRoot: root });
    const page = await raw(`${server.url}/`);
    expect(page.body.toString()).toContain('Candela');
    expect(page.headers).toMatchObject({
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(
        /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/,
      ),
    });
    const script = await raw(`${server.url}/assets/main-Bx3kQ9aZ.js`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    expect(script.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-encoding': 'gzip',
    });
    expect(gunzipSync(script.body).toString()).toContain('export');
    for (const path of ['/nothing', '/../package.json', '/%2e%2e/package.json', '/assets/']) {
      expect((await raw(server.url + path)).status, path).toBeGreaterThanOrEqual(400);
    }
    await rm(root, { recursive: true });
  });

  it('is a line of text where there is none', async () => {
    const server = await start();
    expect((await raw(`${server.url}/`)).body.toString()).toContain('/api/v1/openapi.json');
  });
});

describe('monitoring', () => {
  it('says that writes are stopped, and why', async () => {
    const wrap = (database: Database) =>
      withMethods(database, { status: () => ({ ...database.status(), writesStopped: 'the disk is full' }) });
    const server = await start({ wrap });
    const health = await raw(`${server.url}/healthz`);
    expect([health.status, json(health)]).toEqual([
      503,
      { status: 'writes stopped', reason: 'the disk is full' },
    ]);
    expect((await raw(`${server.url}/metrics`)).body.toString()).toMatch(/^candela_writes_stopped 1$/m);
  });

  it('shows feeds, and made-up data only while it comes', async () => {
    const feed: FeedStatus = {
      name: 'sim',
      kind: 'twelvedata',
      simulated: true,
      state: 'connected',
      table: 'trades',
      symbols: ['A'],
      failedSymbols: [],
      rowsReceived: 12,
      rowsWritten: 11,
      rowsRejected: 1,
      reconnects: 0,
      lastEventMs: 1,
      lastError: null,
    };
    const calls: unknown[] = [];
    const change = async (name: string, symbols: string[]) => {
      calls.push([name, symbols]);
      return feed;
    };
    const server = await start({ feeds: { list: () => [feed], subscribe: change, unsubscribe: change } });
    expect(await server.json('/api/v1/status')).toMatchObject({ simulated: true, feeds: [{ name: 'sim' }] });
    const metrics = (await raw(`${server.url}/metrics`)).body.toString();
    expect(metrics).toMatch(/^# TYPE candela_feed_rows_written_total counter$/m);
    expect(metrics).toMatch(/^candela_feed_rows_written_total\{feed="sim"\} 11$/m);
    expect(await (await server.post('/api/v1/feeds/sim/subscribe', { symbols: ['B'] })).json()).toEqual(feed);
    expect((await server.post('/api/v1/feeds/sim/subscribe', { symbols: [] })).status).toBe(400);
    expect(calls).toEqual([['sim', ['B']]]);
    feed.state = 'stopped';
    expect(await server.json('/api/v1/status')).toMatchObject({ simulated: false });
  });
});

describe('closing', () => {
  it('lets running requests end, refuses new ones, and says good-bye on /ws', async () => {
    let release = (): void => undefined;
    const wrap = (database: Database) =>
      withMethods(database, {
        sql: async (text: string) => {
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          return database.sql(text);
        },
      });
    const server = await startTestServer({ wrap });
    const client = await openSocket(server.url);
    const goodbye = new Promise((resolve) =>
      client.socket.once('close', (code, reason) => resolve([code, String(reason)])),
    );
    const running = server.post('/api/v1/sql', { sql: 'select 42 as answer' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const closed = server.server.close();
    expect(await goodbye).toEqual([1001, 'the server is shutting down']);
    await expect(openSocket(server.url)).rejects.toThrow();
    release();
    expect(await (await running).json()).toMatchObject({ rows: [{ answer: 42 }] });
    await closed;
    await server.end();
  });

  it('does not wait for ever: what outlasts the bound is cut', async () => {
    const wrap = (database: Database) => withMethods(database, { sql: () => new Promise(() => undefined) });
    const server = await startTestServer({ wrap, limits: { closeMsMax: 200 } });
    const running = server.post('/api/v1/sql', { sql: 'select 1' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startMs = performance.now();
    const ended = server.end();
    await expect(running).rejects.toThrow();
    await ended;
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it('is told when the port is taken', async () => {
    const server = await start();
    const taken = startTestServer({ port: server.server.port });
    await expect(taken).rejects.toThrow(expect.objectContaining({ code: 'INVALID_CONFIG' }));
  });
});
