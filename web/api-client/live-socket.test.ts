import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { WireEvent } from '../../src/protocols/http/wire.ts';
import { type ConnectionState, LiveSocket, type StreamEvent } from './live-socket.ts';

/** A WebSocket whose other end is the test. */
class FakeWebSocket {
  readonly sent: { op: string; id?: string; snapshot?: number }[] = [];
  isClosed = false;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
    this.onclose?.();
  }

  receive(event: WireEvent): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }

  idSent(): string {
    return this.sent.findLast(({ op }) => op === 'subscribe')?.id ?? '';
  }
}

let connections: FakeWebSocket[];
let states: ConnectionState[];
let socket: LiveSocket;

beforeEach(() => {
  vi.useFakeTimers();
  connections = [];
  states = [];
  socket = new LiveSocket({
    connect: () => {
      const connection = new FakeWebSocket();
      connections.push(connection);
      return connection as unknown as WebSocket;
    },
    onState: (state) => states.push(state),
    chance: () => 1,
  });
});

afterEach(() => {
  socket.close();
  vi.useRealTimers();
});

function subscribe() {
  const events: StreamEvent[] = [];
  let rows = 0;
  const stream = socket.subscribe(
    () => ({ table: 'trades', timeframe: '1m', snapshot: ++rows }),
    (event) => events.push(event),
  );
  return { stream, events, types: () => events.map(({ type }) => type) };
}

const live = (id: string): WireEvent => ({ type: 'live', id, columns: {}, rowCount: 0 });

it('subscribes once the connection is open, and passes on what comes for it', () => {
  const { types } = subscribe();
  const [connection] = connections;
  expect(connection.sent).toEqual([]);
  connection.onopen?.();
  expect(connection.sent).toEqual([
    { op: 'subscribe', id: connection.idSent(), table: 'trades', timeframe: '1m', snapshot: 1 },
  ]);
  connection.receive(live(connection.idSent()));
  connection.receive(live('someone else'));
  expect(types()).toEqual(['begin', 'live']);
});

it('delivers nothing of a stream that was closed while an event was under way', () => {
  const { stream, types } = subscribe();
  const [connection] = connections;
  connection.onopen?.();
  const id = connection.idSent();
  stream.close();
  connection.receive(live(id));
  expect(connection.sent.at(-1)).toEqual({ op: 'unsubscribe', id });
  expect(types()).toEqual(['begin']);
});

it('reconnects with back-off and subscribes again under another id', () => {
  const { types } = subscribe();
  connections[0].onopen?.();
  const firstId = connections[0].idSent();
  connections[0].close();
  expect(states.at(-1)).toEqual({ name: 'waiting', delayMs: 500 });
  vi.advanceTimersByTime(499);
  expect(connections).toHaveLength(1);
  vi.advanceTimersByTime(1);
  connections[1].close();
  expect(states.at(-1)).toEqual({ name: 'waiting', delayMs: 1000 });
  vi.advanceTimersByTime(1000);
  connections[2].onopen?.();
  expect(connections[2].idSent()).not.toBe(firstId);
  expect(connections[2].sent).toMatchObject([{ op: 'subscribe', snapshot: 2 }]);
  connections[2].receive(live(firstId));
  expect(types()).toEqual(['begin', 'begin']);
});

it('begins again from half a second once the server has spoken', () => {
  connections[0].close();
  vi.advanceTimersByTime(500);
  connections[1].onopen?.();
  connections[1].receive({ type: 'pong' });
  connections[1].close();
  expect(states.at(-1)).toEqual({ name: 'waiting', delayMs: 500 });
});

it('gives up a connection that has gone silent', () => {
  connections[0].onopen?.();
  vi.advanceTimersByTime(20_000);
  expect(connections[0].sent).toEqual([{ op: 'ping' }, { op: 'ping' }]);
  vi.advanceTimersByTime(10_000);
  expect(connections[0].isClosed).toBe(true);
  expect(states.at(-1)?.name).toBe('waiting');
});

it('keeps a quiet connection whose pings are answered', () => {
  connections[0].onopen?.();
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(10_000);
    connections[0].receive({ type: 'pong' });
  }
  expect(connections).toHaveLength(1);
  expect(connections[0].isClosed).toBe(false);
});

it('gives up an attempt that hangs', () => {
  vi.advanceTimersByTime(30_000);
  expect(connections[0].isClosed).toBe(true);
  vi.advanceTimersByTime(500);
  expect(connections).toHaveLength(2);
});

it('tries at once when asked to', () => {
  connections[0].close();
  socket.retryNow();
  expect(connections).toHaveLength(2);
  socket.retryNow();
  vi.advanceTimersByTime(500);
  expect(connections).toHaveLength(2);
});

it('asks for a new snapshot on restart, and ends for good on close', () => {
  const { stream, types } = subscribe();
  connections[0].onopen?.();
  stream.restart();
  expect(connections[0].sent.map(({ op }) => op)).toEqual(['subscribe', 'unsubscribe', 'subscribe']);
  expect(types()).toEqual(['begin', 'begin']);
  socket.close();
  vi.advanceTimersByTime(60_000);
  expect(connections).toHaveLength(1);
});
