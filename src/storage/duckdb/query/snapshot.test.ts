import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { columnOf, type Scalar } from '../../../market/columns.ts';
import { rowsOf, type Tick, tickColumns, ticks } from '../../cases/fixtures.ts';
import type { QueryResult, Storage, StorageOp, StoredTable } from '../../storage.ts';
import { openDuckDbStorage } from '../duckdb-storage.ts';

const limits = { rowsMax: 1000, timeoutMs: 10_000 };

const dictionary: StoredTable = {
  id: 1,
  columns: [
    { name: '_series', type: { kind: 'int32' }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
  ],
  roles: null,
};

const setUp: StorageOp[] = [
  { op: 'create-table', table: dictionary },
  {
    op: 'append',
    table: 1,
    columns: [columnOf('int64', [1n, 2n]), columnOf('text', ['AAPL', 'MSFT'])],
    rowCount: 2,
  },
  { op: 'create-table', table: ticks },
  {
    op: 'put-view',
    view: {
      name: 'Ticks',
      columns: [
        { name: 'time', source: { from: 'row', column: 'time' } },
        { name: 'symbol', source: { from: 'series', column: 'symbol' } },
        { name: 'price', source: { from: 'row', column: 'price' } },
      ],
      tables: [ticks.id],
      seriesTable: 1,
    },
  },
];

function append(...rows: Tick[]): StorageOp {
  return { op: 'append', table: ticks.id, columns: tickColumns(rows), rowCount: rows.length };
}

let root = '';
let opened = 0;
let storage: Storage;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-sql-'));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  storage = await openDuckDbStorage({ directory: join(root, String(opened++)), log: silentLogger });
  await storage.commit(setUp);
});
afterEach(() => storage.close());

async function query(text: string, ...parameters: Scalar[]): Promise<QueryResult> {
  const snapshot = await storage.snapshot();
  try {
    return await snapshot.query(text, parameters, limits);
  } finally {
    await snapshot.close();
  }
}

async function rows(text: string, ...parameters: Scalar[]): Promise<Scalar[][]> {
  return rowsOf(await query(text, ...parameters));
}

describe('views', () => {
  it('join the dictionary and hide what is not named', async () => {
    await storage.commit([append([1, 1000n, 1n, 5], [2, 2000n, 2n, null])]);
    const result = await query('SELECT * FROM ticks ORDER BY time');
    expect(result.names).toEqual(['time', 'symbol', 'price']);
    expect(rowsOf(result)).toEqual([
      [1000n, 'AAPL', 5],
      [2000n, 'MSFT', null],
    ]);
  });

  it('show several tables as one', async () => {
    const names = ['open', 'sum', 'compensation', 'weight'];
    const bars = (id: number): StoredTable => ({
      id,
      columns: [
        ...ticks.columns.slice(0, 3),
        ...names.map((name) => ({ name, type: { kind: 'double' } as const, nullable: true })),
      ],
      roles: ticks.roles,
    });
    const row = (id: number, version: bigint, values: (number | null)[]): StorageOp => {
      const columns = [
        ...tickColumns([[1, 0n, version, 0]]).slice(0, 3),
        ...values.map((v) => columnOf('double', [v])),
      ];
      return { op: 'append', table: id, columns, rowCount: 1 };
    };
    await storage.commit([
      { op: 'create-table', table: bars(20) },
      { op: 'create-table', table: bars(21) },
      row(20, 1n, [1, 6, 0.5, 2]),
      row(21, 2n, [2, 6, 0, 0]),
      row(21, 3n, [3, null, 0, 4]),
      {
        op: 'put-view',
        view: {
          name: 'bars "1m"',
          columns: [
            { name: 'symbol', source: { from: 'series', column: 'symbol' } },
            { name: 'open', source: { from: 'row', column: 'open' } },
            {
              name: 'vwap',
              source: { from: 'ratio', numerator: ['sum', 'compensation'], denominator: ['weight'] },
            },
            { name: 'total', source: { from: 'sum', terms: ['sum', 'compensation'] } },
          ],
          tables: [20, 21],
          seriesTable: 1,
        },
      },
    ]);
    expect(await rows('SELECT * FROM "bars ""1m""" ORDER BY open')).toEqual([
      ['AAPL', 1, 3.25, 6.5],
      ['AAPL', 2, null, 6],
      ['AAPL', 3, null, null],
    ]);
  });

  it('can be replaced and dropped', async () => {
    const view = { name: 'symbols', tables: [1], seriesTable: null };
    const column = (name: string, from: string) => ({ name, source: { from: 'row' as const, column: from } });
    await storage.commit([{ op: 'put-view', view: { ...view, columns: [column('a', 'symbol')] } }]);
    await storage.commit([{ op: 'put-view', view: { ...view, columns: [column('b', 'symbol')] } }]);
    expect(await rows('SELECT b FROM symbols ORDER BY b')).toEqual([['AAPL'], ['MSFT']]);
    await storage.commit([{ op: 'drop-view', name: 'symbols' }]);
    await expect(query('SELECT b FROM symbols')).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
    const again = storage.commit([{ op: 'drop-view', name: 'symbols' }]);
    await expect(again).rejects.toMatchObject({ code: 'TABLE_NOT_FOUND' });
  });
});

describe('result types', () => {
  it.each<[string, string, Scalar]>([
    ['1::TINYINT', 'TINYINT', 1n],
    ['-40000::INTEGER', 'INTEGER', -40000n],
    ['4294967295::UINTEGER', 'UINTEGER', 4294967295n],
    ['9223372036854775807', 'BIGINT', 2n ** 63n - 1n],
    ['18446744073709551615::UBIGINT', 'UBIGINT', { coefficient: 2n ** 64n - 1n, scale: 0 }],
    [
      '(-170141183460469231731687303715884105728)::HUGEINT',
      'HUGEINT',
      { coefficient: -(2n ** 127n), scale: 0 },
    ],
    ['1.50', 'DECIMAL(3,2)', { coefficient: 150n, scale: 2 }],
    // The form in which decimals of no declared scale are kept is shown without zeros at the end.
    ['(-0.1)::DECIMAL(38,20)', 'DECIMAL(38,20)', { coefficient: -1n, scale: 1 }],
    ['1200::DECIMAL(38,20)', 'DECIMAL(38,20)', { coefficient: 1200n, scale: 0 }],
    ['0::DECIMAL(38,20)', 'DECIMAL(38,20)', { coefficient: 0n, scale: 0 }],
    ['1e-20::DECIMAL(38,20)', 'DECIMAL(38,20)', { coefficient: 1n, scale: 20 }],
    [
      "'1.00000000000000001000'::DECIMAL(38,20)",
      'DECIMAL(38,20)',
      { coefficient: 10n ** 17n + 1n, scale: 17 },
    ],
    ['0.5::FLOAT', 'FLOAT', 0.5],
    ['0.1::DOUBLE', 'DOUBLE', 0.1],
    ['true', 'BOOLEAN', true],
    ["'text'", 'VARCHAR', 'text'],
    ['\'{"a": 1}\'::JSON', 'JSON', '{"a": 1}'],
    ["DATE '2024-05-17'", 'DATE', 1715904000000000000n],
    ["TIMESTAMP '2024-05-17 09:30:00.000001'", 'TIMESTAMP', 1715938200000001000n],
    ["TIMESTAMPTZ '2024-05-17 09:30:00+08:00'", 'TIMESTAMP WITH TIME ZONE', 1715909400000000000n],
    ["'1969-12-31 23:59:59.999999999'::TIMESTAMP_NS", 'TIMESTAMP_NS', -1n],
    ["'2024-05-17 09:30:00'::TIMESTAMP_S", 'TIMESTAMP_S', 1715938200000000000n],
    ["INTERVAL '1 day 2 hours'", 'INTERVAL', '1 day 02:00:00'],
    ["TIME '09:30:00'", 'TIME', '09:30:00'],
    ['[1, NULL, 3]', 'INTEGER[]', '[1, NULL, 3]'],
    ["{'a': 1, 'b': 'x'}", 'STRUCT("a" INTEGER, "b" VARCHAR)', "{'a': 1, 'b': x}"],
    ["'a'::ENUM('a', 'b')", "ENUM('a', 'b')", 'a'],
    ["'\\xAA'::BLOB", 'BLOB', '\\xAA'],
    ['NULL', 'INTEGER', null],
  ])('%s is %s', async (expression, type, value) => {
    const result = await query(`SELECT ${expression} AS v UNION ALL SELECT NULL`);
    expect(result.types).toEqual([type]);
    expect(result.names).toEqual(['v']);
    expect(rowsOf(result)).toEqual([[value], [null]]);
  });

  it('keeps names that repeat', async () => {
    const result = await query('SELECT 1 AS a, 2 AS a, 3');
    expect(result.names).toEqual(['a', 'a', '3']);
    expect(rowsOf(result)).toEqual([[1n, 2n, 3n]]);
  });

  it('refuses dates beyond nanoseconds', async () => {
    await expect(query("SELECT DATE '9999-12-31'")).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('queries', () => {
  it('bind parameters of every kind', async () => {
    const values: Scalar[] = [
      1.5,
      7,
      2n ** 40n,
      2n ** 100n,
      "it's",
      true,
      null,
      { coefficient: 1250n, scale: 3 },
    ];
    const list = values.map((_, i) => `$${i + 1} AS p${i}`).join(', ');
    expect(await rows(`SELECT ${list}`, ...values)).toEqual([
      [
        1.5,
        7n,
        2n ** 40n,
        { coefficient: 2n ** 100n, scale: 0 },
        "it's",
        true,
        null,
        { coefficient: 1250n, scale: 3 },
      ],
    ]);
  });

  it('take parameters where a type is expected', async () => {
    await storage.commit([append([1, 1715938200000000000n, 1n, 5], [1, 1715938201000000000n, 2n, 6])]);
    const text = 'SELECT price FROM ticks WHERE time >= ? AND symbol = ? ORDER BY time LIMIT ?';
    expect(await rows(text, '2024-05-17T09:30:01Z', 'AAPL', 3)).toEqual([[6]]);
    const missing = query(text, 'a');
    await expect(missing).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('3'),
    });
  });

  it.each([
    'SELECT 1;',
    'SELECT 1; -- done; really',
    `SELECT 1 AS "a;b" /* ; */ WHERE ';' = $$;$$ AND E'\\';' <> $tag$;$tag$ -- ;`,
  ])('allow semicolons: %s', async (text) => {
    expect(await rows(text)).toEqual([[1n]]);
  });

  it('keep the order asked for and cut at the limit', async () => {
    const snapshot = await storage.snapshot();
    const text = 'SELECT i FROM range(1000000) t(i) ORDER BY i % 7 DESC, i DESC';
    const result = await snapshot.query(text, [], { rowsMax: 3, timeoutMs: 10_000 });
    expect(rowsOf(result)).toEqual([[999998n], [999991n], [999984n]]);
    expect(result).toMatchObject({ truncated: true, rowCount: 3 });
    const whole = await snapshot.query('SELECT * FROM range(3)', [], { rowsMax: 3, timeoutMs: 10_000 });
    expect(whole).toMatchObject({ truncated: false, rowCount: 3 });
    await snapshot.close();
  });

  it('read a large result whole', async () => {
    const snapshot = await storage.snapshot();
    const text = "SELECT i, i * 0.5::DOUBLE AS d, 'n' || (i % 300) AS s FROM range(300000) t(i)";
    const { columns } = await snapshot.query(text, [], { rowsMax: 1_000_000, timeoutMs: 10_000 });
    await snapshot.close();
    const [integers, doubles, texts] = columns;
    expect([integers.kind, doubles.kind, texts.kind]).toEqual(['int64', 'double', 'text']);
    for (let row = 0; row < 300_000; row += 997) {
      expect(integers.kind === 'int64' && integers.values[row]).toBe(BigInt(row));
      expect(doubles.kind === 'double' && doubles.values[row]).toBe(row / 2);
      expect(texts.kind === 'text' && texts.dictionary[texts.codes[row]]).toBe(`n${row % 300}`);
    }
  });

  it.each([
    ['DESCRIBE ticks', 'time'],
    ['SUMMARIZE ticks', 'time'],
    ['SHOW TABLES', 'Ticks'],
    ['EXPLAIN SELECT * FROM ticks', 'physical_plan'],
    ['/* why */ EXPLAIN ANALYZE SELECT * FROM ticks', 'analyzed_plan'],
    ['VALUES (1)', 1n],
    ['FROM range(3)', 0n],
    ['PIVOT (SELECT 1 AS a, 2 AS b) ON a IN (1) USING sum(b)', { coefficient: 2n, scale: 0 }],
    ['WITH x AS (SELECT 5) FROM x', 5n],
  ])('run %s', async (text, first) => {
    expect((await rows(text))[0][0]).toEqual(first);
  });

  it.each<[string, string, number | undefined]>([
    ['SELEC 1', 'SYNTAX', 0],
    ['SELECT 1 FRM x y', 'SYNTAX', 13],
    ["SELECT '🕯é' , FROM WHERE", 'SYNTAX', 20],
    ['EXPLAIN SELECT 1 1', 'SYNTAX', 17],
    ['', 'SYNTAX', 0],
    ['SELECT 1; SELECT 2', 'UNSUPPORTED', undefined],
    ['SELECT * FROM nowhere', 'TABLE_NOT_FOUND', 14],
    ["SELECT 'é', size FROM ticks", 'COLUMN_NOT_FOUND', 12],
    ['SELECT nothing(1)', 'INVALID_ARGUMENT', 7],
    ["SELECT CAST('x' AS INTEGER)", 'INVALID_ARGUMENT', 7],
    ["SELECT CAST(t.s AS INTEGER) FROM (SELECT 'x' || i AS s FROM range(3) r(i)) t", 'INVALID_ARGUMENT', 7],
    ["SELECT error('stop')", 'INVALID_ARGUMENT', undefined],
  ])('name what is wrong with %s', async (text, code, position) => {
    await expect(query(text)).rejects.toMatchObject({ code, position });
  });
});

describe('the fence', () => {
  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd.csv'",
    "COPY ticks TO '/tmp/out.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "ATTACH '/tmp/x.db'",
    'INSTALL httpfs',
    'LOAD httpfs',
    'SET threads = 1',
    "SET memory_limit = '1TB'",
    'RESET lock_configuration',
    'PRAGMA enable_profiling',
    "PRAGMA memory_limit = '1TB'",
    'CHECKPOINT',
    'SELECT * FROM force_checkpoint()',
    "SELECT * FROM enable_logging('QueryLog')",
    "SELECT * FROM query('DELETE FROM candela.t7')",
    "SELECT * FROM json_execute_serialized_sql('{}')",
    'INSERT INTO candela.t7 VALUES (1, now(), 1, 1)',
    'DELETE FROM candela.documents',
    'UPDATE candela.t7 SET price = 1',
    'CREATE TABLE x (a INTEGER)',
    'CREATE TEMP TABLE x (a INTEGER)',
    'DROP VIEW ticks',
    'ALTER TABLE candela.t7 ADD COLUMN x INTEGER',
    'BEGIN',
    'COMMIT',
    'ROLLBACK',
    'CALL pragma_version()',
    "EXPORT DATABASE '/tmp/x'",
    'VACUUM',
    'USE memory',
    'EXPLAIN ANALYZE DELETE FROM candela.t7',
    'PREPARE p AS SELECT 1',
  ])('refuses %s', async (text) => {
    await storage.commit([append([1, 1n, 1n, 1])]);
    const error = await query(text).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNSUPPORTED' });
    expect((await storage.readAll(ticks.id, ['price'])).rowCount).toBe(1);
  });
});

describe('snapshots', () => {
  it('do not see later commits', async () => {
    await storage.commit([append([1, 1n, 1n, 1])]);
    const before = await storage.snapshot();
    await storage.commit([append([1, 2n, 2n, 2])]);
    const after = await storage.snapshot();
    const count = async (snapshot: typeof before): Promise<Scalar> =>
      rowsOf(await snapshot.query('SELECT count(*) FROM ticks', [], limits))[0][0];
    expect([await count(before), await count(after), await count(before)]).toEqual([1n, 2n, 1n]);
    await before.close();
    await after.close();
  });

  it('see whole commits while rows are being replaced', async () => {
    const keys = Array.from({ length: 500 }, (_, i) => i);
    const all = (version: number): StorageOp => {
      const columns = tickColumns(keys.map((key) => [1, BigInt(key), BigInt(version), version]));
      return { op: 'replace', table: ticks.id, key: ['_series', 'time'], columns, rowCount: keys.length };
    };
    await storage.commit([all(0)]);
    const commits = Array.from({ length: 20 }, (_, i) => storage.commit([all(i + 1)]));
    for (let i = 0; i < 10; i++) {
      const [[count, least, most]] = await rows('SELECT count(*), min(price), max(price) FROM ticks');
      expect([count, least]).toEqual([500n, most]);
    }
    await Promise.all(commits);
  });

  it('go on after a mistake found before running, and end at an error while running', async () => {
    const snapshot = await storage.snapshot();
    await expect(snapshot.query('SELECT nothing', [], limits)).rejects.toMatchObject({
      code: 'COLUMN_NOT_FOUND',
    });
    expect((await snapshot.query('SELECT 1', [], limits)).rowCount).toBe(1);
    const failing = snapshot.query("SELECT error('x') FROM range(2)", [], limits);
    await expect(failing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'x' });
    const after = snapshot.query('SELECT 1', [], limits);
    await expect(after).rejects.toMatchObject({ message: expect.stringContaining('ended') });
    await snapshot.close();
    expect(await rows('SELECT 1')).toEqual([[1n]]);
  });

  it('stop a query at its time limit', async () => {
    const snapshot = await storage.snapshot();
    const endless =
      'SELECT count(*) FROM range(100000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 1';
    const query = snapshot.query(endless, [], { rowsMax: 1, timeoutMs: 100 });
    await expect(query).rejects.toMatchObject({ code: 'TIMEOUT' });
    await snapshot.close();
  });

  it('wait in line when all are taken, and are refused at close', async () => {
    const first = await storage.snapshot();
    const second = await storage.snapshot();
    const third = storage.snapshot();
    const fourth = storage.snapshot();
    const refused = expect(fourth).rejects.toMatchObject({ code: 'STOPPING' });
    await first.close();
    expect(rowsOf(await (await third).query('SELECT 1', [], limits))).toEqual([[1n]]);
    await second.query('SELECT 2', [], limits);
    await storage.close();
    await refused;
    await expect(storage.snapshot()).rejects.toMatchObject({ code: 'STOPPING' });
  });
});

describe('tablesOf', () => {
  it.each([
    ['SELECT 1', []],
    ['SELECT * FROM Ticks', ['ticks']],
    [
      'SELECT * FROM main.ticks t JOIN "Bars" b USING (time) ASOF JOIN candela.t7 c ON true',
      ['ticks', 'bars'],
    ],
    [
      'SELECT (SELECT max(x) FROM a) FROM b WHERE y IN (FROM c) AND EXISTS (SELECT 1 FROM d) UNION FROM e',
      ['a', 'b', 'c', 'd', 'e'],
    ],
    ['WITH a AS (FROM b), c AS (FROM a) SELECT * FROM c, a', ['b']],
    ['WITH ticks AS (SELECT * FROM ticks) FROM ticks', ['ticks']],
    ['WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r', []],
    ['SELECT * FROM (WITH x AS (SELECT 1) FROM x) y, x', ['x']],
    ['EXPLAIN SELECT * FROM a', ['a']],
    ['EXPLAIN (FORMAT json) SELECT * FROM a', ['a']],
    ['DESCRIBE a', ['a']],
    ['SUMMARIZE a', ['a']],
    ['PIVOT a ON b IN (1, 2) USING sum(c)', ['a']],
    ['SELECT * FROM a LIMIT (SELECT count(*) FROM b)', ['a', 'b']],
    ['SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x)', ['a', 'b']],
  ])('%s', async (text, tables) => {
    expect((await storage.tablesOf(text)).sort()).toEqual([...tables].sort());
  });

  it('names the position of a syntax error', async () => {
    await expect(storage.tablesOf('SELECT * FROM')).rejects.toMatchObject({ code: 'SYNTAX' });
    await expect(storage.tablesOf('SELEC 1')).rejects.toMatchObject({ code: 'SYNTAX', position: 0 });
  });
});
