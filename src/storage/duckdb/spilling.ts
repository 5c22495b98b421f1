/** Folders to which DuckDB moves what does not fit its memory. */
import { join } from 'node:path';
import { nodeFileSystem, removeTree } from '../../core/file-system.ts';
import type { Logger } from '../../core/log.ts';

/** Where one opening of the store spills. */
export interface SpillFolder {
  path: string;
  /**
   * Removes what openings before left, having been killed; to be called once the database is open, hence ours. Never
   * throws: what cannot be removed takes room and does no harm.
   */
  removeOthers(): Promise<void>;
}

/**
 * A folder of its own for this opening, because DuckDB may spill while it opens, when it reads its log: what is to be
 * removed must be told from that by the name. DuckDB makes the folder when it needs it and removes it at its end.
 */
export async function spillFolderIn(directory: string, log: Logger): Promise<SpillFolder> {
  const parent = join(directory, 'temporary');
  await nodeFileSystem.makeDirectory(parent);
  const others = (await nodeFileSystem.list(parent)).filter((name) => /^(\d+|duckdb_temp_.*)$/.test(name));
  const number = others.reduce((most, name) => Math.max(most, Number(name) || 0), 0) + 1;
  return {
    path: join(parent, String(number)),
    removeOthers: async () => {
      for (const name of others) {
        await removeTree(join(parent, name)).catch((error: unknown) => {
          log.warn({ err: error, directory: parent }, 'temporary files of the store could not be removed');
        });
      }
    },
  };
}
