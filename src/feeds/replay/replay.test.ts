import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingLogger } from '../../../test/support/feed-surroundings.ts';
import { recordingDatabase } from '../../../test/support/recording-database.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { systemClock } from '../../core/clock.ts';
import { createFeedManager } from '../manager.ts';
import { createPacer } from './pacer.ts';
import { type ReplayOptions, type ReplayProgress, replayFile } from './replay.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'candela-replay-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function replay(path: string, options: Partial<ReplayOptions> = {}) {
  const recording = recordingDatabase();
  const { log, lines } = recordingLogger();
  const report = await replayFile(
    { database: recording.database, log, clock: systemClock },
    { file: path, ...options },
  );
  return { recording, report, lines };
}

const nsOf = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;

describe('a CSV of trades', () => {
  it('is read by the usual names of its columns', async () => {
    const text = [
      'Trade ID,Timestamp,Ticker,Px,Qty,Taker Side',
      '7,2024-05-17T09:30:00.123Z,AAPL,189.5,100,BUY',
      'x7,1715938200,MSFT,420,,s',
      '9,1715938200500,MSFT,oops,1,?',
    ].join('\n');
    const { recording, report, lines } = await replay(await file('mixed.csv', text));
    expect(report).toMatchObject({ format: 'trades-csv', recordsRead: 3, rowsWritten: 2, rowsRejected: 1 });
    expect(recording.rows('trades')).toEqual([
      {
        time: nsOf('2024-05-17T09:30:00.123Z'),
        symbol: 'AAPL',
        price: 189.5,
        size: 100,
        side: 'buy',
        trade_id: 7n,
      },
      {
        time: nsOf('2024-05-17T09:30:00Z'),
        symbol: 'MSFT',
        price: 420,
        size: null,
        side: 'sell',
        trade_id: null,
      },
    ]);
    expect(lines.some(({ message }) => message.includes("price: 'oops' does not fit the type double"))).toBe(
      true,
    );
  });

  it('without a symbol column takes it from the name or the user, and else asks for it', async () => {
    const text = 'time,price\n1715938200,1\n';
    const named = await replay(await file('x_BTCUSD_y.csv', text));
    expect(named.report.symbols).toEqual(['BTCUSD']);
    const told = await replay(await file('plain.csv', text), { symbol: 'EUR/USD' });
    expect(told.report.symbols).toEqual(['EUR/USD']);
    const { report, lines } = await replay(await file('nameless.csv', text));
    expect(report).toMatchObject({ rowsWritten: 0, skipped: { 'unreadable record': 1 } });
    expect(lines[0].message).toContain('does not say which symbol it holds');
  });

  it('makes no table for a file of which it must be told more', async () => {
    const { database } = recordingDatabase();
    const { log } = recordingLogger();
    const path = await file(
      'nameless.csv',
      'time_seconds,price,size,is_buyer_maker\n1625097621.647,2273.1,1,0\n',
    );
    await expect(replayFile({ database, log, clock: systemClock }, { file: path })).rejects.toThrow(
      'does not say which symbol it holds',
    );
    expect(database.tables()).toEqual([]);
  });

  it('counts records nobody can read and goes on', async () => {
    const text = 'time,symbol,price\nyesterday,A,1\n1715938200,A,2\n';
    const { report, lines } = await replay(await file('bad-time.csv', text));
    expect(report).toMatchObject({ recordsRead: 2, rowsWritten: 1, skipped: { 'unreadable record': 1 } });
    expect(lines[0]).toMatchObject({ level: 'warn', fields: { record: 1 } });
  });
});

describe('recorded messages', () => {
  const trade = (id: number): string =>
    `{"e":"trade","s":"BTCUSDT","t":${id},"p":"1.50","q":"2","T":1723161601437,"m":true}`;
  const aggTrade = '{"e":"aggTrade","s":"BTCUSDT","a":9,"p":"1.50","q":"2","T":1723161601437,"m":false}';

  it('of Binance count a symbol recorded as trade and as aggTrade once', async () => {
    const path = await file('both.txt', [trade(1), aggTrade, trade(2)].join('\n'));
    const { recording, report } = await replay(path);
    expect(report.skipped).toEqual({ 'aggTrade beside the other kind of trade': 1 });
    expect(recording.rows('trades').map(({ trade_id: id, side }) => [id, side])).toEqual([
      [1n, 'sell'],
      [2n, 'sell'],
    ]);
  });

  it("of Coinbase name the taker's side, and repeat no trade after a second subscription", async () => {
    const match = (type: string, id: number): string =>
      `1618677841.38: {"type":"${type}","trade_id":${id},"side":"buy","size":"17","price":"0.7903",` +
      '"product_id":"SKL-USD","time":"2021-04-17T16:44:01.396513Z"}';
    const text = [
      'wss://x <-> 1618677816.8',
      match('last_match', 1),
      match('match', 2),
      match('last_match', 2),
    ];
    const { recording, report } = await replay(await file('coinbase.txt', text.join('\n')));
    expect(report.skipped).toEqual({ 'connection opened': 1, 'last_match already seen': 1 });
    expect(recording.rows('trades')[1]).toEqual({
      time: nsOf('2021-04-17T16:44:01.396Z') + 513_000n,
      symbol: 'SKL-USD',
      price: 0.7903,
      size: 17,
      side: 'sell',
      trade_id: 2n,
    });
  });
});

describe('what cannot be replayed', () => {
  it('is named: no file, no known format, no format of that name', async () => {
    await expect(replay(join(folder, 'none.csv'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(replay(await file('notes.txt', 'Dear diary\n'))).rejects.toThrow(
      'no known format begins with: Dear diary',
    );
    await expect(replay(await file('a.csv', 'time,price\n'), { format: 'tape' })).rejects.toMatchObject({
      message: "there is no replay format 'tape'",
      help: expect.stringContaining('gemini-trades'),
    });
    await expect(replay(await file('b.csv', 'time,price\n'), { format: 'taq-trades' })).rejects.toThrow(
      'b.csv is not taq-trades: it begins with time,price',
    );
  });

  it('because it breaks off is written as far as it goes', async () => {
    const lines = Array.from({ length: 50_000 }, (_, row) => `${1_715_938_200 + row},A,${row}`);
    const whole = gzipSync(`time,symbol,price\n${lines.join('\n')}\n`);
    const recording = recordingDatabase();
    const context = { database: recording.database, log: recordingLogger().log, clock: systemClock };
    const path = await file('torn.csv.gz', whole.subarray(0, whole.length - 20_000));
    await expect(replayFile(context, { file: path })).rejects.toThrow('cannot be read to its end');
    expect(recording.rows('trades').length).toBeGreaterThan(1000);
  });
});

describe('pace', () => {
  it('keeps the distances of the recording, divided by the speed', () => {
    let nowMs = 1000;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    const waitMs = createPacer(10, clock);
    const start = nsOf('2024-05-17T09:30:00Z');
    expect(waitMs(start)).toBe(0);
    expect(waitMs(start + 20_000_000_000n)).toBe(2000);
    nowMs += 1500;
    expect(waitMs(start + 20_000_000_000n)).toBe(500);
    // A late row, and one that is overdue, go out at once.
    expect(waitMs(start - 5_000_000_000n)).toBe(0);
    expect(waitMs(start + 1_000_000_000n)).toBe(0);
    expect(createPacer('max', clock)(start)).toBe(0);
  });

  it('is kept over a whole file, with progress on the way, and ends at once when told to', async () => {
    const rows = [0, 200, 400, 600_000].map((ms) => `${1_715_938_200_000 + ms},A,1`);
    const path = await file('paced.csv', ['ts,symbol,price', ...rows].join('\n'));
    const stopping = new AbortController();
    const seen: ReplayProgress[] = [];
    const startMs = performance.now();
    const { report, recording } = await replay(path, {
      speed: 2,
      signal: stopping.signal,
      onProgress: (progress) => {
        seen.push(progress);
        // The fourth row would be due in five minutes.
        if (progress.recordsRead === 4) stopping.abort();
      },
    });
    const elapsedMs = performance.now() - startMs;
    expect(elapsedMs).toBeGreaterThan(199);
    expect(elapsedMs).toBeLessThan(5000);
    expect(report).toMatchObject({ complete: false, rowsWritten: 3 });
    expect(recording.rows('trades')).toHaveLength(3);
    expect(seen.length).toBeGreaterThan(2);
  });
});

it('takes any number of rows in bounded memory: reading waits while the engine is busy', async () => {
  const lines = Array.from({ length: 200_000 }, (_, row) => `${1_715_938_200 + row},A,${row}`);
  const path = await file('long.csv', `time,symbol,price\n${lines.join('\n')}\n`);
  const recording = recordingDatabase();
  let rowsMax = 0;
  recording.onWrite = async (_, batch) => {
    rowsMax = Math.max(rowsMax, batch.rowCount);
    await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const context = { database: recording.database, log: recordingLogger().log, clock: systemClock };
  const report = await replayFile(context, { file: path });
  expect(report.rowsWritten).toBe(200_000);
  expect(rowsMax).toBeLessThanOrEqual(65_536);
});

it('runs as a configured feed and says that it has finished', async () => {
  const path = await file('feed.csv', 'time,symbol,price\n1715938200,A,1\n1715938201,A,2\n');
  const recording = recordingDatabase();
  const { log, lines } = recordingLogger();
  const manager = createFeedManager({ database: recording.database, log, clock: systemClock }, [
    { name: 'tape', kind: 'replay', options: { file: path, speed: 'max', table: 'tape' } },
    { name: 'lost', kind: 'replay', options: { file: `${path}.gone` } },
  ]);
  await manager.start();
  await waitUntil(() => manager.list().every(({ state }) => state !== 'connected'), 'the end of both');
  expect(manager.list()).toMatchObject([
    { name: 'tape', kind: 'replay', state: 'finished', table: 'tape', rowsWritten: 2, symbols: ['A'] },
    { name: 'lost', state: 'failed', lastError: expect.stringContaining('there is no file') },
  ]);
  expect(lines.some(({ message }) => message === 'replayed 2 rows')).toBe(true);
  await manager.stop();
});
