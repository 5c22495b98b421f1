import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { columnOf, valueAt } from '../../market/columns.ts';
import type { TableDef } from '../../market/schema.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

const day = 86_400_000_000_000n;

const daily: TableDef = {
  name: 'daily',
  kind: 'bars',
  timeColumn: 'time',
  seriesKey: ['symbol'],
  columns: [
    { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } },
    { name: 'symbol', type: { kind: 'text' } },
    { name: 'close', type: { kind: 'int64' } },
  ],
};

type Bar = [onDay: number, symbol: string, close: number];

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'candela-read-rows-'));
  database = await open({ directory });
  await database.createTable(daily);
});

afterEach(async () => {
  await database.close();
  rmSync(directory, { recursive: true });
});

async function write(bars: Bar[]): Promise<void> {
  const time = columnOf(
    'timestamp',
    bars.map(([onDay]) => BigInt(onDay) * day),
  );
  const symbol = columnOf(
    'text',
    bars.map(([, name]) => name),
  );
  const close = columnOf(
    'int64',
    bars.map(([, , value]) => BigInt(value)),
  );
  await database.write('daily', { rowCount: bars.length, columns: { time, symbol, close } });
}

/** All pages, one after the other. */
async function pages(order: 'asc' | 'desc', limit: number): Promise<Bar[]> {
  const bars: Bar[] = [];
  for (let cursor: string | undefined, count = 0; count < 20; count++) {
    const page = await database.read({ table: 'daily', order, limit, ...(cursor ? { cursor } : {}) });
    const [time, symbol, close] = page.columns;
    for (let row = 0; row < page.rowCount; row++)
      bars.push([
        Number((valueAt(time, row) as bigint) / day),
        String(valueAt(symbol, row)),
        Number(valueAt(close, row)),
      ]);
    if (page.cursor === null) return bars;
    cursor = page.cursor;
  }
  throw new Error('there is no end to the pages');
}

it('pages over bars of one time, some of which memory overwrites, miss none', async () => {
  const stored: Bar[] = [1, 2, 3].flatMap((onDay) =>
    ['A', 'B', 'C'].map((symbol): Bar => [onDay, symbol, onDay]),
  );
  await write(stored);
  await database.close();
  // Opened again, memory has none of them.
  database = await open({ directory });
  const overwritten: Bar[] = [
    [2, 'A', 20],
    [2, 'B', 20],
    [2, 'C', 20],
    [3, 'B', 30],
    [3, 'A', 30],
  ];
  await write(overwritten);
  // Bars of one time are in the order in which they arrived.
  const day1: Bar[] = stored.slice(0, 3);
  const expected: Bar[] = [...day1, ...overwritten.slice(0, 3), [3, 'C', 3], [3, 'B', 30], [3, 'A', 30]];
  for (const limit of [1, 2, 3, 4]) {
    expect(await pages('asc', limit), `limit ${limit}`).toEqual(expected);
    expect(await pages('desc', limit), `limit ${limit}, desc`).toEqual(expected.toReversed());
  }
});

it('shows the bars of one moment, all of them, when a flush overwrites them beside the read', async () => {
  const days = Array.from({ length: 50 }, (_, onDay) => onDay);
  const version = (close: number): Bar[] => days.map((onDay): Bar => [onDay, 'A', close]);
  await write(version(0));
  await database.close();
  database = await open({ directory });
  for (let close = 1; close <= 4; close++) {
    // The store answers one after the other, so the last ones wait until after the flush.
    const reads = Array.from({ length: 40 }, () => pages('asc', 50));
    await write(version(close));
    await database.flush();
    for (const read of await Promise.all(reads)) {
      const seen = read[0]?.[2];
      expect([close - 1, close]).toContain(seen);
      expect(read).toEqual(version(seen));
    }
  }
});
