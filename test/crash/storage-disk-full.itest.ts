/** A disk that runs full: on a small tmpfs, which only root may mount; elsewhere the test is skipped. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/log.ts';
import { createPrng } from '../../src/core/prng.ts';
import type { ColumnData } from '../../src/market/columns.ts';
import { openDuckDbStorage } from '../../src/storage/duckdb/duckdb-storage.ts';
import type { StorageOp } from '../../src/storage/storage.ts';
import { isMissing } from '../support/need.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const disk = mountSmallDisk(64);
afterAll(() => disk.remove());

const rowsPerCommit = 30_000;
const prng = createPrng(7);

function append(): StorageOp {
  const noise = (): ColumnData => ({
    kind: 'double',
    values: Float64Array.from({ length: rowsPerCommit }, () => prng.next()),
  });
  return { op: 'append', table: 1, columns: [noise(), noise()], rowCount: rowsPerCommit };
}

it.skipIf(isMissing('the right to mount a tmpfs', disk.isMounted))(
  'refuses commits while the disk is full, reads on, and goes on when there is room',
  async () => {
    const ballast = join(disk.path, 'ballast');
    const open = () => openDuckDbStorage({ directory: join(disk.path, 'data'), log: silentLogger });
    let storage = await open();
    const column = (name: string) => ({ name, type: { kind: 'double' as const }, nullable: true });
    await storage.commit([
      { op: 'create-table', table: { id: 1, columns: [column('a'), column('b')], roles: null } },
    ]);
    const rowCount = async (): Promise<number> => (await storage.readAll(1, ['a'])).rowCount;
    let committed = 0;
    const commitUntilFull = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) {
        try {
          await storage.commit([append()]);
          committed++;
        } catch (error) {
          expect(error).toMatchObject({ code: 'WRITES_STOPPED', message: expect.stringContaining('space') });
          return;
        }
      }
      throw new Error('the disk never ran full');
    };
    for (const ballastMiB of [30, 5]) {
      writeFileSync(ballast, Buffer.alloc(ballastMiB << 20));
      await commitUntilFull();
      await commitUntilFull();
      expect(await rowCount()).toBe(committed * rowsPerCommit);
      rmSync(ballast);
      await storage.commit([append()]);
      committed++;
      expect(await rowCount()).toBe(committed * rowsPerCommit);
    }
    await commitUntilFull();
    await storage.close();
    storage = await open();
    expect(await rowCount()).toBe(committed * rowsPerCommit);
    await storage.close();
  },
);
