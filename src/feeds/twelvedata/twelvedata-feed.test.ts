/** The feed against the simulator over a real socket: what goes wrong with exchanges goes wrong here on request. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { feedSurroundings } from '../../../test/support/feed-surroundings.ts';
import { recordingDatabase } from '../../../test/support/recording-database.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';
import type { Feed } from '../feed.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../simulator/simulator.ts';
import { twelveDataPlugin } from './plugin.ts';

const closing: (() => Promise<unknown> | undefined)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator({ rate: 200, ...options });
  closing.push(() => simulator.close());
  return simulator;
}

/** A started feed that hurries: heartbeats every 50 ms, reconnects after some 20. */
async function connect(url: string, options: Record<string, unknown> = {}) {
  const recording = recordingDatabase();
  const { context, lines } = feedSurroundings(recording.database);
  const hurried = { heartbeatMs: 50, reconnectMsMin: 20, reconnectMsMax: 80, batchMs: 10 };
  const feed: Feed = twelveDataPlugin.create('test', { url, apiKey: 'k', ...hurried, ...options }, context);
  closing.push(() => feed.stop());
  await feed.start();
  return { feed, recording, lines };
}

const rowCount = (recording: { rows(table: string): unknown[] }): number =>
  recording.rows('stocks_real_time').length;

describe('a healthy connection', () => {
  it('makes the tables of the tutorial, with bars from a second to a day', async () => {
    const { url } = await simulate();
    const { recording } = await connect(url, { symbols: 'AAPL' });
    expect(recording.database.table('stocks_real_time')).toMatchObject({
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
    });
    expect(recording.database.table('company')).toMatchObject({ kind: 'plain', seriesKey: ['symbol'] });
    expect(recording.candles).toEqual([
      {
        source: 'stocks_real_time',
        price: 'price',
        cumulativeVolume: 'day_volume',
        timeframes: ['1s', '5s', '1m', '5m', '15m', '1h', '4h', '1d'],
      },
    ]);
  });

  it('writes every price event it was sent, once and in order', async () => {
    const simulator = await simulate();
    const { feed, recording } = await connect(simulator.url, { symbols: ['AAPL', 'btc/usd'] });
    await waitUntil(() => rowCount(recording) > 300, '300 rows');
    simulator.silence(true);
    const sent = simulator.eventsSent();
    await waitUntil(() => feed.status().rowsReceived === sent, 'all events received');
    await feed.stop();
    const rows = recording.rows('stocks_real_time');
    expect(rows).toHaveLength(sent);
    expect(feed.status()).toMatchObject({ state: 'stopped', rowsWritten: sent, rowsRejected: 0 });
    // Running totals of one symbol only grow, so the order of arrival can be seen in them.
    const totals = rows
      .filter(({ symbol }) => symbol === 'AAPL')
      .map(({ day_volume: total }) => Number(total));
    expect(totals.length).toBeGreaterThan(50);
    expect(totals.every((total, row) => row === 0 || total > totals[row - 1])).toBe(true);
    // Whole seconds, kept as given.
    expect(rows.every(({ time }) => (time as bigint) % 1_000_000_000n === 0n)).toBe(true);
  });

  it('says that the prices are simulated, in status and log', async () => {
    const { url } = await simulate();
    const { feed, lines } = await connect(url, { symbols: 'AAPL' });
    await waitUntil(() => feed.status().simulated, 'simulated');
    expect(lines.filter(({ message }) => message.includes('SIMULATED'))).toHaveLength(1);
  });

  it('fills the company table with the names the source gives, each once', async () => {
    const { url } = await simulate();
    const { feed, recording } = await connect(url, { symbols: 'AAPL, ETH/BTC' });
    await waitUntil(() => rowCount(recording) > 100, 'rows');
    await feed.stop();
    expect(recording.rows('company')).toEqual([
      { symbol: 'AAPL', name: 'Apple Inc' },
      { symbol: 'ETH/BTC', name: 'Ethereum / Bitcoin' },
    ]);
  });

  it('subscribes and unsubscribes at run time', async () => {
    const { url } = await simulate();
    const { feed, recording } = await connect(url, { symbols: 'AAPL' });
    await waitUntil(() => rowCount(recording) > 10, 'rows of AAPL');
    await feed.subscribe?.(['msft']);
    await waitUntil(() => recording.rows('stocks_real_time').some(({ symbol }) => symbol === 'MSFT'), 'MSFT');
    await feed.unsubscribe?.(['AAPL']);
    expect(feed.status().symbols).toEqual(['MSFT']);
    await waitUntil(() => {
      const last = recording.rows('stocks_real_time').slice(-40);
      return last.length === 40 && last.every(({ symbol }) => symbol === 'MSFT');
    }, 'only MSFT');
  });

  it('keeps late and duplicate events as they came', async () => {
    const simulator = await simulate({ lateShare: 0.2, lateMs: 1100, duplicateShare: 0.2 });
    const { recording } = await connect(simulator.url, { symbols: 'AAPL' });
    await waitUntil(() => {
      const times = recording.rows('stocks_real_time').map(({ time }) => time as bigint);
      return times.some((time, row) => row > 0 && time < times[row - 1]);
    }, 'a late row');
    const keys = recording.rows('stocks_real_time').map((row) => `${row.time} ${row.day_volume}`);
    expect(new Set(keys).size).toBeLessThan(keys.length);
  });
});

describe('trouble', () => {
  it('names symbols the source refuses, in status and log', async () => {
    const { url } = await simulate();
    const { feed, lines } = await connect(url, { symbols: 'AAPL, NOSUCH' });
    await waitUntil(() => feed.status().failedSymbols.length > 0, 'a failed symbol');
    expect(feed.status().failedSymbols).toEqual([
      { symbol: 'NOSUCH', reason: 'subscribe answered with status warning' },
    ]);
    expect(feed.status().symbols).toEqual(['AAPL']);
    expect(feed.status().lastError).toContain('NOSUCH');
    expect(lines.some(({ level, message }) => level === 'warn' && message.includes('NOSUCH'))).toBe(true);
    await feed.unsubscribe?.(['NOSUCH']);
    await feed.subscribe?.(['MSFT']);
    await waitUntil(() => feed.status().lastError === null, 'all well again');
    expect(feed.status().failedSymbols).toEqual([]);
  });

  it('explains a wrong key, keeps trying, and never logs the key', async () => {
    const { url } = await simulate({ apiKey: 'right' });
    const { feed, lines } = await connect(url, { symbols: 'AAPL', apiKey: 'wr0ng' });
    await waitUntil(() => lines.length >= 2, 'two attempts');
    expect(feed.status()).toMatchObject({ state: 'reconnecting', reconnects: 0 });
    expect(feed.status().lastError).toMatch(
      /^Handshake status 200 OK: check that the API key is the one you got from Twelve Data/,
    );
    expect(JSON.stringify(lines)).not.toContain('wr0ng');
  });

  it.each(['close', 'terminate'] as const)('comes back and subscribes again after a %s', async (kind) => {
    const simulator = await simulate();
    const { feed, recording, lines } = await connect(simulator.url, { symbols: 'AAPL' });
    await feed.subscribe?.(['MSFT']);
    await waitUntil(() => rowCount(recording) > 20, 'rows');
    simulator.drop(kind);
    await waitUntil(() => feed.status().reconnects === 1, 'a reconnect');
    const before = rowCount(recording);
    await waitUntil(() => {
      const symbols = new Set(
        recording
          .rows('stocks_real_time')
          .slice(before)
          .map(({ symbol }) => symbol),
      );
      return symbols.has('AAPL') && symbols.has('MSFT');
    }, 'rows of both symbols');
    expect(feed.status()).toMatchObject({ state: 'connected', lastError: null });
    expect(lines.some(({ message }) => message.startsWith('connected again'))).toBe(true);
  });

  it('takes silence for a dead connection', async () => {
    const simulator = await simulate();
    const { feed, lines } = await connect(simulator.url, { symbols: 'AAPL' });
    await waitUntil(() => feed.status().rowsReceived > 0, 'rows');
    simulator.silence(true);
    await waitUntil(() => lines.some(({ message }) => message.includes('no message for')), 'silence noticed');
    simulator.silence(false);
    await waitUntil(() => feed.status().reconnects > 0 && feed.status().lastError === null, 'up again');
  });

  it('stops reading when the engine does not keep up, and loses nothing of a burst', async () => {
    const simulator = await simulate({ rate: 0 });
    const { feed, recording } = await connect(simulator.url, { symbols: 'AAPL, MSFT', batchRows: 1000 });
    let largest = 0;
    recording.onWrite = async (_, batch) => {
      largest = Math.max(largest, batch.rowCount);
      await new Promise((resolve) => setTimeout(resolve, 200));
    };
    await waitUntil(() => feed.status().state === 'connected', 'connected');
    await waitUntil(() => feed.status().lastEventMs !== null, 'subscribed');
    for (let burst = 0; burst < 3; burst++) simulator.burst(50_000);
    await waitUntil(() => feed.status().rowsWritten === 150_000, 'all rows', 20_000);
    expect(simulator.eventsSent()).toBe(150_000);
    // The bound is 65,536 rows, overrun at most by what the socket had already delivered.
    expect(largest).toBeLessThan(75_000);
  });

  it('counts and logs what is no price', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const price = { event: 'price', symbol: 'AAPL', timestamp: 1_700_000_000, price: 1 };
    server.on('connection', (socket) => {
      for (const event of [
        price,
        { ...price, price: null },
        { ...price, timestamp: 1_700_000_000_123 },
        { ...price, timestamp: 'noon' },
        { ...price, symbol: '' },
      ]) {
        socket.send(JSON.stringify(event));
      }
      socket.send('<html>');
      socket.send(JSON.stringify({ event: 'message-processing', status: 'error', messages: ['bad action'] }));
    });
    const { port } = server.address() as { port: number };
    const { feed, lines } = await connect(`ws://127.0.0.1:${port}`, { symbols: 'AAPL' });
    await waitUntil(() => feed.status().rowsReceived === 6, 'all events');
    await waitUntil(() => feed.status().rowsWritten === 1, 'the good one');
    expect(feed.status()).toMatchObject({
      rowsRejected: 5,
      lastError: 'the source could not read a message: bad action',
    });
    await waitUntil(() => lines.some(({ message }) => message.startsWith('5 rows rejected')), 'the log line');
    for (const client of server.clients) client.terminate();
  });

  it('waits longer after each failure, up to the limit, never twice the same', async () => {
    const gone = await simulate();
    await gone.close();
    const { lines } = await connect(gone.url, { symbols: 'AAPL', reconnectMsMin: 10, reconnectMsMax: 60 });
    await waitUntil(() => lines.length >= 5, 'five attempts');
    const delays = lines.map(({ fields }) => (fields as { delayMs: number }).delayMs);
    const longest = [20, 40, 60, 60, 60];
    for (const [attempt, limitMs] of longest.entries()) {
      expect(delays[attempt]).toBeGreaterThanOrEqual(limitMs / 2 - 1);
      expect(delays[attempt]).toBeLessThanOrEqual(limitMs);
    }
  });

  it('writes what it holds when it is stopped', async () => {
    const simulator = await simulate({ rate: 0 });
    const { feed, recording } = await connect(simulator.url, { symbols: 'AAPL', batchMs: 60_000 });
    await waitUntil(() => feed.status().lastEventMs !== null, 'subscribed');
    simulator.burst(37);
    await waitUntil(() => feed.status().rowsReceived === 37, 'received');
    expect(rowCount(recording)).toBe(0);
    await feed.stop();
    expect(rowCount(recording)).toBe(37);
  });
});

it('runs several connections side by side', async () => {
  const simulator = await simulate();
  const stocks = await connect(simulator.url, { symbols: 'AAPL' });
  const coins = await connect(simulator.url, { symbols: 'BTC/USD' });
  await waitUntil(() => rowCount(stocks.recording) > 20 && rowCount(coins.recording) > 20, 'rows of both');
  expect(simulator.clientCount()).toBe(2);
});
