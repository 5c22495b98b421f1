import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it, vi } from 'vitest';
import { encodeArrow } from '../../codecs/arrow/encode-arrow.ts';
import { systemClock } from '../../core/clock.ts';
import type { TableInfo } from '../../engine/database.ts';
import { type Batch, type ColumnSet, columnOf, type Scalar, valueAt } from '../../market/columns.ts';
import type { CandlesDef, TableDef } from '../../market/schema.ts';
import { createParquet } from '../parquet/write-parquet.ts';
import { type ImportRequest, type ImportTarget, runImport } from './run-import.ts';

vi.mock('../terminal.ts', async (original) => ({ ...(await original()), say: () => undefined }));

const folder = mkdtempSync(join(tmpdir(), 'candela-import-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A target that keeps rows, and refuses those with a negative price as an engine would refuse what it cannot store. */
function collectingTarget(tables: TableDef[] = []) {
  const defs = new Map(tables.map((table) => [table.name, table]));
  const rows: Record<string, Scalar>[] = [];
  const candles: CandlesDef[] = [];
  const target: ImportTarget = {
    table: (name) => defs.get(name) as TableInfo | undefined,
    createTable: async (def) => {
      defs.set(def.name, def);
      return def as TableInfo;
    },
    dropTable: async (name) => {
      defs.delete(name);
    },
    createCandles: async (def) => {
      if (def.timeframes.includes('never')) throw new Error("'never' is not a timeframe");
      candles.push(def);
      return [];
    },
    write: async (_table, batch, options) => {
      expect(options).toEqual({ onInvalid: 'skip' });
      const rejected = [];
      for (let row = 0; row < batch.rowCount; row++) {
        const values = rowOf(batch, row);
        if ((values.price as number) < 0) rejected.push({ row, column: 'price', reason: 'is negative' });
        else rows.push(values);
      }
      const rowCount = batch.rowCount - rejected.length;
      return { lsn: 1, rowCount, duplicates: 0, corrected: 0, repeated: false, rejected };
    },
  };
  return { target, rows, defs, candles };
}

function rowOf(batch: Batch, row: number): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(batch.columns).map(([name, column]) => [name, valueAt(column, row)]),
  );
}

const trades: TableDef = {
  name: 'trades',
  kind: 'ticks',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
    { name: 'symbol', type: { kind: 'text' }, nullable: false },
    { name: 'price', type: { kind: 'double' } },
    { name: 'size', type: { kind: 'int64' } },
  ],
};

function request(files: string[], rest: Partial<ImportRequest> = {}): ImportRequest {
  return {
    files,
    table: 'trades',
    map: new Map(),
    symbol: null,
    timeZone: null,
    format: null,
    columnNames: null,
    delimiter: ',',
    create: null,
    rejectsFile: null,
    ...rest,
  };
}

const second = 1_000_000_000n;
const expected = [
  { time: 1_715_938_200n * second, symbol: 'AAPL', price: 189.5, size: 100n },
  { time: 1_715_938_201n * second, symbol: 'MSFT', price: 420.25, size: null },
];
const csv = 'time,symbol,price,size\n2024-05-17T09:30:00Z,AAPL,189.5,100\n1715938201,MSFT,420.25,\n';

it.each([
  ['CSV', () => file('a.csv', csv)],
  ['CSV in gzip', () => file('a.csv.gz', gzipSync(csv))],
  [
    'NDJSON',
    () =>
      file(
        'a.ndjson',
        '{"time":"2024-05-17T09:30:00Z","symbol":"AAPL","price":189.5,"size":100}\n\n' +
          '{"time":1715938201,"symbol":"MSFT","price":420.25}\n',
      ),
  ],
  ['Arrow', () => file('a.arrow', encodeArrow(asColumns(), 'file'))],
  ['an Arrow stream', () => file('b.arrow', encodeArrow(asColumns(), 'stream'))],
  [
    'Parquet',
    async () => {
      const writer = await createParquet(join(folder, 'a.parquet'), trades.columns);
      await writer.write(asColumns());
      await writer.finish();
      return join(folder, 'a.parquet');
    },
  ],
])('imports %s', async (_format, write) => {
  const { target, rows } = collectingTarget([trades]);
  const report = await runImport(target, request([await write()]), systemClock);
  expect(rows.map((row) => ({ ...row, size: row.size ?? null }))).toEqual(expected);
  expect(report.rejectedCount()).toBe(0);
});

function asColumns(): ColumnSet {
  const columns = trades.columns.map(({ name, type }) =>
    columnOf(
      type.kind as 'text',
      expected.map((row) => row[name as 'price']),
    ),
  );
  return { rowCount: 2, names: trades.columns.map(({ name }) => name), columns };
}

it('reports and keeps rows that were refused, whoever refused them, by their number in the file', async () => {
  const lines = [
    'ts,sym,price,note',
    '1,A,1.5,x',
    '2,A,abc,"y,z"',
    '3,A,-1,',
    'never,A,2,',
    '4,A,2.5,',
    '5,A',
  ];
  const rejectsFile = join(folder, 'rejects.csv');
  const { target, rows } = collectingTarget([trades]);
  const map = new Map([
    ['time', 'ts'],
    ['symbol', 'sym'],
  ]);
  const report = await runImport(
    target,
    request([file('bad.csv', lines.join('\n'))], { map, rejectsFile }),
    systemClock,
  );
  expect(rows.map(({ time }) => time)).toEqual([second, 4n * second]);
  expect(report.rowCount()).toBe(6);
  expect(report.rejectedCount()).toBe(4);
  const rejects = readFileSync(rejectsFile, 'utf8').trimEnd().split('\n');
  expect(rejects.map((line) => line.split(',').slice(0, 3).join(','))).toEqual([
    'file,row,column',
    'bad.csv,2,price',
    'bad.csv,3,price',
    'bad.csv,4,ts',
    'bad.csv,6,',
  ]);
  expect(rejects[1]).toContain('"2,A,abc,y,z"');
  expect(report.lines().slice(1, 3)).toEqual(['4 rows rejected:', expect.stringContaining('1 ×')]);
});

it('counts rows of one kind of mistake together', async () => {
  const lines = [
    'time,symbol,price',
    ...Array.from({ length: 100 }, (_, row) => `${row},A,bad${row}`),
    '1,A,-5',
  ];
  const { target } = collectingTarget([trades]);
  const report = await runImport(target, request([file('many.csv', lines.join('\n'))]), systemClock);
  const kinds = report.lines().filter((line) => line.includes(' × '));
  expect(kinds).toHaveLength(2);
  expect(kinds[0]).toMatch(/^ {2}100 × price/);
  expect(kinds[1]).toMatch(/^ {2}1 × price is negative/);
});

it('numbers rows through chunks of a large file', async () => {
  const rowCount = 200_000;
  const lines = Array.from(
    { length: rowCount },
    (_, row) => `${row + 1},A,${row === 150_000 ? 'bad' : row}.5,1`,
  );
  const rejectsFile = join(folder, 'large-rejects.csv');
  const { target, rows } = collectingTarget([trades]);
  const path = file('large.csv', `time,symbol,price,size\n${lines.join('\n')}\n`);
  await runImport(target, request([path], { rejectsFile }), systemClock);
  expect(rows).toHaveLength(rowCount - 1);
  expect(rows.at(-1)).toMatchObject({ time: BigInt(rowCount) * second, price: rowCount - 0.5 });
  expect(readFileSync(rejectsFile, 'utf8')).toContain('large.csv,150001,price');
});

it('makes the table from the file, with bars over it', async () => {
  const { target, rows, defs, candles } = collectingTarget();
  const path = file('new.csv', 'ts,p,size\n2024-05-17 09:30:00,1.5,10\n');
  const create = { seriesKey: null, types: new Map(), timeframes: ['1m'], dedup: null, ages: {} };
  const map = new Map([
    ['time', 'ts'],
    ['price', 'p'],
  ]);
  await runImport(
    target,
    request([path], { map, create, symbol: '600519', timeZone: 'Asia/Shanghai' }),
    systemClock,
  );
  expect(defs.get('trades')).toMatchObject({ kind: 'ticks', timeColumn: 'time', seriesKey: ['symbol'] });
  expect(candles).toEqual([{ source: 'trades', price: 'price', volume: 'size', timeframes: ['1m'] }]);
  expect(rows).toEqual([{ time: 1_715_909_400n * second, symbol: '600519', price: 1.5, size: 10n }]);
});

it.each([
  ['no price', 'time,symbol\n2024-05-17,A\n', ['1m'], "table 'trades' has no column of prices"],
  ['no time', 'symbol,price\nA,1\n', ['1m'], "table 'trades' would be one of plain, not of ticks"],
  ['no such timeframe', 'time,symbol,price\n2024-05-17,A,1\n', ['never'], "'never' is not a timeframe"],
  ['a map to nothing', 'time,symbol,price\n2024-05-17,A,1\n', null, "the file has no column 'cost'"],
])('leaves no table behind: %s', async (_what, text, timeframes, message) => {
  const { target, defs } = collectingTarget();
  const asked = {
    ...request([file('half.csv', text)]),
    map: new Map(timeframes ? [] : [['price', 'cost']]),
    create: { seriesKey: null, types: new Map(), timeframes, dedup: null, ages: {} },
  };
  await expect(runImport(target, asked, systemClock)).rejects.toThrow(message);
  expect(defs.size).toBe(0);
});

it('passes over fields of NDJSON that the table does not have', async () => {
  const { target, rows } = collectingTarget([trades]);
  const path = file('extra.ndjson', '{"time":1,"symbol":"A","price":2,"venue":{"id":1}}\n');
  const report = await runImport(target, request([path]), systemClock);
  expect(report.rejectedCount()).toBe(0);
  expect(rows).toEqual([{ time: second, symbol: 'A', price: 2 }]);
});

it('reads quoted cells and headers, marks and line ends of Windows', async () => {
  const { target, rows } = collectingTarget([trades]);
  const text = '\ufeff\r\n"the\ntime",symbol,"a ""price"""\r\n1,"A,B",2\r\n"2",C,"3"\r\n';
  const map = new Map([
    ['time', 'the\ntime'],
    ['price', 'a "price"'],
  ]);
  const report = await runImport(target, request([file('quoted.csv', text)], { map }), systemClock);
  expect(report.rejectedCount()).toBe(0);
  expect(rows).toEqual([
    { time: second, symbol: 'A,B', price: 2 },
    { time: 2n * second, symbol: 'C', price: 3 },
  ]);
});

it('reads files without a header', async () => {
  const { target, rows } = collectingTarget([trades]);
  const path = file('bare.csv', '1;A;2\n2;A;3\n');
  await runImport(
    target,
    request([path], { columnNames: ['time', 'symbol', 'price'], delimiter: ';' }),
    systemClock,
  );
  expect(rows.map(({ price }) => price)).toEqual([2, 3]);
});

it.each([
  ['a table that is not there', 'a.csv', { table: 'nowhere' }, "there is no table 'nowhere'"],
  ['a file that is not there', 'nowhere.csv', {}, 'there is no file'],
  ['an unknown format', 'a.xyz', {}, 'the format of a.xyz is not known'],
  ['a gzip that is none', 'broken.csv.gz', {}, 'cannot be read to its end'],
  ['an empty file', 'empty.csv', {}, 'the CSV file is empty'],
])('refuses %s', async (_what, name, rest, message) => {
  file('a.csv', csv);
  file('a.xyz', csv);
  file('broken.csv.gz', gzipSync(csv.repeat(1000)).subarray(0, 60));
  file('empty.csv', '');
  const { target } = collectingTarget([trades]);
  await expect(runImport(target, request([join(folder, name)], rest), systemClock)).rejects.toThrow(message);
});
