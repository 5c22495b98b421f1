import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';

/**
 * What `read` finds in a copy of an open database's directory: all that a crash at this moment would leave. Nothing may
 * be flushing meanwhile.
 */
export async function afterCrash<T>(directory: string, read: (database: Database) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'candela-crashed-'));
  try {
    await cp(directory, copy, { recursive: true });
    const database = await open({ directory: copy });
    try {
      return await read(database);
    } finally {
      await database.close();
    }
  } finally {
    await rm(copy, { recursive: true });
  }
}
