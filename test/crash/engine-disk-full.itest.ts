/**
 * A database on a disk that runs full: on a small tmpfs, which only root may mount; elsewhere the test is skipped.
 * Writes are refused with the reason, reads go on, writes go on by themselves when there is room, and what was
 * acknowledged is there once, before and after a restart, in bars too.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { must } from '../../src/core/assert.ts';
import { createPrng } from '../../src/core/prng.ts';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import { columnNamed, valueAt } from '../../src/market/columns.ts';
import { isMissing } from '../support/need.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const disk = mountSmallDisk(96);
afterAll(() => disk.remove());

const rowsPerBatch = 20_000;
const prng = createPrng(11);
let batches = 0;

async function write(database: Database): Promise<void> {
  const times = BigInt64Array.from({ length: rowsPerBatch }, (_, row) => {
    return BigInt(batches * rowsPerBatch + row) * 1_000_000n;
  });
  const noise = () => Float64Array.from({ length: rowsPerBatch }, () => prng.next());
  const columns = {
    time: { kind: 'timestamp' as const, values: times },
    symbol: { kind: 'text' as const, dictionary: ['A'], codes: new Int32Array(rowsPerBatch) },
    price: { kind: 'double' as const, values: noise() },
    size: { kind: 'double' as const, values: noise() },
  };
  await database.write('trades', { rowCount: rowsPerBatch, columns });
  batches++;
}

async function writeUntilFull(database: Database): Promise<void> {
  for (let i = 0; i < 400; i++) {
    try {
      await write(database);
    } catch (error) {
      expect(error).toMatchObject({ code: 'WRITES_STOPPED', message: expect.stringMatching(/space/i) });
      return;
    }
  }
  throw new Error('the disk never ran full');
}

/** Rows that are there, by the ticks and by the bars' counts. In pages: on a full disk the store has memory only. */
async function counts(database: Database): Promise<number[]> {
  let inTicks = 0;
  for (let page = 0; page <= batches; page++) {
    const pageNs = BigInt(rowsPerBatch) * 1_000_000n;
    const range = { fromNs: BigInt(page) * pageNs, toNs: BigInt(page + 1) * pageNs, limit: 2 * rowsPerBatch };
    inTicks += (await database.read({ table: 'trades', columns: ['time'], ...range })).rowCount;
  }
  const bars = await database.read({ table: 'hours' });
  const column = must(columnNamed(bars, 'n'), 'column n');
  let inBars = 0;
  for (let row = 0; row < bars.rowCount; row++) inBars += Number(valueAt(column, row));
  return [inTicks, inBars];
}

it.skipIf(isMissing('the right to mount a tmpfs', disk.isMounted))(
  'refuses writes while the disk is full, reads on, and goes on when there is room',
  async () => {
    const ballast = join(disk.path, 'ballast');
    const openIt = () => open({ directory: join(disk.path, 'data'), flushIntervalMs: 200 });
    let database = await openIt();
    await database.createTable({
      name: 'trades',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
        { name: 'size', type: { kind: 'double' } },
      ],
    });
    const aggregates = [{ name: 'n', fn: 'count' as const }];
    await database.createRollup({ name: 'hours', source: 'trades', timeframe: '1h', aggregates });
    for (const ballastMiB of [50, 20]) {
      writeFileSync(ballast, Buffer.alloc(ballastMiB << 20));
      await writeUntilFull(database);
      await writeUntilFull(database);
      const all = batches * rowsPerBatch;
      expect(await counts(database)).toEqual([all, all]);
      rmSync(ballast);
      await expect.poll(() => write(database).then(() => 'written'), { timeout: 20_000 }).toBe('written');
    }
    const all = batches * rowsPerBatch;
    expect(await counts(database)).toEqual([all, all]);
    await database.close();
    database = await openIt();
    expect(await counts(database)).toEqual([all, all]);
    await database.close();
  },
);
