import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterCrash } from '../../../test/support/after-crash.ts';
import { type FileSystem, nodeFileSystem } from '../../core/file-system.ts';
import { type Batch, columnNamed, columnOf, textColumn, valueAt } from '../../market/columns.ts';
import type { Database } from '../database.ts';
import { open } from '../open.ts';

let directory: string;
let database: Database;
/** Set: every write to the log fails. */
let isDiskFull = false;

const failing: FileSystem = {
  ...nodeFileSystem,
  open: async (path, mode) => {
    const file = await nodeFileSystem.open(path, mode);
    return {
      ...file,
      write: (chunks, position) =>
        isDiskFull
          ? Promise.reject(new Error('ENOSPC: no space left on device'))
          : file.write(chunks, position),
    };
  },
};

beforeEach(async () => {
  isDiskFull = false;
  directory = await mkdtemp(join(tmpdir(), 'candela-write-'));
  database = await open({ directory, fileSystem: failing, flushIntervalMs: 3_600_000 });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'note', type: { kind: 'text' } },
    ],
  });
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

function batchOf(rows: [symbol: string, note: string][]): Batch {
  return {
    rowCount: rows.length,
    columns: {
      time: columnOf(
        'timestamp',
        rows.map((_, i) => BigInt(i) * 1_000_000_000n),
      ),
      symbol: textColumn(rows.map(([symbol]) => symbol)),
      note: textColumn(rows.map(([, note]) => note)),
    },
  };
}

async function symbolsAndNotes(from: Database): Promise<unknown[][]> {
  const set = await from.read({ table: 'trades' });
  const columns = ['symbol', 'note'].map((name) => columnNamed(set, name));
  return Array.from({ length: set.rowCount }, (_, row) =>
    columns.map((column) => column && valueAt(column, row)),
  );
}

describe('series that were first seen in a write that failed', () => {
  it('keep their names when the batch was too large for the log', async () => {
    const tooLarge = batchOf([['NEW', 'x'.repeat(65 * 1024 * 1024)]]);
    await expect(database.write('trades', tooLarge)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    await database.write('trades', batchOf([['NEW', 'small']]));
    expect(await afterCrash(directory, symbolsAndNotes)).toEqual([['NEW', 'small']]);
  });

  it('keep their names when the disk was full, whoever writes next', async () => {
    isDiskFull = true;
    const write = (symbol: string): Promise<unknown> =>
      database.write('trades', batchOf([[symbol, 'n']])).then(
        () => 'written',
        (error: unknown) => (error as { code: string }).code,
      );
    const together = await Promise.all([write('A'), write('B'), write('A'), write('C')]);
    expect(together).toEqual(Array(4).fill('WRITES_STOPPED'));
    isDiskFull = false;
    expect(await write('C')).toBe('written');
    expect(await write('A')).toBe('written');
    expect(await afterCrash(directory, symbolsAndNotes)).toEqual([
      ['C', 'n'],
      ['A', 'n'],
    ]);
  });
});
