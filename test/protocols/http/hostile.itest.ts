/**
 * A running server against bytes that nobody should send. Whatever comes, it answers in its own form where HTTP leaves
 * room for an answer, never with a defect of its own, takes a bounded time and memory, and then serves the next one.
 *
 * CANDELA_SEED runs one seed again, CANDELA_REQUESTS sets how many.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createPrng } from '../../../src/core/prng.ts';
import { type CandelaServer, scratchFolder, startCandela } from '../../support/candela.ts';
import { damage, hostileRequest, pick, randomBytes } from './hostile-bytes.ts';
import { tradesTable } from './support.ts';

const seed = Number(process.env.CANDELA_SEED ?? Date.now() % 2 ** 31);
const requests = Number(process.env.CANDELA_REQUESTS ?? 1_000);
/** What the process may hold at the most, and by how much it may grow once it is warm. */
const residentBytesMax = 1_200e6;
const growthBytesMax = 250e6;
const patienceMs = 100;

const { folder, remove } = scratchFolder('hostile');
let server: CandelaServer;

beforeAll(async () => {
  server = await startCandela(folder, ['--no-feed', '--memory-budget', '32MiB', '--log-level', 'warn']);
  const made = [
    ['/tables', tradesTable],
    ['/candles', { source: 'trades', price: 'price', timeframes: ['1s', '1m'] }],
    ['/write/trades', [{ time: 1_715_938_200, symbol: 'A', price: 1 }]],
  ] as const;
  for (const [path, body] of made) expect((await post(path, JSON.stringify(body))).status).toBe(200);
});
afterAll(async () => {
  expect(server.process.exitCode).toBeNull();
  expect(await server.end('SIGTERM')).toBe(0);
  remove();
});

function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const json = { 'content-type': 'application/json', ...headers };
  return fetch(`${server.url}/api/v1${path}`, { method: 'POST', headers: json, body });
}

/** Everything that comes back on a connection of its own; throws if the server keeps it open in silence. */
function exchange(bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let patience: NodeJS.Timeout | undefined;
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(bytes);
      // What is no whole request has to end; to a server that has one in hand, an end says that nobody waits for it.
      patience = setTimeout(() => socket.end(), patienceMs);
    });
    socket.setTimeout(10_000, () => socket.destroy(new Error('the server keeps silent')));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      patience?.refresh();
    });
    // Whoever answers before all has arrived may cut the rest off.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (['ECONNRESET', 'EPIPE'].includes(error.code ?? ''))
        resolve(Buffer.concat(chunks).toString('latin1'));
      else reject(error);
    });
    socket.on('close', () => clearTimeout(patience));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** What is wrong with the answers to one connection; null if nothing is. */
function complaint(answers: string): string | null {
  const wrong = answers.split(/(?=HTTP\/1\.1 \d{3} )/).map(complaintOf);
  return wrong.find((text) => text !== null) ?? null;
}

function complaintOf(answer: string): string | null {
  if (answer === '') return null;
  const [head] = answer.split('\r\n\r\n', 1);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (!status) return 'no status';
  if (status < 400 || /^content-encoding: gzip/im.test(head)) return null;
  if (/\b(INTERNAL|BUG)\b/.test(answer)) return 'a defect';
  // HEAD has no body.
  const body = answer.slice(head.length + 4);
  if (body === '') return null;
  const json = /\{[\s\S]*\}/.exec(body)?.[0] ?? '';
  try {
    const { code, message, help } = JSON.parse(json) as Record<string, unknown>;
    return [code, message, help].every((text) => typeof text === 'string' && text !== '')
      ? null
      : 'another form';
  } catch {
    return 'no JSON';
  }
}

async function residentBytes(): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
}

/** A request like any other: a row in, and the same row out. */
async function expectWell(): Promise<void> {
  const row = gzipSync('[{"time":1715938201,"symbol":"well","price":2}]');
  const written = await post('/write/trades', row, { 'content-encoding': 'gzip' });
  expect(written.status).toBe(200);
  const read = await fetch(`${server.url}/api/v1/latest?table=trades&symbol=well`);
  expect(await read.json()).toMatchObject({ rows: [{ symbol: 'well', price: 2 }] });
}

describe(`seed ${seed}`, () => {
  it(`${requests} damaged requests are answered, or refused, one by one`, async () => {
    const prng = createPrng(seed);
    let silent = 0;
    let warmBytes = 0;
    for (let i = 0; i < requests; i++) {
      const { what, bytes } = hostileRequest(prng);
      const answer = await exchange(bytes);
      if (answer === '') silent++;
      const wrong = complaint(answer);
      if (wrong !== null)
        throw new Error(`request ${i} of seed ${seed}, ${what}: ${wrong}: ${answer.slice(0, 500)}`);
      expect((await fetch(`${server.url}/healthz`)).status, `after request ${i}, ${what}`).toBe(200);
      if (i === Math.floor(requests / 3)) warmBytes = await residentBytes();
    }
    await expectWell();
    expect(silent / requests).toBeLessThan(0.05);
    expect((await residentBytes()) - warmBytes).toBeLessThan(growthBytesMax);
  });

  it('every route tells what it cannot do with a body of another kind', async () => {
    const { paths } = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/, 'none')]),
    );
    expect(routes.length).toBeGreaterThan(15);
    for (const [method, path] of routes) {
      if (method === 'GET') continue;
      for (const body of ['null', '[]', '"x"', '{}', '{"a":{}}', '[null]', '5', '{"name":null,"sql":[]}']) {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(server.url + path, { method, headers, body });
        const told = await answer.text();
        expect(answer.status, `${method} ${path} ${body}: ${told}`).not.toBe(500);
        if (!answer.ok)
          expect(JSON.parse(told)).toMatchObject({ code: expect.any(String), help: expect.any(String) });
      }
    }
  });

  it('damaged messages on /ws are answered, or end the connection with a reason', async () => {
    const prng = createPrng(seed);
    const good = JSON.stringify({
      op: 'subscribe',
      id: 'a',
      table: 'trades',
      timeframe: '1m',
      symbols: ['A'],
      snapshot: 5,
    });
    for (let round = 0; round < 20; round++) {
      const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`);
      const events: { type?: string; error?: { code: string; message: string; help: string } }[] = [];
      socket.on('message', (data) => events.push(JSON.parse(String(data))));
      const closed = new Promise((resolve) => socket.on('close', resolve));
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.on('open', resolve));
      for (let i = 0; i < 50; i++) {
        const text = pick(prng, [
          () => damage(prng, Buffer.from(good)),
          () => Buffer.from('['.repeat(1 + prng.below(60_000))),
          () =>
            Buffer.from(
              good.replace(/"[^"]*"(?=[,}\]])/, pick(prng, ['null', '5', '{}', '[]', '"x"', '1e999'])),
            ),
          () => randomBytes(prng, prng.below(200)),
        ])();
        socket.send(text, { binary: prng.below(5) === 0 });
      }
      socket.send('{"op":"ping"}');
      const answered = waitFor(() => events.some(({ type }) => type === 'pong'));
      await Promise.race([answered, closed]);
      socket.terminate();
      const errors = events.flatMap(({ error }) => (error ? [error] : []));
      expect(errors.every(({ code, message, help }) => code && code !== 'INTERNAL' && message && help)).toBe(
        true,
      );
    }
    await expectWell();
  });

  it('frames that are none end the connection', async () => {
    const prng = createPrng(seed);
    const upgrade = [
      'GET /ws HTTP/1.1', 'host: localhost', 'connection: upgrade', 'upgrade: websocket',
      'sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', '',
    ].join('\r\n'); // biome-ignore format: a header a word
    const frames: Record<string, Buffer> = {
      'a length of 2^63': Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      'a message of a gigabyte': Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4]),
      'no mask': Buffer.from([0x81, 0x02, 0x68, 0x69]),
      'reserved bits': Buffer.from([0xf1, 0x80, 1, 2, 3, 4]),
      'an opcode of nobody': Buffer.from([0x8f, 0x80, 1, 2, 3, 4]),
      'a long ping': Buffer.from([0x89, 0xfe, 0x01, 0x00, 1, 2, 3, 4]),
      'a piece of nothing': Buffer.from([0x80, 0x80, 1, 2, 3, 4]),
      'no UTF-8': Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]),
      noise: randomBytes(prng, 2_000),
    };
    for (const [what, frame] of Object.entries(frames)) {
      const answer = await exchange(Buffer.concat([Buffer.from(upgrade), frame]));
      expect(answer, what).toMatch(/^HTTP\/1\.1 101 /);
    }
    await expectWell();
  });
});

describe('sizes', () => {
  it('a body that is too large is refused before it is read', async () => {
    const head = 'POST /api/v1/write/trades HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n';
    const promised = await exchange(Buffer.from(`${head}content-length: 99999999999\r\n\r\ntime`));
    expect(promised).toMatch(/^HTTP\/1\.1 413 [\s\S]*LIMIT_EXCEEDED/);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    const endless = await exchange(
      Buffer.from(`${head}transfer-encoding: chunked\r\n\r\n${chunk.repeat(1_100)}`),
    );
    expect(endless).toMatch(/^HTTP\/1\.1 413 [\s\S]*LIMIT_EXCEEDED/);
  });

  it('a bomb is not unpacked to its end', async () => {
    const member = gzipSync(Buffer.alloc(50_000_000, 'a,b\n'));
    const bomb = Buffer.concat(Array.from({ length: 200 }, () => member));
    for (const [path, type] of [
      ['/write/trades', 'text/csv'],
      ['/sql', 'application/json'],
    ]) {
      const answer = await post(path, bomb, { 'content-type': type, 'content-encoding': 'gzip' }).catch(
        () => null,
      );
      // A server that has answered closes, and a client that still writes may miss the answer.
      if (answer)
        expect([answer.status, await answer.json()]).toMatchObject([413, { code: 'LIMIT_EXCEEDED' }]);
    }
    await expectWell();
    expect(await residentBytes()).toBeLessThan(residentBytesMax);
  });

  it('connections that are left, or never used, are no burden', async () => {
    const sockets = Array.from({ length: 300 }, (_, i) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      if (i % 3 === 1) socket.write('GET / HTTP/1.1\r\nhost: loc');
      if (i % 3 === 2)
        socket.write('POST /api/v1/write/trades HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999\r\n\r\n[');
      return socket;
    });
    await waitFor(() => sockets.every(({ readyState }) => readyState === 'open'));
    await expectWell();
    for (const socket of sockets) socket.destroy();
    await expectWell();
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; waitedMs < 10_000 && !condition(); waitedMs += 10) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(condition()).toBe(true);
}
