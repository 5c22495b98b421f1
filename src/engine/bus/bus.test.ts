import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ColumnSet, columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { BusEvent } from '../database.ts';
import type { RollupNode } from '../rollup/rollup-node.ts';
import { SeriesIndex } from '../series/series-index.ts';
import { Bus, type BusSubscription, type Topic } from './bus.ts';

const node = {} as RollupNode;

/** Rows of one column that holds the numbers given. */
function rowsOf(numbers: readonly number[]): ColumnSet {
  return { rowCount: numbers.length, names: ['n'], columns: [columnOf('double', numbers)] };
}

/** Events as short texts: `ticks 1 2`, `lagged 3`. */
function told(events: readonly BusEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'lagged') return `lagged ${event.dropped}`;
    const [column] = event.rows.columns;
    const numbers = Array.from({ length: event.rows.rowCount }, (_, row) => valueAt(column, row));
    return [event.type, ...numbers].join(' ');
  });
}

let nowMs = 0;
/** The present state of each group's live bar; groups that are absent have none. */
let live: Map<number, number>;
let bus: Bus;

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 1000;
  live = new Map();
  bus = new Bus({
    monotonicMs: () => nowMs,
    lsn: () => 7,
    liveRows: (_, groups) => rowsOf(Array.from(groups).flatMap((group) => live.get(group) ?? [])),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function subscribe(topic: Partial<Topic> = {}): BusSubscription {
  const index = new SeriesIndex([{ name: 'symbol', type: { kind: 'text' } }]);
  index.resolve([textColumn(['A', 'B', 'AB'])], 3);
  return bus.subscribe({
    table: 'ticks',
    index,
    filter: undefined,
    node: null,
    live: true,
    closed: true,
    throttleMs: 0,
    queueRowsMax: 5,
    ...topic,
  });
}

function push(
  subscription: BusSubscription,
  type: 'ticks' | 'closed' | 'correction',
  ...numbers: number[]
): void {
  subscription.push({ type, table: 'ticks', lsn: 7, rows: rowsOf(numbers) });
}

function touch(subscription: BusSubscription, ...groups: number[]): void {
  subscription.touch(Int32Array.from(groups), groups.length);
}

async function pass(ms: number): Promise<void> {
  nowMs += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

describe('what is queued', () => {
  it('comes once, in order', () => {
    const subscription = subscribe();
    subscription.release(null);
    push(subscription, 'ticks', 1, 2);
    push(subscription, 'ticks', 3);
    expect(told(subscription.take())).toEqual(['ticks 1 2', 'ticks 3']);
    expect(subscription.take()).toEqual([]);
  });

  it('gives way from the oldest on beyond the bound, which is told in its place', () => {
    const subscription = subscribe();
    subscription.release(null);
    push(subscription, 'closed', 1, 2);
    push(subscription, 'correction', 3, 4);
    push(subscription, 'closed', 5, 6);
    expect(told(subscription.take())).toEqual(['lagged 2', 'correction 3 4', 'closed 5 6']);
    push(subscription, 'closed', 7);
    expect(told(subscription.take())).toEqual(['closed 7']);
  });

  it('keeps a single event however large, since dropping it would leave nothing', () => {
    const subscription = subscribe();
    subscription.release(null);
    push(subscription, 'ticks', 1, 2, 3);
    push(subscription, 'ticks', 4, 5, 6, 7, 8, 9);
    expect(told(subscription.take())).toEqual(['lagged 3', 'ticks 4 5 6 7 8 9']);
  });

  it('waits for the snapshot, which stays in front of what was left out', () => {
    const subscription = subscribe();
    const onReady = vi.fn();
    subscription.onReady(onReady);
    push(subscription, 'ticks', 1, 2, 3);
    push(subscription, 'ticks', 4, 5, 6);
    subscription.release({ type: 'snapshot', table: 'ticks', lsn: 6, rows: rowsOf([0]) });
    push(subscription, 'ticks', 7, 8, 9);
    expect(told(subscription.take())).toEqual(['snapshot 0', 'lagged 6', 'ticks 7 8 9']);
  });
});

describe('live bars', () => {
  it('are read when they are taken: one state, the newest, however often they changed', () => {
    const subscription = subscribe({ node });
    subscription.release(null);
    for (let i = 0; i < 1000; i++) touch(subscription, 0, 2);
    live.set(0, 10).set(2, 12);
    push(subscription, 'closed', 1);
    expect(told(subscription.take())).toEqual(['closed 1', 'live 10 12']);
    expect(subscription.take()).toEqual([]);
  });

  it('that are gone by then are left out', () => {
    const subscription = subscribe({ node });
    subscription.release(null);
    touch(subscription, 1);
    expect(subscription.take()).toEqual([]);
  });

  it('of other series are left out', () => {
    const subscription = subscribe({ node, filter: { symbol: 'A*' } });
    subscription.release(null);
    touch(subscription, 0, 1, 2);
    live.set(0, 10).set(1, 11).set(2, 12);
    expect(told(subscription.take())).toEqual(['live 10 12']);
    expect([0, 1, 2].map((series) => subscription.wants(series))).toEqual([true, false, true]);
  });

  it('come no more often than the throttle says, and the last state always comes', async () => {
    const subscription = subscribe({ node, throttleMs: 100 });
    subscription.release(null);
    const seen: string[] = [];
    subscription.onReady(() => seen.push(...told(subscription.take())));
    for (let i = 0; i < 25; i++) {
      live.set(0, i);
      touch(subscription, 0);
      await pass(10);
    }
    await pass(200);
    expect(seen).toEqual(['live 0', 'live 10', 'live 20', 'live 24']);
  });

  it('do not hold up closed bars', async () => {
    const subscription = subscribe({ node, throttleMs: 100 });
    subscription.release(null);
    const seen: string[] = [];
    subscription.onReady(() => seen.push(...told(subscription.take())));
    live.set(0, 1);
    touch(subscription, 0);
    await pass(1);
    touch(subscription, 0);
    push(subscription, 'closed', 5);
    await pass(1);
    expect(seen).toEqual(['live 1', 'closed 5']);
  });
});

describe('a consumer', () => {
  it('is called once for what comes together, and again after it took', async () => {
    const subscription = subscribe();
    subscription.release(null);
    const onReady = vi.fn();
    subscription.onReady(onReady);
    push(subscription, 'ticks', 1);
    push(subscription, 'ticks', 2);
    await pass(0);
    expect(onReady).toHaveBeenCalledTimes(1);
    push(subscription, 'ticks', 3);
    await pass(0);
    expect(onReady).toHaveBeenCalledTimes(1);
    subscription.take();
    push(subscription, 'ticks', 4);
    await pass(0);
    expect(onReady).toHaveBeenCalledTimes(2);
  });

  it('may iterate, to the end when the subscription is closed', async () => {
    const subscription = subscribe();
    subscription.release(null);
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of subscription) seen.push(...told([event]));
    })();
    push(subscription, 'ticks', 1);
    await pass(0);
    push(subscription, 'ticks', 2);
    await pass(0);
    bus.closeAll('ticks');
    await reading;
    expect(seen).toEqual(['ticks 1', 'ticks 2']);
    expect(bus.count).toBe(0);
  });

  it('that is gone costs nothing', () => {
    const subscription = subscribe();
    subscription.release(null);
    subscription.close();
    push(subscription, 'ticks', 1);
    touch(subscription, 0);
    expect(subscription.take()).toEqual([]);
    expect([...bus.forTicks('ticks')]).toEqual([]);
  });
});
