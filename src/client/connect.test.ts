import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/log.ts';
import type { Database, ReadRequest } from '../engine/database.ts';
import { open } from '../engine/open.ts';
import { type Batch, type ColumnSet, columnOf, valueAt } from '../market/columns.ts';
import type { TableDef } from '../market/schema.ts';
import { createAuthenticator, createToken, hashToken } from '../net/auth.ts';
import { type HttpServer, startHttpServer } from '../protocols/http/server.ts';
import { connect, type RemoteDatabase } from './connect.ts';
import { kindOfSqlType } from './wire-columns.ts';

const folder = mkdtempSync(join(tmpdir(), 'candela-client-'));
const token = createToken();
let database: Database;
let server: HttpServer;
let remote: RemoteDatabase;
let url: string;

beforeAll(async () => {
  database = await open({ directory: folder });
  server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    database,
    feeds: { list: () => [], subscribe: fail, unsubscribe: fail },
    authenticator: createAuthenticator([{ name: 'desk', role: 'admin', tokens: [hashToken(token)] }]),
    log: silentLogger,
    clock: systemClock,
    webRoot: null,
    version: '0',
  });
  url = `http://127.0.0.1:${server.port}`;
  remote = await connect({ url, token });
});

afterAll(async () => {
  await server.close();
  await database.close();
  rmSync(folder, { recursive: true, force: true });
});

function fail(): never {
  throw new Error('there are no feeds');
}

const table: TableDef = {
  name: 'all kinds',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol', 'venue'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
    { name: 'venue', type: { kind: 'int64' }, nullable: false },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'int64' } },
    { name: 'buy', type: { kind: 'boolean' } },
    { name: 'note', type: { kind: 'text' } },
    { name: 'extra', type: { kind: 'json' } },
    { name: 'seen', type: { kind: 'timestamp', unit: 'us', zone: true } },
  ],
};

/** Two rows with a value in every column and two with null wherever that may be. */
const columns: Batch['columns'] = {
  time: columnOf('timestamp', [1n, 2n, 1_700_000_000_123_456_789n, 1_700_000_000_123_456_790n]),
  symbol: columnOf('text', ['BTC/USD', 'ETH USD', 'BTC/USD', '株']),
  venue: columnOf('int64', [1n, 1n, 2n, 2n]),
  price: columnOf('double', [0.1, null, 1e-7, null]),
  size: columnOf('int64', [2n ** 63n - 1n, null, -5n, null]),
  buy: columnOf('boolean', [true, null, false, null]),
  note: columnOf('text', ['say "hi"\n', null, '', null]),
  extra: columnOf('text', ['{"a":[1]}', null, '[]', null]),
  seen: columnOf('timestamp', [1_700_000_000_123_456_000n, null, 1_700_000_000_000_000_000n, null]),
};

const names = table.columns.map(({ name }) => name);

function asSet(batch: Batch): ColumnSet {
  return { rowCount: batch.rowCount, names, columns: names.map((name) => batch.columns[name]) };
}

/** Dictionaries may differ in order: text columns compare by their values. */
function plain({ rowCount, names: read, columns: data }: ColumnSet): unknown {
  const texts = data.map((column) =>
    column.kind === 'text'
      ? Array.from(column.codes, (code) => (code < 0 ? null : column.dictionary[code]))
      : { ...column, ...('nulls' in column ? { nulls: column.nulls && [...column.nulls] } : {}) },
  );
  return { rowCount, names: read, texts };
}

describe('a table of every kind of column', () => {
  it('is made, written and read as with the database itself', async () => {
    expect(remote.table('all kinds')).toBeUndefined();
    await remote.createTable(table);
    expect(remote.table('all kinds')?.columns).toEqual(database.table('all kinds')?.columns);
    const batch = { rowCount: 4, columns };
    expect(await remote.write('all kinds', batch)).toMatchObject({ rowCount: 4, rejected: [] });
    const local = await database.read({ table: 'all kinds' });
    expect(plain(local)).toEqual(plain(asSet(batch)));
    const { cursor, ...read } = await remote.read({ table: 'all kinds' });
    expect(cursor).toBeNull();
    expect(plain(read)).toEqual(plain(local));
  });

  it('is read by series, range, limit, order and cursor', async () => {
    const requests: Partial<ReadRequest>[] = [
      { series: { symbol: 'BTC/*' } },
      { series: { symbol: ['株', 'ETH USD'], venue: 2n } },
      { fromNs: 2n, toNs: 1_700_000_000_123_456_790n },
      { limit: 2, order: 'desc', columns: ['time', 'price'] },
    ];
    for (const request of requests) {
      const both = { table: 'all kinds', ...request };
      expect(plain(await remote.read(both))).toEqual(plain(await database.read(both)));
    }
    const first = await remote.read({ table: 'all kinds', limit: 3 });
    const rest = await remote.read({ table: 'all kinds', limit: 3, cursor: String(first.cursor) });
    expect([first.rowCount, rest.rowCount, rest.cursor]).toEqual([3, 1, null]);
  });

  it('gets a column more', async () => {
    await remote.alterTable('all kinds', { addColumn: { name: 'more', type: { kind: 'double' } } });
    expect(remote.table('all kinds')?.version).toBe(2);
  });
});

describe('exact decimals', () => {
  it('keep each their own scale both ways', async () => {
    const money: TableDef = {
      name: 'money',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: [],
      columns: [table.columns[0], { name: 'amount', type: { kind: 'decimal' } }],
    };
    await remote.createTable(money);
    const amount = columnOf('decimal', [
      { coefficient: 110n, scale: 2 },
      null,
      { coefficient: 123456789n, scale: 8 },
    ]);
    const time = columnOf('timestamp', [1n, 2n, 3n]);
    await remote.write('money', { rowCount: 3, columns: { time, amount } });
    const { columns: read } = await remote.read({ table: 'money' });
    expect(read[1]).toEqual(amount);
  });
});

describe('bars', () => {
  it('are made and read at a stored and at a merged timeframe', async () => {
    const made = await remote.createCandles({
      source: 'all kinds',
      price: 'price',
      timeframes: ['1s', '1m'],
    });
    expect(made.map(({ name }) => name)).toEqual(['all kinds_1s', 'all kinds_1m']);
    for (const timeframe of ['1m', '5m']) {
      const request = { table: 'all kinds', timeframe, series: { symbol: 'BTC/USD' } };
      const read = await remote.bars(request);
      const local = await database.bars(request);
      expect(plain(read)).toEqual(plain(local));
      expect([read.rollup, read.rollupTimeframe, read.timeframe]).toEqual(['all kinds_1m', '1m', timeframe]);
    }
  });
});

describe('SQL', () => {
  it('gives what it gives in the process, types too', async () => {
    const text = `SELECT count(*) AS n, sum(price) AS total, max(time) AS latest, 1.50::DECIMAL(4,2) AS d,
      sum(size)::HUGEINT AS h, true AS yes, 'x' AS t, DATE '2024-05-17' AS day, NULL AS nothing FROM "all kinds"`;
    const read = await remote.sql(text);
    const local = await database.sql(text);
    expect(plain(read)).toEqual(plain(local));
    expect(read.types).toEqual(local.types);
    expect(read.columns.map(({ kind }) => kind)).toEqual(local.columns.map(({ kind }) => kind));
  });

  it('takes parameters and a bound on rows', async () => {
    const read = await remote.sql('SELECT * FROM range($1) AS r(i)', { parameters: [10], rowsMax: 4 });
    expect([read.rowCount, read.truncated]).toEqual([4, true]);
  });

  it('keeps columns of one name apart', async () => {
    const result = await remote.sql('SELECT 1 AS a, 2 AS a');
    expect(result.names).toEqual(['a', 'a_2']);
    expect(result.columns.map((column) => valueAt(column, 0))).toEqual([1n, 2n]);
  });
});

describe('errors', () => {
  it('are those of the server, with rows and position', async () => {
    await expect(remote.read({ table: 'nowhere' })).rejects.toMatchObject({
      code: 'TABLE_NOT_FOUND',
      kind: 'not-found',
    });
    await expect(remote.sql('SELEC 1')).rejects.toMatchObject({ code: 'SYNTAX' });
    const time = columnOf('timestamp', [1n, null]);
    const symbol = columnOf('text', ['A', 'A']);
    const batch = { rowCount: 2, columns: { time, symbol, venue: columnOf('int64', [1n, 1n]) } };
    await expect(remote.write('all kinds', batch)).rejects.toMatchObject({
      code: 'INVALID_ROWS',
      rows: [{ row: 1, column: 'time' }],
    });
    const { rowCount, rejected } = await remote.write('all kinds', batch, { onInvalid: 'skip' });
    expect([rowCount, rejected.length, rejected[0]?.row]).toEqual([1, 1, 1]);
  });

  it('tell a wrong address, a wrong token and a server that is not there', async () => {
    await expect(connect({ url: 'localhost:1' })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(connect({ url, token: 'wrong' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(connect({ url })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(connect({ url: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
    });
  });

  it('tell a server that is no Candela', async () => {
    const other = createServer((_, response) => response.writeHead(502).end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(connect({ url: `http://127.0.0.1:${port}` })).rejects.toThrow('answered 502');
    other.close();
  });
});

it('a large batch goes in parts, its rejected rows numbered through', async () => {
  const rowCount = 450_000;
  const time = new BigInt64Array(rowCount).map((_, row) => BigInt(row) * 1_000_000_000n);
  const nulls = new Uint8Array(rowCount);
  nulls[420_000] = 1;
  await remote.createTable({
    name: 'large',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: [],
    columns: [table.columns[0]],
  });
  const batch: Batch = { rowCount, columns: { time: { kind: 'timestamp', values: time, nulls } } };
  const result = await remote.write('large', batch, { onInvalid: 'skip' });
  expect(result.rowCount).toBe(rowCount - 1);
  expect(result.rejected).toMatchObject([{ row: 420_000, column: 'time' }]);
});

it('knows the kind of every type a query can have', async () => {
  const types = [
    'BOOLEAN',
    'TINYINT',
    'SMALLINT',
    'INTEGER',
    'BIGINT',
    'UTINYINT',
    'USMALLINT',
    'UINTEGER',
    'UBIGINT',
    'HUGEINT',
    'FLOAT',
    'DOUBLE',
    'DECIMAL(9,2)',
    'DATE',
    'TIMESTAMP',
    'TIMESTAMP_S',
    'TIMESTAMP_MS',
    'TIMESTAMP_NS',
    'TIMESTAMP WITH TIME ZONE',
    'VARCHAR',
    'JSON',
    'TIME',
    'UUID',
    'INTEGER[]',
    'INTERVAL',
  ];
  for (const type of types) {
    const { columns: read, types: named } = await database.sql(`SELECT NULL::${type} AS x`);
    expect([type, kindOfSqlType(named[0])]).toEqual([type, read[0].kind]);
  }
});
