import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSocket, startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({
    limits: {
      wsSubscriptionsMax: 2,
      wsMessageBytesMax: 2_000,
      wsMessagesPerSecondMax: 50,
      wsBufferedBytesMax: 100_000,
    },
  });
  await server.post('/api/v1/tables', tradesTable);
  await server.post('/api/v1/candles', {
    source: 'trades',
    price: 'price',
    volume: 'size',
    timeframes: ['1s', '1m'],
  });
});

afterAll(() => server.end());

const write = (rows: object[]) => server.post('/api/v1/write/trades', rows);

describe('/ws', () => {
  it('sends a snapshot and then every change while others write, with no hole and no repeat', async () => {
    let price = 0;
    const next = () => ({ time: 1_700_000_000 + price, symbol: 'S', price: price++, size: 1 });
    await write([next(), next()]);
    let isWriting = true;
    const writer = (async () => {
      while (isWriting) await write([next(), next(), next()]);
    })();
    const client = await openSocket(server.url);
    client.send({ op: 'subscribe', id: 't', table: 'trades', symbols: ['S'], snapshot: 1_000_000 });
    await client.until((event) => event.type === 'ticks');
    await new Promise((resolve) => setTimeout(resolve, 200));
    isWriting = false;
    await writer;
    await client.until(
      (event) => event.type === 'ticks' && (event.columns.price.at(-1) as number) === price - 1,
    );
    expect(client.events.map(({ type }) => type).slice(0, 2)).toEqual(['subscribed', 'snapshot']);
    const prices = client.events.flatMap((event) => ('columns' in event ? event.columns.price : []));
    expect(prices).toEqual(Array.from({ length: price }, (_, i) => i));
    client.socket.close();
  });

  it('streams live bars, closes them, and corrects them when a tick is late', async () => {
    const client = await openSocket(server.url);
    const subscribe = {
      op: 'subscribe',
      table: 'trades',
      timeframe: '1m',
      symbols: ['L'],
      snapshot: 10,
      time: 's',
    };
    client.send({ ...subscribe, id: 'bars' });
    await client.until((event) => event.type === 'subscribed');
    await write([{ time: 1_700_000_040, symbol: 'L', price: 5, size: 1 }]);
    const live = await client.until((event) => event.type === 'live');
    expect(live).toMatchObject({ id: 'bars', columns: { time: [1_700_000_040], symbol: ['L'], close: [5] } });
    await write([{ time: 1_700_000_100, symbol: 'L', price: 6, size: 1 }]);
    const closed = await client.until((event) => event.type === 'closed');
    expect(closed).toMatchObject({ columns: { time: [1_700_000_040], close: [5], volume: [1] } });
    await write([{ time: 1_700_000_050, symbol: 'L', price: 9, size: 2 }]);
    const corrected = await client.until((event) => event.type === 'correction');
    expect(corrected).toMatchObject({ columns: { time: [1_700_000_040], close: [9], volume: [3] } });
    client.send({ op: 'unsubscribe', id: 'bars' });
    await client.until((event) => event.type === 'unsubscribed');
    client.socket.close();
  });

  it('answers pings, and mistakes with what to do', async () => {
    const client = await openSocket(server.url);
    client.send({ op: 'ping' });
    await client.until((event) => event.type === 'pong');
    const mistakes: [object | string, string][] = [
      ['not json', 'SYNTAX'],
      [{ op: 'dance', id: 'x' }, 'INVALID_ARGUMENT'],
      [{ op: 'subscribe', id: 'x', table: 'none' }, 'TABLE_NOT_FOUND'],
      [{ op: 'subscribe', id: 'x', table: 'trades', timeframe: '7m' }, 'TIMEFRAME_NOT_FOUND'],
      [{ op: 'subscribe', id: 'x', table: 'trades', snapshot: -1 }, 'INVALID_ARGUMENT'],
      [{ op: 'unsubscribe', id: 'never' }, 'INVALID_ARGUMENT'],
    ];
    for (const [message, code] of mistakes) {
      const before = client.events.length;
      client.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      await client.until((event) => client.events.indexOf(event) >= before && event.type === 'error');
      expect(client.events.at(-1)).toMatchObject({
        type: 'error',
        error: { code, help: expect.stringMatching(/.{5}/) },
      });
    }
    client.socket.close();
  });

  it('holds clients to their limits', async () => {
    const client = await openSocket(server.url);
    for (const id of ['a', 'b', 'c']) client.send({ op: 'subscribe', id, table: 'trades' });
    const refused = await client.until((event) => event.type === 'error');
    expect(refused).toMatchObject({ id: 'c', error: { code: 'LIMIT_EXCEEDED' } });
    const closed = new Promise((resolve) => client.socket.once('close', (code) => resolve(code)));
    for (let i = 0; i < 60; i++) client.send({ op: 'ping' });
    expect(await closed).toBe(1008);
    const talker = await openSocket(server.url);
    const ended = new Promise((resolve) => talker.socket.once('close', (code) => resolve(code)));
    talker.socket.send('x'.repeat(3_000));
    expect(await ended).toBe(1009);
  });

  it('refuses fields that nobody knows, and snapshots that are too large', async () => {
    await write([{ time: 1_700_000_000, symbol: 'BIG', price: 1, size: 1 }]);
    const client = await openSocket(server.url);
    client.send({ op: 'subscribe', id: 'm', table: 'trades', symbol: ['A'] });
    expect(await client.until((event) => event.type === 'error')).toMatchObject({
      id: 'm',
      error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining("'symbol'") },
    });
    const small = await startTestServer({ limits: { wsSnapshotRowsMax: 5 } });
    await small.post('/api/v1/tables', tradesTable);
    const rows = Array.from({ length: 6 }, (_, i) => ({ time: i + 1, symbol: 'A', price: i, size: 1 }));
    await small.post('/api/v1/write/trades', rows);
    const other = await openSocket(small.url);
    other.send({ op: 'subscribe', id: 'all', table: 'trades', snapshot: 6 });
    expect(await other.until((event) => event.type === 'error')).toMatchObject({
      error: { code: 'LIMIT_EXCEEDED' },
    });
    other.send({ op: 'subscribe', id: 'all', table: 'trades', snapshot: 5 });
    expect(await other.until((event) => event.type === 'snapshot')).toMatchObject({ rowCount: 5 });
    client.socket.close();
    await small.end();
  });

  it('gives the same rows to several clients, each in its own time format', async () => {
    const clients = await Promise.all(['iso', 'ms', 'ms', 'ns'].map(() => openSocket(server.url)));
    const formats = ['iso', 'ms', 'ms', 'ns'];
    for (const [i, client] of clients.entries())
      client.send({ op: 'subscribe', id: `${i}`, table: 'trades', time: formats[i] });
    await Promise.all(clients.map((client) => client.until((event) => event.type === 'subscribed')));
    await write([{ time: 1_700_000_000, symbol: 'SAME', price: 7, size: 1 }]);
    const times = await Promise.all(
      clients.map(async (client) => {
        const event = await client.until(
          (one) => one.type === 'ticks' && one.columns.symbol.includes('SAME'),
        );
        return 'columns' in event ? [event.id, event.columns.time[0]] : null;
      }),
    );
    expect(times).toEqual([
      ['0', '2023-11-14T22:13:20Z'],
      ['1', 1_700_000_000_000],
      ['2', 1_700_000_000_000],
      ['3', '1700000000000000000'],
    ]);
    for (const { socket } of clients) socket.close();
  });

  it('tells when the table of a subscription is dropped', async () => {
    await server.post('/api/v1/tables', { ...tradesTable, name: 'passing' });
    const client = await openSocket(server.url);
    client.send({ op: 'subscribe', id: 'p', table: 'passing' });
    await client.until((event) => event.type === 'subscribed');
    await fetch(`${server.url}/api/v1/tables/passing`, { method: 'DELETE' });
    expect(await client.until((event) => event.type === 'error')).toMatchObject({
      id: 'p',
      error: { code: 'TABLE_NOT_FOUND' },
    });
    client.send({ op: 'subscribe', id: 'p', table: 'trades' });
    await client.until((event) => event.type === 'subscribed' && client.events.indexOf(event) > 1);
    client.socket.close();
  });

  it('takes a name again as soon as it is free, also while its snapshot is read', async () => {
    const client = await openSocket(server.url);
    const asked = { op: 'subscribe', id: 'n', table: 'trades', snapshot: 1 };
    client.send(asked);
    client.send({ op: 'unsubscribe', id: 'n' });
    client.send(asked);
    client.send(asked);
    expect(await client.until((event) => event.type === 'error')).toMatchObject({
      error: { message: expect.stringContaining('already') },
    });
    await client.until((event) => event.type === 'snapshot');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const types = client.events.map(({ type }) => type).filter((type) => type !== 'error');
    expect(types).toEqual(['unsubscribed', 'subscribed', 'snapshot']);
    client.socket.close();
  });

  it('lets pages of other sites not connect', async () => {
    await expect(openSocket(server.url, { origin: 'https://evil.example' })).rejects.toThrow('403');
  });

  it('lets go, with the reason, of a client that does not read for too long', async () => {
    const strict = await startTestServer({ limits: { wsBufferedBytesMax: 10_000, wsStalledMsMax: 100 } });
    await strict.post('/api/v1/tables', tradesTable);
    const client = await openSocket(strict.url);
    client.send({ op: 'subscribe', id: 's', table: 'trades' });
    await client.until((event) => event.type === 'subscribed');
    client.socket.pause();
    const price = Array.from({ length: 20_000 }, (_, i) => i);
    const rows = { columns: { time: 1_700_000_000, symbol: 'S', price, size: 1 } };
    for (let i = 0; i < 12; i++) expect((await strict.post('/api/v1/write/trades', rows)).status).toBe(200);
    const subscriptions = () => strict.database.status().subscriptions;
    for (let i = 0; i < 50 && subscriptions() > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    expect(subscriptions()).toBe(0);
    const closed = new Promise((resolve) =>
      client.socket.once('close', (code, reason) => resolve([code, String(reason)])),
    );
    client.socket.resume();
    expect(await closed).toEqual([
      1013,
      expect.stringMatching(/^the client reads too slowly: \d+ bytes unsent$/),
    ]);
    await strict.end();
  }, 30_000);

  it('tells a client how many rows it missed, and loses none without telling', async () => {
    const client = await openSocket(server.url);
    client.send({ op: 'subscribe', id: 'l', table: 'trades', symbols: ['LAG'] });
    await client.until((event) => event.type === 'subscribed');
    client.socket.pause();
    const batch = 20_000;
    const batches = 15;
    for (let i = 0; i < batches; i++) {
      const price = Array.from({ length: batch }, (_, row) => i * batch + row);
      await server.post('/api/v1/write/trades', {
        columns: { time: 1_700_000_000, symbol: 'LAG', price, size: 1 },
      });
    }
    client.socket.resume();
    await client.until(
      (event) => event.type === 'ticks' && event.columns.price.at(-1) === batch * batches - 1,
    );
    let received = 0;
    let dropped = 0;
    for (const event of client.events) {
      if (event.type === 'ticks') {
        expect(event.columns.price[0]).toBe(received + dropped);
        received += event.rowCount;
      } else if (event.type === 'lagged') dropped += event.dropped;
    }
    expect(dropped).toBeGreaterThan(0);
    expect(received + dropped).toBe(batch * batches);
    client.socket.close();
  }, 30_000);

  it('conflates live bars for a client that does not read, and goes on when it reads again', async () => {
    const client = await openSocket(server.url);
    client.send({ op: 'subscribe', id: 'slow', table: 'trades', timeframe: '1m', symbols: ['C*'] });
    await client.until((event) => event.type === 'subscribed');
    client.socket.pause();
    const symbols = Array.from({ length: 1_000 }, (_, i) => `C${i}`);
    const columns = { time: symbols.map(() => 1_700_000_000), symbol: symbols, size: symbols.map(() => 1) };
    for (let price = 0; price < 250; price++) {
      await server.post('/api/v1/write/trades', { columns: { ...columns, price: symbols.map(() => price) } });
    }
    client.socket.resume();
    const last = await client.until((event) => event.type === 'live' && event.columns.close.includes(249));
    expect(last).toBeTruthy();
    // 250 states of 1,000 bars were there to send, more than sockets buffer; the client got fewer, and the
    // newest of each.
    const states = client.events.reduce(
      (count, event) => count + ('rowCount' in event ? event.rowCount : 0),
      0,
    );
    expect(states).toBeLessThan(200_000);
    const close = new Map<unknown, unknown>();
    for (const event of client.events) {
      if (event.type === 'live')
        for (const [i, symbol] of event.columns.symbol.entries()) close.set(symbol, event.columns.close[i]);
    }
    expect([...new Set(close.values())]).toEqual([249]);
    client.socket.close();
  }, 30_000);
});
