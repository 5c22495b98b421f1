/** Bytes that nobody should send: valid requests, damaged at random. The same seed gives the same bytes. */
import { gzipSync } from 'node:zlib';
import { tableFromArrays, tableToIPC } from 'apache-arrow';
import type { Prng } from '../../../src/core/prng.ts';

/** One request: what is wrong with it, and its bytes. */
export interface HostileRequest {
  what: string;
  bytes: Buffer;
}

const arrow = Buffer.from(
  tableToIPC(tableFromArrays({ time: [1_715_938_200_000], symbol: ['A'], price: [1.5] }), 'stream'),
);

const json = 'application/json';
const row = { time: 1_715_938_200_123, symbol: 'A', price: 1.5, size: 2 };
const table = {
  name: 't',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['s'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
    { name: 's', type: { kind: 'text' } },
  ],
};
const rollup = {
  name: 'r',
  source: 'trades',
  timeframe: '1m',
  aggregates: [{ name: 'high', fn: 'max', of: 'price' }],
  calendar: 'XNYS',
};
const candles = { source: 'trades', price: 'price', timeframes: ['1m', '1h'], timeZone: 'Asia/Tokyo' };
const query = {
  sql: 'select symbol, max(price) from trades where price > $1 group by 1',
  parameters: [1],
  rowsMax: 5,
};

/** Bodies that would do, by where they go. */
const bodies: [path: string, type: string, body: string | Buffer][] = [
  ['/api/v1/write/trades', json, JSON.stringify([row])],
  ['/api/v1/write/trades', json, JSON.stringify({ columns: { time: [1, 2], symbol: 'A', price: [1.5, 2] } })],
  ['/api/v1/write/trades?onInvalid=skip', 'application/x-ndjson', `${JSON.stringify(row)}\n{"time":2}\n`],
  [
    '/api/v1/write/trades',
    'text/csv',
    'time,symbol,price\n2024-05-17T09:30:00Z,A,1.5\n1715938200,"B ""b""",2\n',
  ],
  ['/api/v1/write/trades', 'application/vnd.apache.arrow.stream', arrow],
  ['/api/v1/sql', json, JSON.stringify(query)],
  ['/api/v1/tables', json, JSON.stringify(table)],
  ['/api/v1/rollups', json, JSON.stringify(rollup)],
  ['/api/v1/candles', json, JSON.stringify(candles)],
  ['/api/v1/feeds/none/subscribe', json, '{"symbols":["AAPL"]}'],
  ['/api/v1/backup', json, '{"name":"monday"}'],
  ['/api/v1/sign-in', json, '{"user":"desk","password":"guess"}'],
];

/** Values for where something else is expected. */
const oddities = [
  'null', 'true', '{}', '[]', '""', '"\\u0000"', '"\\ud800"', '-0', '1e999', '-1e-999', '99999999999999999999999',
  '9007199254740993', '0x10', 'NaN', 'Infinity', '"1e400"', '"9999-12-31"', '"-271821-04-20"', '"../../etc/passwd"',
  "\"'; drop table trades; --\"", '[[[[1]]]]', '{"a":{"b":{"c":1}}}', '"%s%n"', '"＇"', '1715938200.123456789123',
]; // biome-ignore format: a list

const addresses = [
  '/', '/healthz', '/metrics', '/api/v1/status', '/api/v1/tables', '/api/v1/tables/trades', '/api/v1/sql?q=select+1',
  '/api/v1/ticks?table=trades', '/api/v1/bars?table=trades&timeframe=1m', '/api/v1/latest?table=trades',
  '/api/v1/symbols?table=trades', '/api/v1/tables/trades/gaps', '/udf/config', '/udf/search?query=A',
  '/udf/history?symbol=A&resolution=1&from=0&to=1', '/ws', '/assets/x.js',
]; // biome-ignore format: a list

const parameters = [
  'table', 'timeframe', 'symbol', 'from', 'to', 'limit', 'order', 'columns', 'cursor', 'format', 'time', 'live',
  'timeZone', 'calendar', 'weekStart', 'stamp', 'gaps', 'flags', 'min', 'q', 'rowsMax', 'timeoutMs', 'resolution',
  'countback', '__proto__', 'constructor', '',
]; // biome-ignore format: a list

const values = [
  '', '%', '%zz', '%00', '%ff', '%F0%9F%92%A9', '-1', '1e9', '1e400', 'NaN', '99999999999999999999', '*', '**', ',',
  '0', '1mo', '1000000y', '0s', '-5m', '9999-99-99', '-9223372036854775808', 'asc,desc', 'Mars/Phobos', 'XXXX',
  'a'.repeat(5_000), '\'"`;--', '../../etc/passwd', '1715938200', '%5B%7B', 'true', 'undefined',
]; // biome-ignore format: a list

const methods = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'BREW',
  'get',
  '',
];

/** Picks one of a list. */
export function pick<T>(prng: Prng, list: readonly T[]): T {
  return list[prng.below(list.length)];
}

/** The next request of a stream. */
export function hostileRequest(prng: Prng): HostileRequest {
  const make = pick(prng, [
    noise,
    damaged,
    badBody,
    badBody,
    badBody,
    badBody,
    badAddress,
    badAddress,
    badHeaders,
  ]);
  return make(prng);
}

function noise(prng: Prng): HostileRequest {
  return { what: 'noise', bytes: randomBytes(prng, 1 + prng.below(4_096)) };
}

/** A whole request with some bytes changed, doubled, or missing. */
function damaged(prng: Prng): HostileRequest {
  const [path, type, body] = pick(prng, bodies);
  return {
    what: `damaged ${path}`,
    bytes: damage(prng, request('POST', path, [`content-type: ${type}`], body)),
  };
}

/** A request as it should be, whose body is not. */
function badBody(prng: Prng): HostileRequest {
  const [path, type, body] = pick(prng, bodies);
  const bad = pick(prng, [damage, cut, swap, swap, swap, deep, long, packed])(prng, Buffer.from(body));
  const otherType = prng.below(10) === 0 ? pick(prng, bodies)[1] : type;
  const headers = [`content-type: ${otherType}`];
  if (bad[0] === 0x1f || prng.below(20) === 0) headers.push('content-encoding: gzip');
  return {
    what: `body to ${path}: ${bad.toString('latin1', 0, 200)}`,
    bytes: request('POST', path, headers, bad),
  };
}

function badAddress(prng: Prng): HostileRequest {
  const address = pick(prng, addresses);
  const extras = Array.from(
    { length: 1 + prng.below(3) },
    () => `${pick(prng, parameters)}=${pick(prng, values)}`,
  );
  const path = `${address}${address.includes('?') ? '&' : '?'}${extras.join('&')}`;
  const method = prng.below(4) === 0 ? pick(prng, methods) : 'GET';
  return { what: `${method} ${path.slice(0, 300)}`, bytes: request(method, path, [], '') };
}

function badHeaders(prng: Prng): HostileRequest {
  const [path, type, body] = pick(prng, bodies);
  const bad = pick(prng, [
    'content-length: -1', 'content-length: 5\r\ncontent-length: 6', 'content-length: 99999999999999999999',
    'transfer-encoding: chunked\r\ncontent-length: 3', 'transfer-encoding: gzip', 'content-type: ;;;', 'content-type:',
    'content-encoding: br', 'content-encoding: gzip, gzip', 'expect: everything', 'authorization: Basic !!!',
    'authorization: Bearer', `authorization: Basic ${'A'.repeat(8_000)}`, `cookie: ${'x'.repeat(15_000)}`,
    `x: ${'y'.repeat(30_000)}`, 'host: evil.example', 'host:', 'accept-encoding: gzip;q=x,,,', 'range: bytes=-1',
    'upgrade: websocket\r\nconnection: upgrade', 'upgrade: h2c\r\nconnection: upgrade', 'x y: z', ' folded: header',
    Array.from({ length: 300 }, (_, i) => `h${i}: v`).join('\r\n'),
  ]); // biome-ignore format: a list
  return {
    what: `header ${bad.slice(0, 100)}`,
    bytes: request('POST', path, [`content-type: ${type}`, bad], body),
  };
}

function request(method: string, path: string, headers: string[], body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = [`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close', ...headers];
  if (bytes.length > 0 && !headers.some((header) => /^(content-length|transfer)/.test(header)))
    head.push(`content-length: ${bytes.length}`);
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes]);
}

/** Some bytes changed, doubled or taken out. */
export function damage(prng: Prng, bytes: Buffer): Buffer {
  let damagedBytes = Buffer.from(bytes);
  for (let times = 1 + prng.below(5); times > 0; times--) {
    const at = prng.below(damagedBytes.length + 1);
    const end = Math.min(damagedBytes.length, at + prng.below(8));
    const filler = pick(prng, [Buffer.alloc(0), randomBytes(prng, 3), damagedBytes.subarray(at, end)]);
    damagedBytes = Buffer.concat([
      damagedBytes.subarray(0, end),
      filler,
      damagedBytes.subarray(end + prng.below(3)),
    ]);
  }
  return damagedBytes;
}

function cut(prng: Prng, bytes: Buffer): Buffer {
  return bytes.subarray(0, prng.below(bytes.length));
}

/** A value, or a cell, in the place of another. */
function swap(prng: Prng, bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const found = [...text.matchAll(/"[^"]*"|\[[^[\]]*\]|\{[^{}]*\}|[\w.]+/g)];
  if (found.length === 0) return bytes;
  const { index, 0: old } = pick(prng, found);
  return Buffer.from(text.slice(0, index) + pick(prng, oddities) + text.slice(index + old.length), 'latin1');
}

function deep(prng: Prng): Buffer {
  const depth = 1 + prng.below(200_000);
  return Buffer.from(pick(prng, ['[', '{"a":', '[{"columns":', '(']).repeat(depth).slice(0, 900_000));
}

function long(prng: Prng): Buffer {
  const text = pick(prng, ['a', '9', ' ', ',', '\n', '"', '🕯']).repeat(1 + prng.below(300_000));
  return Buffer.from(
    pick(prng, [text, `{"sql":"select '${text}'"}`, `[{"symbol":"${text}"}]`, `{"name":"${text}"}`]),
  );
}

function packed(prng: Prng, bytes: Buffer): Buffer {
  const whole = gzipSync(bytes);
  return pick(prng, [
    whole,
    cut(prng, whole),
    Buffer.concat([whole, whole]),
    Buffer.concat([whole, randomBytes(prng, 9)]),
  ]);
}

/** Bytes of any value. */
export function randomBytes(prng: Prng, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => prng.below(256)));
}
