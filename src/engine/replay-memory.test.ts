import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Batch } from '../market/columns.ts';
import { open } from './open.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'candela-replay-'));
});
afterAll(() => rm(root, { recursive: true }));

const rowCount = 50_000;
const batchCount = 24;

function batch(number: number): Batch {
  const first = number * rowCount;
  return {
    rowCount,
    columns: {
      time: {
        kind: 'timestamp',
        values: BigInt64Array.from({ length: rowCount }, (_, i) => BigInt(first + i) * 1_000_000n),
      },
      price: { kind: 'double', values: new Float64Array(rowCount).fill(1) },
    },
  };
}

it('a log larger than the memory budget goes to the store while it is replayed', async () => {
  const directory = join(root, 'written');
  const written = await open({
    directory,
    memoryBytesMax: 2 ** 30,
    flushIntervalMs: 1e9,
    durability: 'none',
  });
  await written.createTable({
    name: 'ticks',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: [],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'price', type: { kind: 'double' } },
    ],
  });
  await written.createRollup({
    name: 'bars',
    source: 'ticks',
    timeframe: '1s',
    aggregates: [{ name: 'n', fn: 'count' }],
  });
  for (let number = 0; number < batchCount; number++) await written.write('ticks', batch(number));
  expect(written.status().flushedLsn).toBeLessThan(written.status().lsn);
  // What a crash would leave.
  const crashed = join(root, 'crashed');
  await cp(directory, crashed, { recursive: true });
  await written.close();
  const budget = 2 ** 25;
  const database = await open({ directory: crashed, memoryBytesMax: budget, flushIntervalMs: 1e9 });
  const { flushes, pendingBytes } = database.status();
  expect(flushes).toBeGreaterThan(0);
  expect(pendingBytes).toBeLessThan(budget / 2);
  const total = (table: string, count: string) => database.sql(`SELECT ${count}::BIGINT AS n FROM ${table}`);
  for (const [table, count] of [
    ['ticks', 'count(*)'],
    ['bars', 'sum(n)'],
  ]) {
    expect((await total(table, count)).columns[0]).toMatchObject({
      values: BigInt64Array.of(BigInt(rowCount * batchCount)),
    });
  }
  await database.close();
}, 60_000);
