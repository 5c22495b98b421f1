/** Requests that make no sense each get an answer that says what is wrong, in the server's own form. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ limits: { rowsMax: 5_000 } });
  await server.database.createTable(tradesTable);
});
afterAll(() => server.end());

/** Bytes on a bare connection, and the one answer to them. */
function answerTo(bytes: string): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.server.port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
      resolve({ status: Number(text.split(' ')[1]), body: JSON.parse(json) as Record<string, unknown> });
    });
  });
}

const host = 'host: localhost\r\nconnection: close\r\n';
const post = (path: string, body: string, type = 'application/json') =>
  `POST ${path} HTTP/1.1\r\n${host}content-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

describe('bytes that are no request', () => {
  it.each<[what: string, bytes: string, status: number, code: string, help: RegExp]>([
    ['another protocol', '*1\r\n$4\r\nPING\r\n', 400, 'SYNTAX', /scheme, port/],
    ['a method of nobody', `FOO / HTTP/1.1\r\n${host}\r\n`, 400, 'SYNTAX', /scheme, port/],
    [
      'large headers',
      `GET / HTTP/1.1\r\n${host}x: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'LIMIT_EXCEEDED',
      /fewer/,
    ],
    ['a long address', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 431, 'LIMIT_EXCEEDED', /POST/],
    ['% in a path', `GET /api/v1/tables/%zz HTTP/1.1\r\n${host}\r\n`, 400, 'INVALID_ARGUMENT', /%/],
    [
      '% in parameters',
      `GET /api/v1/ticks?table=%zz HTTP/1.1\r\n${host}\r\n`,
      400,
      'INVALID_ARGUMENT',
      /%25/,
    ],
    ['no UTF-8', `GET /api/v1/ticks?table=%ff HTTP/1.1\r\n${host}\r\n`, 400, 'INVALID_ARGUMENT', /UTF-8/],
    [
      'a long name',
      `GET /api/v1/tables/${'y'.repeat(2_000)} HTTP/1.1\r\n${host}\r\n`,
      400,
      'INVALID_ARGUMENT',
      /1000 characters/,
    ],
    ['no host', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'INVALID_ARGUMENT', /HTTP\/1.1/],
    ['an expectation', `GET / HTTP/1.1\r\n${host}expect: tea\r\n\r\n`, 417, 'UNSUPPORTED', /100-continue/],
    ['a proxy', `CONNECT a.example:80 HTTP/1.1\r\n${host}\r\n`, 404, 'ROUTE_NOT_FOUND', /openapi/],
    [
      'chunks without sizes',
      `POST /api/v1/sql HTTP/1.1\r\n${host}transfer-encoding: chunked\r\n\r\nzz`,
      400,
      'SYNTAX',
      /./,
    ],
    [
      'half an upgrade',
      'GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
      400,
      'INVALID_ARGUMENT',
      /WebSocket client/,
    ],
  ])('%s', async (_what, bytes, status, code, help) => {
    const answer = await answerTo(bytes);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(answer.body.message).toBeTruthy();
    expect(answer.body.help).toMatch(help);
  });
});

describe('bodies and parameters', () => {
  it.each<[what: string, bytes: string, code: string, message: RegExp]>([
    ['SQL without a statement', post('/api/v1/sql', '{"sql": ""}'), 'SYNTAX', /no SQL statement/],
    ['SQL of a comment', post('/api/v1/sql', '{"sql": " ; -- nothing"}'), 'SYNTAX', /no SQL statement/],
    ['a prototype', post('/api/v1/sql', '{"__proto__": {}}'), 'INVALID_ARGUMENT', /__proto__/],
    ['half a body', post('/api/v1/sql', '{"sql": "sel'), 'SYNTAX', /a string without end/],
    ['another body', post('/api/v1/tables', '[]'), 'INVALID_ARGUMENT', /body must be object/],
    ['half a table', post('/api/v1/tables', '{"name":"t"}'), 'INVALID_ARGUMENT', /required property 'kind'/],
    [
      'a field of nobody',
      post('/api/v1/candles', '{"source":"trades","price":"price","timeframes":["1m"],"timezone":"UTC"}'),
      'INVALID_ARGUMENT',
      /body must NOT have additional properties: timezone/,
    ],
    [
      'a kind of nobody',
      post('/api/v1/tables', '{"name":"t","kind":"heap","seriesKey":[],"columns":[]}'),
      'INVALID_ARGUMENT',
      /body\/kind .*: ticks, bars, state, plain/,
    ],
    [
      'something else for a list',
      post('/api/v1/candles', '{"source":"trades","price":"price","timeframes":{}}'),
      'INVALID_ARGUMENT',
      /body\/timeframes must be array/,
    ],
    [
      'parts of a calendar',
      post(
        '/api/v1/candles',
        '{"source":"trades","price":"price","timeframes":["1m"],"calendar":{"regular":5}}',
      ),
      'INVALID_ARGUMENT',
      /calendar/,
    ],
    ['more than SQL', post('/api/v1/sql', '{"sql":"select 1","limit":5}'), 'INVALID_ARGUMENT', /: limit/],
  ])('%s', async (_what, bytes, code, message) => {
    const { status, body } = await answerTo(bytes);
    expect([status, body.code]).toEqual([400, code]);
    expect(body.message).toMatch(message);
  });
});
