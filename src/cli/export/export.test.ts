import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, describe, expect, it } from 'vitest';
import { type ColumnSet, columnOf, valueAt } from '../../market/columns.ts';
import type { ColumnDef } from '../../market/schema.ts';
import { type ExportSource, openRows } from './pages.ts';
import { createWriter, type ExportFormat } from './writers.ts';

const folder = mkdtempSync(join(tmpdir(), 'candela-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const columns: ColumnDef[] = [
  { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
  { name: 'symbol', type: { kind: 'text' } },
  { name: 'price', type: { kind: 'decimal' } },
];

/** One row a second. The second page has a symbol and a scale the first has not. */
const pages: ColumnSet[] = [
  pageOf([0n, 'A', { coefficient: 110n, scale: 2 }], [1n, null, null]),
  pageOf([2n, 'B,"b"', { coefficient: 123_456_789n, scale: 8 }]),
];

function pageOf(
  ...rows: [bigint, string | null, { coefficient: bigint; scale: number } | null][]
): ColumnSet {
  const kinds = ['timestamp', 'text', 'decimal'] as const;
  return {
    rowCount: rows.length,
    names: columns.map(({ name }) => name),
    columns: kinds.map((kind, index) =>
      columnOf(
        kind,
        rows.map((row) => (index === 0 ? row[0] * 1_000_000_000n : row[index])),
      ),
    ),
  };
}

async function written(format: ExportFormat): Promise<string> {
  const path = join(folder, `written.${format}`);
  const writer = await createWriter(format, path, columns);
  for (const page of pages) await writer.write(page);
  expect(existsSync(path)).toBe(false);
  await writer.finish();
  await writer.close();
  return path;
}

describe('the formats', () => {
  it('CSV has one header and all pages', async () => {
    expect(readFileSync(await written('csv'), 'utf8')).toBe(
      'time,symbol,price\n1970-01-01T00:00:00Z,A,1.10\n1970-01-01T00:00:01Z,,\n' +
        '1970-01-01T00:00:02Z,"B,""b""",1.23456789\n',
    );
  });

  it('NDJSON has a line a row', async () => {
    const lines = readFileSync(await written('ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: '1970-01-01T00:00:00Z', symbol: 'A', price: '1.10' },
      { time: '1970-01-01T00:00:01Z', symbol: null, price: null },
      { time: '1970-01-01T00:00:02Z', symbol: 'B,"b"', price: '1.23456789' },
    ]);
  });

  it('Arrow has a batch a page, all of one schema', async () => {
    const table = tableFromIPC(readFileSync(await written('arrow')));
    expect(table.batches.map(({ numRows }) => numRows)).toEqual([2, 1]);
    expect(table.schema.fields.map(({ type }) => String(type))).toEqual([
      'Timestamp<NANOSECOND, UTC>',
      'Utf8',
      'Decimal[38e+20]',
    ]);
    expect([...(table.getChild('symbol') ?? [])]).toEqual(['A', null, 'B,"b"']);
    expect(table.getChild('price')?.get(1)).toBeNull();
  });

  it('Parquet goes to files only', async () => {
    await expect(createWriter('parquet', '-', columns)).rejects.toThrow('standard output');
    expect(
      readFileSync(await written('parquet'))
        .subarray(0, 4)
        .toString(),
    ).toBe('PAR1');
  });

  it.each<ExportFormat>(['csv', 'parquet', 'arrow'])(
    '%s leaves nothing behind when it is given up',
    async (format) => {
      const before = readdirSync(folder);
      const writer = await createWriter(format, join(folder, `given-up.${format}`), columns);
      await writer.write(pages[0]);
      await writer.close();
      expect(readdirSync(folder)).toEqual(before);
    },
  );
});

const all = { table: 't', timeframe: null, sql: null, symbols: null, fromNs: null, toNs: null };

async function rowsOf(rows: AsyncIterable<ColumnSet>): Promise<{ rowCounts: number[]; keys: string[] }> {
  const rowCounts: number[] = [];
  const keys: string[] = [];
  for await (const { rowCount, columns: read } of rows) {
    rowCounts.push(rowCount);
    for (let row = 0; row < rowCount; row++) keys.push(`${valueAt(read[0], row)} ${valueAt(read[1], row)}`);
  }
  return { rowCounts, keys };
}

describe('reading in pages', () => {
  it('follows the cursor of a table to its end', async () => {
    const cursors: unknown[] = [];
    const source = {
      table: () => ({ name: 't', kind: 'ticks', columns, seriesKey: ['symbol'], timeColumn: 'time' }),
      read: async ({
        cursor,
        limit,
        series,
        fromNs,
      }: {
        cursor?: string;
        limit: number;
        series: object;
        fromNs: bigint;
      }) => {
        cursors.push([cursor, limit, series, fromNs]);
        return { ...pages[cursors.length - 1], cursor: cursors.length === 2 ? null : 'next' };
      },
    } as unknown as ExportSource;
    const rows = await openRows(source, { ...all, symbols: ['A', 'B*'], fromNs: 5n }, 2);
    expect(rows.columns).toEqual(columns);
    expect((await rowsOf(rows.pages)).rowCounts).toEqual([2, 1]);
    const series = { symbol: ['A', 'B*'] };
    expect(cursors).toEqual([
      [undefined, 2, series, 5n],
      ['next', 2, series, 5n],
    ]);
  });

  it.each([1, 7, 700])('reads bars of %d symbols without a gap or a repeat', async (symbols) => {
    const buckets = Math.ceil(1300 / symbols);
    const expected: string[] = [];
    const times: bigint[] = [];
    const names: string[] = [];
    for (let bucket = 0; bucket < buckets; bucket++) {
      for (let symbol = 0; symbol < symbols; symbol++) {
        times.push(BigInt(bucket) * 60_000_000_000n);
        names.push(`S${symbol}`);
        expected.push(`${times.at(-1)} S${symbol}`);
      }
    }
    const source = {
      table: () => ({ name: 't', kind: 'ticks', columns, seriesKey: ['symbol'], timeColumn: 'time' }),
      bars: async ({ fromNs = 0n, limit }: { fromNs?: bigint; limit: number }) => {
        const start = times.findIndex((time) => time >= fromNs);
        const end = Math.min(times.length, start + limit);
        return {
          rollup: 't_1m',
          rowCount: end - start,
          names: ['time', 'symbol'],
          columns: [
            columnOf('timestamp', times.slice(start, end)),
            columnOf('text', names.slice(start, end)),
          ],
        };
      },
    } as unknown as ExportSource;
    const { keys } = await rowsOf((await openRows(source, { ...all, timeframe: '1m' }, 500)).pages);
    expect(keys).toEqual(expected);
  });

  it('refuses a query larger than an export may hold in memory', async () => {
    const source = {
      sql: async () => ({ truncated: true, names: [], columns: [], types: [] }),
    } as unknown as ExportSource;
    await expect(openRows(source, { ...all, table: null, sql: 'SELECT 1' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
  });
});
