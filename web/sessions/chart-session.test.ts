import { beforeEach, expect, it } from 'vitest';
import type { WireColumns, WireColumnsResult, WireTable } from '../../src/protocols/http/wire.ts';
import { type Api, ApiError, type BarsQuery } from '../api-client/http.ts';
import type { StreamEvent, StreamRequest } from '../api-client/live-socket.ts';
import { type ChartChange, ChartSession } from './chart-session.ts';

const minuteMs = 60_000;

/** Rows of one symbol at these minutes, closing at `close` (default: the minute). */
function columnsAt(minutes: number[], close?: number, symbol = 'AAPL'): WireColumns {
  const prices = minutes.map((minute) => close ?? minute);
  return {
    time: minutes.map((minute) => minute * minuteMs),
    symbol: minutes.map(() => symbol),
    open: prices,
    high: prices,
    low: prices,
    close: prices,
  };
}

/** The server's side of a session. */
function openSession(seriesKey: string[] = ['symbol']) {
  const changes: ChartChange[] = [];
  const queries: BarsQuery[] = [];
  const pages: ((page: WireColumnsResult | ApiError) => void)[] = [];
  const ends = { closed: 0, restarted: 0 };
  let ask: () => StreamRequest = () => ({ table: '' });
  let emit: (event: StreamEvent) => void = () => {};
  const api = {
    bars: (query: BarsQuery) => {
      queries.push(query);
      return new Promise<WireColumnsResult>((resolve, reject) => {
        pages.push((page) => (page instanceof ApiError ? reject(page) : resolve(page)));
      });
    },
  } as Partial<Api> as Api;
  const socket = {
    subscribe(request: () => StreamRequest, onEvent: (event: StreamEvent) => void) {
      ask = request;
      emit = onEvent;
      return { close: () => ends.closed++, restart: () => ends.restarted++ };
    },
  };
  const table = { name: 'trades', seriesKey, timeColumn: 'time', timeframes: ['1m'] } as Partial<WireTable>;
  const keyValues = ['AAPL', 'NASDAQ'].slice(0, seriesKey.length);
  const session = new ChartSession(
    { table: table as WireTable, timeframe: '1m', series: keyValues.join(' · '), keyValues },
    { api, socket, onChange: (_state, change) => changes.push(change) },
  );
  const send = (type: 'snapshot' | 'live' | 'closed' | 'correction', columns: WireColumns): void =>
    emit({ type, id: 's1', columns, rowCount: columns.time.length });
  const minutes = () => session.state().bars.map(({ timeMs }) => timeMs / minuteMs);
  return {
    session,
    changes,
    queries,
    pages,
    ends,
    send,
    minutes,
    ask: () => ask(),
    emit: (event: StreamEvent) => emit(event),
  };
}

let at: ReturnType<typeof openSession>;

beforeEach(() => {
  at = openSession();
  at.emit({ type: 'begin' });
});

/** Lets the promises of a page that has just arrived run on. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const pageOf = (columns: WireColumns): WireColumnsResult => ({
  columns,
  rowCount: columns.time?.length ?? 0,
  cursor: null,
});

it('subscribes to one symbol with a snapshot, live and closed bars', () => {
  expect(at.ask()).toEqual({
    table: 'trades',
    timeframe: '1m',
    symbols: ['AAPL'],
    live: true,
    closed: true,
    snapshot: 500,
    throttleMs: 100,
    time: 'ms',
  });
});

it('draws the snapshot from its newest bar on, then one bar at a time', () => {
  at.send('snapshot', columnsAt([1, 2, 3]));
  at.send('live', columnsAt([3], 3.5));
  at.send('closed', columnsAt([3], 3.6));
  at.send('live', columnsAt([4]));
  expect(at.minutes()).toEqual([1, 2, 3, 4]);
  expect(at.changes.map((change) => ('bar' in change ? [change.bar.close, change.isLast] : change))).toEqual([
    { kind: 'all', fresh: true },
    [3.5, true],
    [3.6, true],
    [4, true],
  ]);
});

it('corrects an older bar in place', () => {
  at.send('snapshot', columnsAt([1, 2, 3]));
  at.send('correction', columnsAt([2], 99));
  expect(at.session.state().bars[1].close).toBe(99);
  expect(at.changes.at(-1)).toMatchObject({ kind: 'bar', isLast: false });
});

it('draws all again when a late tick makes a bar in a gap', () => {
  at.send('snapshot', columnsAt([1, 3]));
  at.send('correction', columnsAt([2]));
  expect(at.minutes()).toEqual([1, 2, 3]);
  expect(at.changes.at(-1)).toEqual({ kind: 'all', fresh: false });
});

it('replaces everything by the snapshot of a new connection, which asks for as much as was loaded', async () => {
  at.send('snapshot', columnsAt([501, 502]));
  const page = at.session.loadOlder();
  at.pages[0](pageOf(columnsAt(Array.from({ length: 500 }, (_, i) => 500 - i))));
  await page;
  at.emit({ type: 'begin' });
  expect(at.ask().snapshot).toBe(502);
  at.send('snapshot', columnsAt([600, 601]));
  expect(at.minutes()).toEqual([600, 601]);
  expect(at.changes.at(-1)).toEqual({ kind: 'all', fresh: false });
});

it('puts a snapshot that comes in parts together', () => {
  at.send('snapshot', columnsAt([3, 4]));
  at.send('snapshot', columnsAt([5]));
  expect(at.minutes()).toEqual([3, 4, 5]);
});

it('reads history a page at a time and stops where it ends', async () => {
  at.send('snapshot', columnsAt([10, 11]));
  const first = at.session.loadOlder();
  void at.session.loadOlder();
  expect(at.queries).toEqual([
    { table: 'trades', timeframe: '1m', key: { symbol: 'AAPL' }, toMs: 10 * minuteMs, limit: 500 },
  ]);
  at.pages[0](pageOf(columnsAt([9, 8])));
  await first;
  expect(at.minutes()).toEqual([8, 9, 10, 11]);
  const second = at.session.loadOlder();
  expect(at.queries[1].toMs).toBe(8 * minuteMs);
  at.pages[1](pageOf({ time: [] }));
  await second;
  await at.session.loadOlder();
  expect(at.queries).toHaveLength(2);
});

it('drops a page that was under way when the connection was made anew', async () => {
  at.send('snapshot', columnsAt([10, 11]));
  void at.session.loadOlder();
  at.emit({ type: 'begin' });
  at.send('snapshot', columnsAt([20, 21]));
  at.pages[0](pageOf(columnsAt([9])));
  await settled();
  expect(at.minutes()).toEqual([20, 21]);
});

it('asks again after history failed', async () => {
  at.send('snapshot', columnsAt([10]));
  const page = at.session.loadOlder();
  at.pages[0](new ApiError({ code: 'UNREACHABLE', message: '', help: '' }));
  await page;
  void at.session.loadOlder();
  expect(at.queries).toHaveLength(2);
});

it('asks nothing before there are bars', async () => {
  await at.session.loadOlder();
  at.send('snapshot', columnsAt([]));
  await at.session.loadOlder();
  expect(at.queries).toEqual([]);
  expect(at.session.state()).toMatchObject({ isReady: true, error: null });
});

it('asks for a new snapshot after bars were left out', () => {
  at.send('snapshot', columnsAt([1]));
  at.emit({ type: 'lagged', id: 's1', dropped: 4 });
  expect(at.ends.restarted).toBe(1);
});

it('leaves out the bars of other series with the same symbol', () => {
  at = openSession(['symbol', 'venue']);
  at.emit({ type: 'begin' });
  at.send('snapshot', { ...columnsAt([1, 2, 3]), venue: ['NASDAQ', 'ARCA', 'NASDAQ'] });
  expect(at.minutes()).toEqual([1, 3]);
});

it('learns decimals and volume from the bars and never forgets them', () => {
  at.send('snapshot', columnsAt([1], 0.00125));
  expect(at.session.state()).toMatchObject({ decimals: 5, hasVolume: false });
  at.send('live', { ...columnsAt([1], 0.001), volume: [3] });
  expect(at.session.state()).toMatchObject({ decimals: 5, hasVolume: true });
});

it('says why there are no candles', () => {
  at.send('snapshot', { time: [1], symbol: ['AAPL'], high: [1], low: [1] });
  expect(at.session.state().error?.help).toContain('open, close');
  at.emit({ type: 'error', id: 's1', error: { code: 'DENIED', message: 'No.', help: 'Ask.' } });
  expect(at.session.state().error).toMatchObject({ code: 'DENIED', message: 'No.' });
});

it('ends its stream when it is closed', () => {
  at.session.close();
  expect(at.ends.closed).toBe(1);
});
