/** What subscribers are told of bars that are read again, when an amendment comes while they are read. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { must } from '../../core/assert.ts';
import { columnNamed, columnOf, type Scalar, textColumn, valueAt } from '../../market/columns.ts';
import type { BusEvent, Database, Subscription } from '../database.ts';
import { open } from '../open.ts';

/** Bars that were read again are handed over when this resolves. */
const held = vi.hoisted(() => ({ reads: 0, until: Promise.resolve() }));

vi.mock('../read/read-path.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../read/read-path.ts')>();
  const readAgain: typeof original.readAgain = async (...asked) => {
    held.reads++;
    const { until } = held;
    const found = await original.readAgain(...asked);
    await until;
    return found;
  };
  return { ...original, readAgain };
});

const second = 1_000_000_000n;
/** 2024-01-02 10:00 UTC. */
const start = 1_704_189_600n * second;

let database: Database;
let bars: Subscription;
let release: () => void;

beforeEach(async () => {
  database = await open({ directory: null });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
  const aggregates = [{ name: 'high', fn: 'max' as const, of: 'price' }];
  await database.createRollup({ name: 'seconds', source: 'trades', timeframe: '1s', aggregates });
  await tick(0, 1);
  await tick(1, 2);
  await tick(5, 3);
  bars = await database.subscribe({ table: 'seconds', live: false });
  held.reads = 0;
  held.until = new Promise((resolve) => {
    release = resolve;
  });
});

afterEach(async () => {
  release();
  await database.close();
});

async function tick(atSeconds: number, price: number): Promise<void> {
  const columns = {
    time: columnOf('timestamp', [start + BigInt(Math.round(atSeconds * 10)) * (second / 10n)]),
    symbol: textColumn(['A']),
    price: columnOf('double', [price]),
  };
  await database.write('trades', { rowCount: 1, columns });
}

async function remove(fromSeconds: number, toSeconds: number): Promise<void> {
  const at = (seconds: number): bigint => start + BigInt(seconds) * second;
  await database.deleteRows('trades', { fromNs: at(fromSeconds), toNs: at(toSeconds) });
}

/** Events as short texts of second and high: `closed 0:1`, `deleted 1`. */
function told(events: readonly BusEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'lagged') return `lagged ${event.dropped}`;
    const { rowCount, names } = event.rows;
    const rows = Array.from({ length: rowCount }, (_, row) => {
      const value = (name: string): Scalar => valueAt(must(columnNamed(event.rows, name), name), row);
      const at = ((value('time') as bigint) - start) / second;
      return names.includes('high') ? `${at}:${value('high')}` : `${at}`;
    });
    return [event.type, ...rows].join(' ');
  });
}

/** The next correction, with what came before it. */
async function toldUntilCorrected(): Promise<string[]> {
  const events: string[] = [];
  await vi.waitFor(() => {
    events.push(...told(bars.take()));
    expect(events.some((event) => event.startsWith('correction'))).toBe(true);
  });
  return events;
}

it('a bar that loses its ticks while it is read stays deleted', async () => {
  await tick(0.5, 9);
  expect(held.reads).toBe(1);
  await remove(0, 1);
  release();
  // Corrections come one after the other: were the first one told, it would be in front of this one.
  await tick(1.5, 8);
  expect(await toldUntilCorrected()).toEqual(['deleted 0', 'correction 1:8']);
});

it('a bar beside one that is deleted while both are read is told all the same', async () => {
  await tick(0.5, 9);
  await tick(1.5, 8);
  await remove(1, 2);
  release();
  expect(await toldUntilCorrected()).toEqual(['deleted 1', 'correction 0:9']);
});

it('a bar that opens again and grows while it is read is not told as it was', async () => {
  await tick(1.5, 8);
  await remove(2, 6);
  // Second 1 is the newest now. It was told as closed, so each change to it is a correction.
  await tick(1.7, 9);
  release();
  await vi.waitFor(() => expect(held.reads).toBe(2));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(told(bars.take())).toEqual(['deleted 5', 'correction 1:8', 'correction 1:9']);
});
