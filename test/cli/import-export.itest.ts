/** Files in, files out, by the built program on a data directory; what is expected comes from the input files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustRunCandela, runCandela, scratchFolder } from '../support/candela.ts';
import { hasSharedData, sharedDataPath } from '../support/shared-data.ts';

const { folder, remove } = scratchFolder('import-export');
const data = join(folder, 'data');
afterAll(remove);

const candela = (...args: string[]) => mustRunCandela([...args, '--data', data], { cwd: folder });

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const { stdout } = await candela('sql', '--format', 'json', '-c', sql);
  return JSON.parse(stdout) as Record<string, unknown>[];
}

describe.skipIf(!hasSharedData)('real trades', () => {
  const source = sharedDataPath('crypto/gemini_ETHUSD_trades_2021-07-01.csv.gz');
  let expected: { timeMs: number; price: number; size: number; maker: number }[];

  beforeAll(async () => {
    const [, ...lines] = gunzipSync(readFileSync(source)).toString().trimEnd().split('\n');
    expected = lines.map((line) => {
      const [time, price, size, maker] = line.split(',');
      return {
        timeMs: Math.round(Number(time) * 1000),
        price: Number(price),
        size: Number(size),
        maker: Number(maker),
      };
    });
    const map = ['--map', 'time=time_seconds', '--symbol', 'ETHUSD'];
    const { stderr } = await candela(
      'import',
      source,
      '--table',
      'gemini',
      '--create',
      '--candles',
      '1m,1h',
      ...map,
    );
    expect(stderr).toContain('25,222 rows imported into gemini');
  });

  it('come in as they stand in the file', async () => {
    const { stdout } = await candela('export', '--table', 'gemini', '--format', 'ndjson');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, never>);
    expect(
      rows.map(({ time, price, size, is_buyer_maker, symbol }) => {
        expect(symbol).toBe('ETHUSD');
        return { timeMs: Date.parse(time), price, size, maker: is_buyer_maker };
      }),
    ).toEqual(expected);
  });

  it('make bars that equal those reckoned from the file', async () => {
    const { stdout } = await candela('export', '--table', 'gemini', '--bars', '5m', '--format', 'ndjson');
    const bars = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number | string>);
    const byBucket = new Map<number, typeof expected>();
    for (const trade of expected) {
      const bucket = Math.floor(trade.timeMs / 300_000) * 300_000;
      byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), trade]);
    }
    expect(bars.map(({ time }) => Date.parse(String(time)))).toEqual(
      [...byBucket.keys()].sort((a, b) => a - b),
    );
    for (const bar of bars) {
      const trades = byBucket.get(Date.parse(String(bar.time))) ?? [];
      const prices = trades.map(({ price }) => price);
      const volume = trades.reduce((sum, { size }) => sum + size, 0);
      expect(bar).toMatchObject({
        open: prices[0],
        high: Math.max(...prices),
        low: Math.min(...prices),
        close: prices.at(-1),
        trades: trades.length,
      });
      expect(bar.volume).toBeCloseTo(volume, 6);
    }
  });

  it.each(['csv', 'ndjson', 'parquet', 'arrow'])('survive a round trip through %s', async (format) => {
    const first = join(folder, `first.${format}`);
    const table = `back_${format}`;
    await candela('export', '--table', 'gemini', '--format', format, '--output', first);
    await candela('import', first, '--table', table, '--create');
    const [difference] = await query(`
      SELECT count(*) AS n FROM (
        (SELECT time, price, size, is_buyer_maker, symbol FROM gemini EXCEPT ALL
         SELECT time, price, size, is_buyer_maker, symbol FROM ${table})
        UNION ALL
        (SELECT time, price, size, is_buyer_maker, symbol FROM ${table} EXCEPT ALL
         SELECT time, price, size, is_buyer_maker, symbol FROM gemini))`);
    expect(difference).toEqual({ n: 0 });
    expect(await query(`SELECT count(*) AS n FROM ${table}`)).toEqual([{ n: expected.length }]);
  });

  it('can be cut by symbol and time', async () => {
    const [from, to] = ['2021-07-01T10:00:00Z', '2021-07-01T11:00:00Z'];
    const args = ['--table', 'gemini', '--from', from, '--to', to];
    const { stdout } = await candela('export', ...args, '--symbol', 'ETH*');
    const inside = expected.filter(({ timeMs }) => timeMs >= Date.parse(from) && timeMs < Date.parse(to));
    expect(stdout.trimEnd().split('\n')).toHaveLength(inside.length + 1);
    expect((await candela('export', ...args, '--symbol', 'BTC')).stdout.trimEnd().split('\n')).toHaveLength(
      1,
    );
  });

  it('come in from files in a zip without headers', async () => {
    const zip = sharedDataPath('crypto/coinbase_BTCUSD_bars_minute_20161007.zip');
    const columns = ['--columns', 'ms,open,high,low,close,volume', '--map', 'time=ms', '--symbol', 'BTCUSD'];
    const { stderr } = await candela(
      'import',
      zip,
      '--table',
      'minutes',
      '--create',
      '--format',
      'csv',
      ...columns,
    );
    // Milliseconds since midnight: no day is said, so they count from 1970. The README of the data has the row count.
    expect(stderr).toContain('table minutes (bars) made');
    expect(stderr).toContain('1,419 rows imported');
  });
});

describe('rows that do not fit', () => {
  it('are left out, counted by reason and written to a file', async () => {
    const lines = [
      'ts,sym,price,qty,venue',
      '2024-05-17 09:30:00,AAPL,189.5,100,X',
      '2024-05-17 09:30:01,AAPL,abc,100,X',
      'yesterday,AAPL,189.6,100,X',
      ',AAPL,189.7,100,X',
      '2024-05-17 09:30:03,MSFT,420.1,,X',
      '2024-05-17 09:30:04,MSFT,420.2',
    ];
    const file = join(folder, 'bad.csv');
    writeFileSync(file, lines.slice(0, 2).join('\n'));
    const map = ['--map', 'time=ts,symbol=sym', '--map', 'size=qty'];
    const zone = ['--time-zone', 'America/New_York'];
    await candela('import', file, '--table', 'bad', '--create', '--type', 'price=decimal', ...map, ...zone);
    writeFileSync(file, lines.join('\n').replace('venue', 'place'));
    const rejects = join(folder, 'rejects.csv');
    const { stderr } = await candela('import', file, '--table', 'bad', '--rejects', rejects, ...map, ...zone);
    expect(stderr).toContain('columns left out, because bad does not have them: place');
    expect(stderr).toContain('2 rows imported');
    expect(stderr).toContain('4 rows rejected:');
    expect(stderr).toMatch(/bad\.csv, row 2: price/);
    const rejected = readFileSync(rejects, 'utf8').trimEnd().split('\n').slice(1);
    expect(rejected.map((line) => line.split(',').slice(0, 2).join(' '))).toEqual([
      'bad.csv 2',
      'bad.csv 3',
      'bad.csv 4',
      'bad.csv 6',
    ]);
    const { stdout } = await candela('export', '--table', 'bad', '--format', 'ndjson');
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(rows).toMatchObject([
      { time: '2024-05-17T13:30:00Z', symbol: 'AAPL', price: '189.5', size: 100 },
      { time: '2024-05-17T13:30:00Z', symbol: 'AAPL', price: '189.5', size: 100 },
      { time: '2024-05-17T13:30:03Z', symbol: 'MSFT', price: '420.1', size: null },
    ]);
  });
});

describe('errors', () => {
  it.each([
    ['a table that is not there', ['export', '--table', 'nowhere'], 1, "there is no table 'nowhere'"],
    [
      'a file that is not there',
      ['import', 'nowhere.csv', '--table', 't'],
      1,
      'there is no file nowhere.csv',
    ],
    ['neither table nor query', ['export'], 2, 'an export is of a table or of a query'],
    ['SQL that is none', ['sql', '-c', 'SELEC 1'], 1, 'SELEC'],
  ])('%s', async (_what, args, code, message) => {
    const result = await runCandela([...args, '--data', data], { cwd: folder });
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(/^error: .*\nhelp: .*\n$/);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });

  it('a directory another process has open', async () => {
    const { open } = await import('../../src/engine/open.ts');
    const database = await open({ directory: join(folder, 'open') });
    const result = await runCandela(['sql', '-c', 'SELECT 1', '--data', join(folder, 'open')]);
    await database.close();
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^error: another process/);
    expect(result.stderr).toContain('help: Stop the other process, or connect to it');
  });
});

it('SQL comes from a pipe and goes out as CSV', async () => {
  const input = "SELECT 1 AS a, 'x;y' AS b; -- done\nSELECT 2 AS c";
  const { stdout } = await mustRunCandela(['sql', '--data', data, '--format', 'csv'], { cwd: folder, input });
  expect(stdout).toBe('a,b\n1,x;y\nc\n2\n');
});
