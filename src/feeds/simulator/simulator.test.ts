/** The simulator as a client sees it. */
import { once } from 'node:events';
import { get } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { waitUntil } from '../../../test/support/wait-until.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { type SimulatorOptions, startSimulator } from './simulator.ts';

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Event = Record<string, unknown>;

async function connect(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ rate: 0, ...options });
  closing.push(() => simulator.close());
  const socket = new WebSocket(`${simulator.url}?apikey=any`);
  closing.push(() => socket.terminate());
  const events: Event[] = [];
  socket.on('message', (data) => events.push(JSON.parse(String(data)) as Event));
  await once(socket, 'open');
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const next = async (name: string): Promise<Event> => {
    await waitUntil(() => events.some(({ event }) => event === name), name);
    return events.splice(
      events.findIndex(({ event }) => event === name),
      1,
    )[0];
  };
  return { simulator, socket, events, send, next };
}

const subscribe = (symbols: unknown): object => ({ action: 'subscribe', params: { symbols } });

describe('the protocol', () => {
  it('answers a subscription with what it has and what it has not', async () => {
    const { send, next } = await connect();
    send(subscribe('btc/usd, AAPL,NOSUCH'));
    expect(await next('subscribe-status')).toEqual({
      event: 'subscribe-status',
      status: 'warning',
      success: [
        {
          symbol: 'BTC/USD',
          exchange: 'SIMULATED',
          mic_code: 'SIMULATED',
          country: '',
          type: 'Digital Currency',
          name: 'Bitcoin / US Dollar',
        },
        {
          symbol: 'AAPL',
          exchange: 'SIMULATED',
          mic_code: 'SIMULATED',
          country: '',
          type: 'Common Stock',
          name: 'Apple Inc',
        },
      ],
      fails: [{ symbol: 'NOSUCH' }],
    });
    send(subscribe([{ symbol: 'MSFT', exchange: 'NASDAQ' }]));
    expect(await next('subscribe-status')).toMatchObject({ status: 'ok', fails: null });
    send(subscribe('NOSUCH'));
    expect(await next('subscribe-status')).toMatchObject({ status: 'error', success: [] });
  });

  // The fields of the seed's price events, which clients are written against.
  it('shapes price events as Twelve Data does', async () => {
    const { simulator, send, next } = await connect();
    send(subscribe('BTC/USD'));
    await next('subscribe-status');
    simulator.burst(1);
    const event = await next('price');
    expect(event).toEqual({
      event: 'price',
      symbol: 'BTC/USD',
      currency_base: 'Bitcoin',
      currency_quote: 'US Dollar',
      exchange: 'SIMULATED',
      type: 'Digital Currency',
      timestamp: expect.any(Number),
      price: expect.any(Number),
      bid: expect.any(Number),
      ask: expect.any(Number),
      day_volume: expect.any(Number),
    });
    expect(Number.isInteger(event.timestamp)).toBe(true);
    expect(Math.abs(Number(event.timestamp) - Date.now() / 1000)).toBeLessThan(5);
  });

  it('answers heartbeats, resets and WebSocket pings', async () => {
    const { simulator, socket, send, next, events } = await connect();
    send({ action: 'heartbeat' });
    expect(await next('heartbeat')).toEqual({ event: 'heartbeat', status: 'ok' });
    send(subscribe('AAPL'));
    await next('subscribe-status');
    send({ action: 'reset' });
    expect(await next('reset-status')).toEqual({ event: 'reset-status', status: 'ok' });
    const pong = once(socket, 'pong');
    socket.ping('ping');
    expect(String((await pong)[0])).toBe('ping');
    simulator.burst(10);
    send({ action: 'heartbeat' });
    await next('heartbeat');
    expect(events).toEqual([]);
  });

  it('sends no more of what was unsubscribed', async () => {
    const { simulator, send, next, events } = await connect();
    send(subscribe('AAPL,MSFT'));
    await next('subscribe-status');
    send({ action: 'unsubscribe', params: { symbols: 'AAPL' } });
    expect(await next('unsubscribe-status')).toMatchObject({ status: 'ok', fails: null });
    simulator.burst(3);
    await waitUntil(() => events.length === 3, 'events');
    expect(events.map(({ symbol }) => symbol)).toEqual(['MSFT', 'MSFT', 'MSFT']);
  });

  it.each([
    ['what is not JSON', 'hello', 'the message is not JSON'],
    ['an unknown action', '{"action":"buy"}', 'unknown action "buy"'],
    ['a subscription without symbols', '{"action":"subscribe"}', 'subscribe needs params.symbols'],
    [
      'mischief beyond bounds',
      '{"action":"simulate","params":{"lateShare":2}}',
      'lateShare must be a number from 0 to 1',
    ],
  ])('reports %s', async (_, text, message) => {
    const { socket, next } = await connect();
    socket.send(text);
    expect(await next('message-processing')).toEqual({
      event: 'message-processing',
      status: 'error',
      messages: [message],
    });
  });

  it('answers a wrong key with plain HTTP 200 and a JSON error', async () => {
    const { simulator } = await connect({ apiKey: 'any' });
    const socket = new WebSocket(`${simulator.url}?apikey=other`);
    const [, response] = await once(socket, 'unexpected-response');
    expect(response.statusCode).toBe(200);
    let body = '';
    for await (const chunk of response) body += chunk;
    expect(JSON.parse(body)).toMatchObject({ code: 401, status: 'error' });
  });

  it('sends plain requests elsewhere', async () => {
    const { simulator } = await connect();
    const [response] = await once(get(`http://127.0.0.1:${simulator.port}/`), 'response');
    expect(response.statusCode).toBe(404);
    response.resume();
  });
});

describe('the market', () => {
  it('repeats itself for the same seed, and not for another', async () => {
    const prices = async (seed: number): Promise<unknown[]> => {
      const { simulator, send, next, events } = await connect({ seed });
      send(subscribe('AAPL,BTC/USD'));
      await next('subscribe-status');
      simulator.burst(200);
      await waitUntil(() => events.length === 200, 'events');
      return events.map(({ symbol, price }) => [symbol, price]);
    };
    const first = await prices(7);
    expect(await prices(7)).toEqual(first);
    expect(await prices(8)).not.toEqual(first);
  });

  it('keeps the rates asked for, each symbol its own', async () => {
    const { send, next, events } = await connect({ rate: 400, rates: { MSFT: 100 } });
    send(subscribe('AAPL,MSFT'));
    await next('subscribe-status');
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const seconds = (performance.now() - startMs) / 1000;
    const perSecond = (name: string): number =>
      events.filter(({ symbol }) => symbol === name).length / seconds;
    // A Poisson count of mean 400 is within 20 % but once in ten thousand times; the machine's timing has the rest.
    expect(perSecond('AAPL')).toBeGreaterThan(260);
    expect(perSecond('AAPL')).toBeLessThan(540);
    expect(perSecond('MSFT')).toBeLessThan(perSecond('AAPL') / 2);
  });

  it('delivers late events with their own time, and duplicates unchanged', async () => {
    let aheadMs = 0;
    const clock: Clock = {
      nowMs: () => systemClock.nowMs() + aheadMs,
      monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    };
    const { simulator, send, next, events } = await connect({ clock, lateShare: 1, lateMs: 60_000 });
    send(subscribe('AAPL'));
    await next('subscribe-status');
    simulator.burst(5);
    simulator.change({ lateShare: 0, duplicateShare: 1 });
    aheadMs = 59_000;
    simulator.burst(1);
    await waitUntil(() => events.length === 2, 'the duplicate');
    expect(events[1]).toEqual(events[0]);
    aheadMs = 61_000;
    await waitUntil(() => events.length === 7, 'the late events');
    for (const late of events.slice(2)) {
      expect(Number(late.timestamp)).toBeLessThanOrEqual(Number(events[0].timestamp) - 58);
      expect(Number(late.day_volume)).toBeLessThan(Number(events[0].day_volume));
    }
  });

  it('takes its mischief from clients too', async () => {
    const { simulator, send, next, events } = await connect();
    send(subscribe('AAPL'));
    await next('subscribe-status');
    send({ action: 'simulate', params: { duplicateShare: 1, burst: 3 } });
    expect(await next('simulate-status')).toMatchObject({ status: 'ok', duplicateShare: 1 });
    await waitUntil(() => events.length === 6, 'three events twice');
    send({ action: 'simulate', params: { drop: 'close' } });
    await waitUntil(() => simulator.clientCount() === 0, 'dropped');
  });

  it('starts the running volume anew at midnight UTC', async () => {
    let nowMs = Date.UTC(2024, 4, 17, 23, 59, 59);
    const clock: Clock = { nowMs: () => nowMs, monotonicMs: () => systemClock.monotonicMs() };
    const { simulator, send, next } = await connect({ clock });
    send(subscribe('AAPL'));
    await next('subscribe-status');
    simulator.burst(1);
    const evening = await next('price');
    nowMs += 2000;
    simulator.burst(1);
    const morning = await next('price');
    expect(Number(evening.day_volume)).toBeGreaterThan(1_000_000);
    expect(Number(morning.day_volume)).toBeLessThan(10_000);
  });
});

it('says which address is taken', async () => {
  const { simulator } = await connect();
  await expect(startSimulator({ port: simulator.port })).rejects.toThrow(
    `the simulator cannot listen on 127.0.0.1:${simulator.port}`,
  );
});
