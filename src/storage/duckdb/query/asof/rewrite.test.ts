import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrng } from '../../../../core/prng.ts';
import { columnOf, type Scalar, textColumn } from '../../../../market/columns.ts';
import type { StorageOp, StoredTable } from '../../../storage.ts';
import { runOps } from '../../committing.ts';
import { openInstance } from '../../instance.ts';
import { bindScalars } from '../parameters.ts';
import { serialize } from './nodes.ts';
import { rewriteAsOfJoins } from './rewrite.ts';

interface Row {
  symbol: string;
  /** Microseconds. */
  time: number;
  value: number;
}

const startUs = 1_700_000_000_000_000;
const symbols = ['A', 'B', 'C', 'D', 'only quotes', 'only trades'];

/** Random rows with many equal times; a price tells a row from every other. */
function randomRows(seed: number, count: number, spanUs: number, fromUs: number, names: string[]): Row[] {
  const prng = createPrng(seed);
  return Array.from({ length: count }, (_, i) => ({
    symbol: names[prng.below(names.length)],
    time: fromUs + prng.below(spanUs),
    value: i + 1,
  }));
}

const quotes = randomRows(1, 3_000, 4_000, startUs, symbols.slice(0, 5));
const trades = randomRows(2, 400, 500, startUs + 3_000, [...symbols.slice(0, 4), 'only trades']);
// Long before the rest: reached only by looking back several times.
quotes.push({ symbol: 'rare', time: startUs - 50_000_000, value: 9_001 });
quotes.push({ symbol: 'rare', time: startUs - 50_000_000, value: 9_002 });
trades.push({ symbol: 'rare', time: startUs + 3_100, value: 9_003 });

/** A dictionary and a table whose series numbers are unlike those of the other table; rows in order of arrival. */
function tableOps(id: number, name: string, rows: Row[], names: string[]): StorageOp[] {
  const dictionary: StoredTable = {
    id: id + 1,
    columns: [
      { name: '_sid', type: { kind: 'int32' }, nullable: false },
      { name: 'symbol', type: { kind: 'text' }, nullable: true },
    ],
    roles: null,
  };
  const table: StoredTable = {
    id,
    columns: [
      { name: '_sid', type: { kind: 'int32' }, nullable: false },
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
      { name: '_seq', type: { kind: 'int64' }, nullable: false },
      { name: 'price', type: { kind: 'double' }, nullable: true },
    ],
    roles: { series: '_sid', time: 'time', version: '_seq' },
  };
  const series = columnOf(
    'int64',
    names.map((_, i) => BigInt(i)),
  );
  const columns = [
    columnOf(
      'int64',
      rows.map(({ symbol }) => BigInt(names.indexOf(symbol))),
    ),
    columnOf(
      'timestamp',
      rows.map(({ time }) => BigInt(time) * 1000n),
    ),
    columnOf(
      'int64',
      rows.map((_, i) => BigInt(i)),
    ),
    columnOf(
      'double',
      rows.map(({ value }) => value),
    ),
  ];
  return [
    { op: 'create-table', table: dictionary },
    { op: 'append', table: id + 1, columns: [series, textColumn(names)], rowCount: names.length },
    { op: 'create-table', table },
    { op: 'append', table: id, columns, rowCount: rows.length },
    {
      op: 'put-view',
      view: {
        name,
        columns: [
          { name: 'Time', source: { from: 'row', column: 'time' } },
          { name: 'symbol', source: { from: 'series', column: 'symbol' } },
          { name: 'price', source: { from: 'row', column: 'price' } },
        ],
        tables: [id],
        seriesTable: id + 1,
      },
    },
  ];
}

let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await openInstance({
    file: ':memory:',
    temporaryDirectory: null,
    memoryBytesMax: 2 ** 28,
    threads: 2,
  });
  connection = await instance.connect();
  const names = [...symbols, 'rare'];
  const ops = [
    ...tableOps(8, 'trades', trades, names),
    ...tableOps(16, 'Quotes', quotes, [...names].reverse()),
  ];
  await runOps({ connection, layouts: new Map(), forgotten: [] }, ops);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

async function rewrite(text: string, ...parameters: Scalar[]): Promise<string | undefined> {
  return rewriteAsOfJoins(connection, { json: await serialize(connection, text), parameters });
}

async function rowsOf(text: string, ...parameters: Scalar[]): Promise<unknown[][]> {
  const statement = await connection.prepare(text);
  bindScalars(statement, parameters);
  const rows = await (await statement.run()).getRows();
  return rows.map((row) =>
    row.map((value) => (typeof value === 'object' && value !== null ? String(value) : value)),
  );
}

type Operator = '>=' | '>' | '<=' | '<';

/** The quote that a trade meets: the nearest in time; of equal times the nearest in order of arrival. */
function quoteOf(trade: Row, operator: Operator, among = quotes): Row | undefined {
  const isMet = (time: number): boolean =>
    operator === '>='
      ? trade.time >= time
      : operator === '>'
        ? trade.time > time
        : operator === '<='
          ? trade.time <= time
          : trade.time < time;
  const isBackward = operator.startsWith('>');
  return among
    .filter(({ symbol, time }) => symbol === trade.symbol && isMet(time))
    .reduce<Row | undefined>((best, quote) => {
      if (!best) return quote;
      return (isBackward ? quote.time >= best.time : quote.time < best.time) ? quote : best;
    }, undefined);
}

function expected(operator: Operator, kind: 'inner' | 'left', chosen = trades, among = quotes): unknown[][] {
  return chosen
    .map((trade) => [trade.value, quoteOf(trade, operator, among)?.value ?? null])
    .filter(([, price]) => kind === 'left' || price !== null);
}

describe.each<Operator>(['>=', '>', '<=', '<'])('an as-of join by %s', (operator) => {
  it.each(['inner', 'left'] as const)(
    '%s meets the nearest row, of equal times the nearest arrival',
    async (kind) => {
      const text = await rewrite(
        `SELECT t.price, q.price FROM trades t ASOF ${kind} JOIN quotes q
       ON t.symbol = q.symbol AND t.time ${operator} q.time ORDER BY 1`,
      );
      expect(await rowsOf(String(text))).toEqual(expected(operator, kind));
    },
  );
});

describe.each<Operator>(['>=', '<'])('a subquery on the right, by %s', (operator) => {
  it('gives only the rows that fulfil its condition, near and far', async () => {
    const text = await rewrite(
      `SELECT t.price, q.price FROM trades t
       ASOF LEFT JOIN (SELECT * FROM quotes inside WHERE inside.price % 7 = 2 AND symbol <> 'C') q
       ON t.symbol = q.symbol AND t.time ${operator} q.time ORDER BY 1`,
    );
    const some = quotes.filter(({ value, symbol }) => value % 7 === 2 && symbol !== 'C');
    expect(await rowsOf(String(text))).toEqual(expected(operator, 'left', trades, some));
  });
});

describe('conditions on the left', () => {
  const some = trades.filter(({ symbol, time }) => symbol === 'B' && time < startUs + 3_300);
  const where = 't.symbol = $2 AND t.time < make_timestamptz($1)';
  const values = [BigInt(startUs + 3_300), 'B'];

  it('in WHERE, with parameters', async () => {
    const text = await rewrite(
      `SELECT t.price, q.price FROM trades t ASOF JOIN quotes q ON q.symbol = t.symbol AND q.time <= t.time
       WHERE ${where} AND q.price IS NOT NULL ORDER BY 1`,
      ...values,
    );
    expect(await rowsOf(String(text), ...values)).toEqual(expected('>=', 'inner', some));
  });

  it('in a subquery and in a CTE', async () => {
    for (const [before, left] of [
      ['', `(SELECT * FROM trades t WHERE ${where}) t`],
      [`WITH chosen AS (SELECT * FROM trades t WHERE ${where})`, 'chosen t'],
    ]) {
      const text = await rewrite(
        `${before} SELECT t.price, q.price FROM ${left} ASOF JOIN quotes q
         ON t.symbol = q.symbol AND t.time >= q.time ORDER BY 1`,
        ...values,
      );
      expect(await rowsOf(String(text), ...values)).toEqual(expected('>=', 'inner', some));
    }
  });

  it('that no row fulfils', async () => {
    const text = await rewrite(
      `SELECT t.price, q.price FROM trades t ASOF LEFT JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time
       WHERE t.price < 0`,
    );
    expect(await rowsOf(String(text))).toEqual([]);
  });

  it('and rows without key or time, which meet nothing', async () => {
    const left = `(SELECT NULL AS symbol, make_timestamptz(${startUs + 3_000}) AS time UNION ALL SELECT 'A', NULL
      UNION ALL SELECT 'nobody', make_timestamptz(0)
      UNION ALL SELECT 'A', make_timestamptz(${startUs + 3_900})) t`;
    const text = await rewrite(
      `SELECT t.symbol, q.price FROM ${left} ASOF LEFT JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time
       ORDER BY ALL NULLS FIRST`,
    );
    const met = quoteOf({ symbol: 'A', time: startUs + 3_900, value: 0 }, '>=');
    expect(await rowsOf(String(text))).toEqual([
      [null, null],
      ['A', null],
      ['A', met?.value],
      ['nobody', null],
    ]);
  });
});

/** Quotes and trades without ties, so that DuckDB's own answer is the one there is. */
const distinct = '(SELECT symbol, time, min(price) AS price FROM trades GROUP BY ALL)';

describe('what the query shows', () => {
  it.each([
    'SELECT * FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time',
    'SELECT * FROM trades ASOF LEFT JOIN quotes USING (symbol, time)',
    'SELECT symbol, time, quotes.time, quotes.price FROM trades ASOF JOIN quotes USING (symbol, time)',
    'SELECT t.*, q.* FROM trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time',
    'SELECT * EXCLUDE (symbol) FROM trades t ASOF JOIN main.quotes q ON t.symbol = q.symbol AND t.time >= q.time',
    `SELECT * FROM ${distinct} t ASOF JOIN quotes q USING (symbol, time)
     ASOF LEFT JOIN quotes later ON t.symbol = later.symbol AND t.time <= later.time`,
    `SELECT count(*), max(x.time), max(x.big) FROM (SELECT q.*, 1700000000000000001 AS big FROM trades t
     ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time - INTERVAL 1 SECOND >= q.time) x`,
    `WITH q AS (SELECT 1 AS one) SELECT one, price FROM q,
     (SELECT r.price FROM trades ASOF JOIN quotes r ON trades.symbol = r.symbol AND trades.time > r.time)`,
  ])('stays: %s', async (query) => {
    const names = async (text: string) => {
      const statement = await connection.prepare(text);
      return Array.from({ length: statement.columnCount }, (_, i) => [
        statement.columnName(i),
        String(statement.columnType(i)),
      ]);
    };
    const text = String(await rewrite(query));
    expect(text).toContain('candela$order');
    expect(await names(text)).toEqual(await names(query));
    // Which of equal times DuckDB takes is its own affair: prices aside, the rows are the same.
    const shown = (await names(query))
      .map(([name], i) => (name.startsWith('price') ? '' : `c${i}`))
      .filter(Boolean);
    const all = (await names(query)).map((_, i) => `c${i}`).join(', ');
    const sorted = (sql: string) => rowsOf(`SELECT ${shown.join(', ')} FROM (${sql}) x(${all}) ORDER BY ALL`);
    expect(await sorted(text)).toEqual(await sorted(query));
  });
});

describe('what is left as it is', () => {
  it.each([
    ['another comparison', 'trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.price >= q.price'],
    ['no series', 'trades t ASOF JOIN quotes q ON t.time >= q.time'],
    [
      'one more key',
      'trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.price = q.price AND t.time >= q.time',
    ],
    [
      'an expression on the right',
      'trades t ASOF JOIN quotes q ON t.symbol = lower(q.symbol) AND t.time >= q.time',
    ],
    [
      'all rows of the right',
      'trades t ASOF RIGHT JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time',
    ],
    [
      'another type of time',
      'trades t ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time::TIMESTAMP >= q.time',
    ],
    ['a sample on the left', '(FROM trades USING SAMPLE 10) t ASOF JOIN quotes q USING (symbol, time)'],
    [
      'a part of the rows by order',
      'trades t ASOF JOIN (FROM quotes LIMIT 9) q ON t.symbol = q.symbol AND t.time >= q.time',
    ],
    [
      'other columns',
      'trades t ASOF JOIN (SELECT symbol, time FROM quotes) q ON t.symbol = q.symbol AND t.time >= q.time',
    ],
    [
      'groups',
      'trades t ASOF JOIN (FROM quotes SELECT symbol, max(time) AS time GROUP BY 1) q USING (symbol, time)',
    ],
  ])('%s', async (_, from) => {
    expect(await rewrite(`SELECT count(*) FROM ${from}`)).toBeUndefined();
  });

  it('a CTE by the name of a view, a row as one value, a chance on the left', async () => {
    const join = 'ASOF JOIN quotes q ON t.symbol = q.symbol AND t.time >= q.time';
    expect(await rewrite(`WITH quotes AS (FROM trades) SELECT 1 FROM trades t ${join}`)).toBeUndefined();
    expect(await rewrite(`SELECT q FROM trades t ${join}`)).toBeUndefined();
    expect(await rewrite(`SELECT 1 FROM (FROM trades WHERE random() < 0.5) t ${join}`)).toBeUndefined();
  });
});
