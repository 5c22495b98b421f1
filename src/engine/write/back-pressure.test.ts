import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { textColumn } from '../../market/columns.ts';
import { open } from '../open.ts';

const batchRows = 32_768;
const writers = 4;
const batchesPerWriter = 12;

function batchAt(index: number) {
  const firstNs = BigInt(index * batchRows) * 1_000_000n;
  return {
    rowCount: batchRows,
    columns: {
      time: {
        kind: 'timestamp' as const,
        values: BigInt64Array.from({ length: batchRows }, (_, i) => firstNs + BigInt(i) * 1_000_000n),
      },
      symbol: textColumn(Array.from({ length: batchRows }, (_, i) => `S${i % 7}`)),
      price: { kind: 'double' as const, values: new Float64Array(batchRows).fill(1) },
    },
  };
}

it('writers that wait for room go on as soon as a flush has made some', { timeout: 20_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-room-'));
  // Room for a dozen batches; the timer would come to the rescue only after the test's time is up.
  const database = await open({ directory, memoryBytesMax: 2 ** 25, flushIntervalMs: 600_000 });
  try {
    await database.createTable({
      name: 'trades',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
      ],
    });
    let next = 0;
    const write = async (): Promise<void> => {
      while (next < writers * batchesPerWriter) await database.write('trades', batchAt(next++));
    };
    await Promise.all(Array.from({ length: writers }, write));
    const { columns } = await database.sql('SELECT count(*) AS n FROM trades');
    expect(columns[0]).toMatchObject({
      values: BigInt64Array.of(BigInt(writers * batchesPerWriter * batchRows)),
    });
    expect(database.status().flushes).toBeGreaterThan(3);
  } finally {
    await database.close();
    await rm(directory, { recursive: true });
  }
});
