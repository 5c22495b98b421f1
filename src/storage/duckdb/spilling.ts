/** Files to which DuckDB moves what does not fit its memory. */
import { join } from 'node:path';
import { nodeFileSystem } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';

/** Name of their folder in the data directory. */
export const spillDirectoryName = 'temporary';

/**
 * Removes what a process that was killed left behind; to be called once the database is open, hence ours, and before
 * anything is run in it. Never throws: what cannot be removed takes room and does no harm.
 */
export async function removeSpilled(directory: string, log: Logger): Promise<void> {
  try {
    for (const name of await nodeFileSystem.list(directory)) {
      if (name.startsWith('duckdb_temp_')) await nodeFileSystem.remove(join(directory, name));
    }
  } catch (error) {
    log.warn({ err: error, directory }, 'temporary files of the store could not be removed');
  }
}
