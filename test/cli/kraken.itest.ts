/** Kraken's own trades into a running server, by import and by replay; its bars over HTTP against Kraken's own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CandelaServer, mustRunCandela, scratchFolder, startCandela } from '../support/candela.ts';
import { hasSharedData, sharedDataPath } from '../support/shared-data.ts';

interface Answer<Row> {
  result: { XBTUSDT: Row[] };
}
type Trade = [
  price: string,
  size: string,
  time: number,
  side: string,
  type: string,
  misc: string,
  id: number,
];
type Candle = [
  time: number,
  open: string,
  high: string,
  low: string,
  close: string,
  vwap: string,
  volume: string,
  count: number,
];

/** What `/api/v1/bars` says of a bar. */
interface Bar {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  vwap: number;
  trades: number;
}

const { folder, remove } = scratchFolder('kraken');
const tradesFile = sharedDataPath('crypto/kraken_XBTUSDT_trades_2025-11-10_part1.json');

describe.skipIf(!hasSharedData)("Kraken's trades", () => {
  let server: CandelaServer;
  let trades: Trade[];
  let candles: Candle[];

  beforeAll(async () => {
    server = await startCandela(folder, ['--no-feed']);
    trades = (JSON.parse(readFileSync(tradesFile, 'utf8')) as Answer<Trade>).result.XBTUSDT;
    const ohlcFile = sharedDataPath('crypto/kraken_XBTUSDT_ohlc_1m_2025-11-10_part1.json');
    const all = (JSON.parse(readFileSync(ohlcFile, 'utf8')) as Answer<Candle>).result.XBTUSDT;
    // The trades of the first minute are only partly in the file.
    const firstWhole = (Math.floor(trades[0][2] / 60) + 1) * 60;
    candles = all.filter(([time, , , , , , , count]) => time >= firstWhole && count > 0);
  });
  afterAll(async () => {
    await server?.end('SIGTERM');
    remove();
  });

  async function expectKrakensBars(table: string, symbol: string): Promise<void> {
    const query = new URLSearchParams({ table, symbol, timeframe: '1m', time: 's', limit: '10000' });
    query.set('from', String(candles[0][0]));
    const response = await fetch(`${server.url}/api/v1/bars?${query}`);
    const { rows } = (await response.json()) as { rows: Bar[] };
    // The README of the data counts 188 bars with trades.
    expect(candles).toHaveLength(188);
    expect(rows.map(({ time }) => time)).toEqual(candles.map(([time]) => time));
    rows.forEach((bar, index) => {
      const [time, open, high, low, close, vwap, volume, count] = candles[index];
      expect(bar).toMatchObject({
        time,
        open: Number(open),
        high: Number(high),
        low: Number(low),
        close: Number(close),
        trades: count,
      });
      expect(bar.volume).toBeCloseTo(Number(volume), 8);
      expect(Math.abs(bar.vwap - Number(vwap))).toBeLessThanOrEqual(0.1);
    });
  }

  it('imported make the bars Kraken publishes', async () => {
    const lines = trades.map(([price, size, time, side, , , id]) => [time, price, size, side, id].join(','));
    writeFileSync(join(folder, 'trades.csv'), ['ts,px,size,side,id', ...lines].join('\n'));
    const args = ['--map', 'time=ts,price=px', '--symbol', 'XBT/USDT', '--candles', '1s,1m'];
    await mustRunCandela(
      ['import', 'trades.csv', '--table', 'kraken', '--create', '--url', server.url, ...args],
      {
        cwd: folder,
      },
    );
    await expectKrakensBars('kraken', 'XBT/USDT');
  });

  it('imported again change nothing, and mend what was wrong the first time', async () => {
    const line = ([price, size, time, side, , , id]: Trade): string =>
      [time, price, size, side, id].join(',');
    // Prices of every tenth trade are wrong at first, as are the newest trades.
    const wrong = trades.map((trade, i): Trade => {
      const [price, ...others] = trade;
      return i % 10 === 0 || i > 610 ? [String(Number(price) * 2), ...others] : trade;
    });
    const head = 'ts,px,size,side,id';
    writeFileSync(join(folder, 'wrong.csv'), [head, ...wrong.map(line)].join('\n'));
    writeFileSync(join(folder, 'right.csv'), [head, ...trades.map(line)].join('\n'));
    const choices = ['--map', 'time=ts,price=px', '--symbol', 'XBT/USDT', '--url', server.url];
    const importFile = (name: string, ...args: string[]) =>
      mustRunCandela(['import', name, '--table', 'mended', ...choices, ...args], { cwd: folder });
    await importFile('wrong.csv', '--create', '--dedup', 'id', '--candles', '1s,1m');
    const mending = await importFile('right.csv');
    const mended = wrong.filter(([price], i) => Number(price) !== Number(trades[i][0])).length;
    expect(mending.stderr).toContain(`${621 - mended} rows were there already`);
    expect(mending.stderr).toContain(`${mended} rows corrected others`);
    await expectKrakensBars('mended', 'XBT/USDT');
    expect((await importFile('right.csv')).stderr).toContain('621 rows were there already');
    await expectKrakensBars('mended', 'XBT/USDT');
  });

  it('replayed at full speed do too', async () => {
    const args = ['--speed', 'max', '--table', 'replayed', '--symbol', 'XBTUSDT', '--url', server.url];
    const { stderr } = await mustRunCandela(['replay', tradesFile, ...args]);
    expect(stderr).toContain('621 rows into replayed');
    await expectKrakensBars('replayed', 'XBTUSDT');
  });

  it('are found by commands that name no server, when it is the configured one', async () => {
    const env = { CANDELA_HTTP_PORT: String(server.port) };
    const args = ['export', '--table', 'kraken', '--format', 'ndjson', '--from', '2025-11-10T18:00:00Z'];
    const { stdout, stderr } = await mustRunCandela(args, { env, cwd: folder });
    expect(stderr).toContain(`working on the server at http://127.0.0.1:${server.port}`);
    const from = Date.parse('2025-11-10T18:00:00Z') / 1000;
    const expected = trades
      .filter(([, , time]) => time >= from)
      .map(([price, , , , , , id]) => [Number(price), id]);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { price: number; id: number });
    expect(rows.map(({ price, id }) => [price, id])).toEqual(expected);
  });

  it.each(['csv', 'ndjson', 'parquet', 'arrow'])(
    'go out over HTTP as %s and come back the same',
    async (format) => {
      const file = join(folder, `kraken.${format}`);
      const at = ['--url', server.url];
      await mustRunCandela(['export', '--table', 'kraken', '--format', format, '--output', file, ...at]);
      await mustRunCandela(['import', file, '--table', `back_${format}`, '--create', ...at]);
      const rowsOf = async (table: string) => {
        const columns = 'time,price,size,side,id,symbol';
        const answer = await fetch(
          `${server.url}/api/v1/ticks?table=${table}&limit=10000&time=ns&columns=${columns}`,
        );
        return ((await answer.json()) as { rows: unknown[] }).rows;
      };
      const rows = await rowsOf(`back_${format}`);
      expect(rows).toHaveLength(621);
      expect(rows).toEqual(await rowsOf('kraken'));
    },
  );
});
