/**
 * How long a tick takes from one client's socket to another client's live bar, while 20,000 ticks a second come in.
 *
 * Writes go out on time whatever the answers do. A write whose own state was not sent, because a later one came first,
 * was seen with that later one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { quantile } from '../harness/statistics.ts';
import { httpClient, type Post, postJson } from '../support/http-client.ts';
import { startHttpProcess } from '../support/http-process.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { makeTicks, symbolNames, type Ticks, tradesCandles, tradesTable } from '../support/ticks.ts';

const ticksPerSecond = 20_000;
const intervalMs = 2;
const connections = 4;
const ticksPerWrite = (ticksPerSecond / 1000) * intervalMs;
/** The first writes are not counted: the server is still compiling. */
const warmUpMs = 2_000;

/** Each write carries one tick of this symbol, whose price is the number of the write. */
const marked = 'MARK';

/** One scenario: rows are the ticks offered. */
export const liveLatencyScenario: Scenario = {
  name: 'live-latency',
  title: `tick on one socket to live 1s bar on another, ${ticksPerSecond.toLocaleString('en')} durable ticks/s`,
  rows: 300_000,
  target: '5 ms p99',
  runs: [
    {
      name: 'candela',
      run: ({ rows }) =>
        withTemporaryDirectory(async (directory) => {
          const server = await startHttpProcess(directory);
          try {
            const post = httpClient(server.port, connections);
            await postJson(post, 'tables', tradesTable);
            await postJson(post, 'candles', tradesCandles);
            return await measure(server.port, post, makeTicks(rows));
          } finally {
            await server.stop();
          }
        }),
    },
  ],
};

async function measure(port: number, post: Post, ticks: Ticks): Promise<Figure[]> {
  const sentMs: number[] = [];
  const latencies: number[] = [];
  let seen = 0;
  const socket = await subscribe(port, (write) => {
    const now = performance.now();
    for (; seen <= write; seen++) if (sentMs[seen] - startMs > warmUpMs) latencies.push(now - sentMs[seen]);
  });
  const startMs = performance.now();
  const writes = Math.floor(ticks.count / ticksPerWrite);
  const acknowledged: Promise<unknown>[] = [];
  for (let write = 0; write < writes; write++) {
    const dueMs = startMs + write * intervalMs;
    const aheadMs = dueMs - performance.now();
    if (aheadMs > 1) await pause(aheadMs);
    const body = columnsOf(ticks, write);
    sentMs[write] = performance.now();
    acknowledged.push(postJson(post, 'write/trades', body));
  }
  await Promise.all(acknowledged);
  const tookMs = performance.now() - startMs;
  await pause(200);
  socket.close();
  return [
    { label: 'p50', value: quantile(latencies, 0.5), unit: 'ms' },
    { label: 'p99', value: quantile(latencies, 0.99), unit: 'ms' },
    { label: 'max', value: quantile(latencies, 1), unit: 'ms' },
    { label: 'offered', value: (ticks.count / tookMs) * 1000, unit: 'rows/s' },
  ];
}

/** Calls back with the number of the newest write that a live bar shows. */
async function subscribe(port: number, onWrite: (write: number) => void): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const confirmed = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const event = JSON.parse(String(data)) as { type: string; columns: { close: number[] } };
      if (event.type === 'subscribed') resolve();
      else if (event.type === 'live') onWrite(event.columns.close[0]);
    });
  });
  const request = {
    op: 'subscribe',
    id: 'm',
    table: 'trades',
    timeframe: '1s',
    symbols: [marked],
    closed: false,
  };
  socket.send(JSON.stringify(request));
  await confirmed;
  return socket;
}

/** The marked tick first, then others of all symbols, all at one moment. */
function columnsOf(ticks: Ticks, write: number): unknown {
  const from = write * ticksPerWrite;
  const to = from + ticksPerWrite - 1;
  return {
    columns: {
      time: Number(ticks.timesNs[from] / 1_000_000n),
      symbol: [marked, ...Array.from(ticks.symbols.subarray(from, to), (symbol) => symbolNames[symbol])],
      price: [write, ...ticks.prices.subarray(from, to)],
      size: [1, ...ticks.sizes.subarray(from, to)],
    },
  };
}
