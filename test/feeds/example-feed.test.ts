/** The example of docs/feeds.md, as a user would run it: by its path, against a server that speaks Coinbase. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { open } from '../../src/engine/open.ts';
import { createFeedManager } from '../../src/feeds/manager.ts';
import { columnNamed, valueAt } from '../../src/market/columns.ts';
import { waitUntil } from '../support/wait-until.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A message as Coinbase sends them (recorded 2021-04-17), with its id and price changed. */
const match = (tradeId: number, price: string): string =>
  JSON.stringify({
    type: 'match',
    trade_id: tradeId,
    maker_order_id: '36273de3-d459-46c2-b0be-bb139fbad9f4',
    taker_order_id: '7161caca-e53a-4922-b0d9-d22fccae09b3',
    side: 'buy',
    size: '17',
    price,
    product_id: 'SKL-USD',
    sequence: 201392962,
    time: '2021-04-17T16:44:01.396513Z',
  });

async function coinbase() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const requests: unknown[] = [];
  let socket: WebSocket | undefined;
  server.on('connection', (connected) => {
    socket = connected;
    connected.on('message', (data) => requests.push(JSON.parse(String(data))));
  });
  closing.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as { port: number };
  return { url: `ws://127.0.0.1:${port}`, requests, socket: () => socket };
}

it('records trades, makes bars, comes back after a lost connection and takes symbols at run time', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-example-'));
  closing.push(() => rm(directory, { recursive: true }));
  const database = await open({ directory });
  closing.push(() => database.close());
  const server = await coinbase();
  const manager = createFeedManager({ database, log: silentLogger, clock: systemClock }, [
    {
      name: 'mine',
      module: resolve(import.meta.dirname, '../../examples/feeds/coinbase.js'),
      options: { url: server.url, products: ['SKL-USD'] },
    },
  ]);
  await manager.start();
  closing.push(() => manager.stop());
  await waitUntil(() => server.requests.length === 1, 'the subscription');
  expect(server.requests).toEqual([{ type: 'subscribe', product_ids: ['SKL-USD'], channels: ['matches'] }]);

  server.socket()?.send('{"type":"subscriptions","channels":[]}');
  server.socket()?.send(match(1, '0.7903'));
  server.socket()?.send('not JSON');
  server.socket()?.send(match(2, '0.8001'));
  await waitUntil(() => manager.list()[0].rowsReceived === 3, 'the messages');
  server.socket()?.terminate();
  await waitUntil(() => server.requests.length === 2, 'the subscription after the loss');
  server.socket()?.send(match(3, '0.7500'));
  await manager.subscribe('mine', ['SKL-BTC']);
  await waitUntil(() => server.requests.length === 3, 'the new symbol');
  await waitUntil(() => manager.list()[0].rowsWritten === 3, 'the rows');
  expect(manager.list()[0]).toMatchObject({
    kind: 'coinbase',
    state: 'connected',
    reconnects: 1,
    rowsRejected: 1,
    symbols: ['SKL-USD', 'SKL-BTC'],
    lastError: null,
  });

  const bars = await database.bars({ table: 'coinbase_trades', timeframe: '1m' });
  const bar = Object.fromEntries(
    ['open', 'high', 'low', 'close', 'volume', 'trades'].map((name) => {
      const column = columnNamed(bars, name);
      return [name, column && valueAt(column, 0)];
    }),
  );
  expect(bar).toEqual({ open: 0.7903, high: 0.8001, low: 0.75, close: 0.75, volume: 51, trades: 3n });
});
