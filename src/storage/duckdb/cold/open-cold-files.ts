import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { CandelaError } from '../../../core/errors.ts';
import { nodeFileSystem } from '../../../core/file-system.ts';
import { readLayouts } from '../catalog.ts';
import { quoteText } from '../sql-text.ts';
import { coldFolder, readColdFiles } from './cold-files.ts';
import { renewViews } from './views.ts';

/**
 * At a start: sees that every file recorded is there, in this directory, and removes files that nobody knows. Where
 * the data directory was moved, record and views are put right. Throws `CORRUPT_STORE` for a missing file.
 */
export async function openColdFiles(connection: DuckDBConnection, directory: string): Promise<void> {
  const folder = join(directory, coldFolder);
  const files = [...(await readColdFiles(connection)).values()].flat();
  const found = new Set(await nodeFileSystem.list(folder));
  const missing = files.find(({ name }) => !found.has(name));
  if (missing) {
    throw new CandelaError('CORRUPT_STORE', `${join(folder, missing.name)}: the file is not there`, {
      help: 'It holds rows of old days: put it back, or restore a backup.',
    });
  }
  const known = new Set(files.map(({ name }) => name));
  for (const name of found) if (!known.has(name)) await nodeFileSystem.remove(join(folder, name));
  const moved = files.filter(({ name, path }) => path !== join(folder, name));
  for (const { name } of moved) {
    const path = quoteText(join(folder, name));
    await connection.run(`UPDATE candela.cold SET path = ${path} WHERE name = ${quoteText(name)}`);
  }
  if (moved.length === 0) return;
  const layouts = await readLayouts(connection);
  for (const table of layouts.values())
    if (table.cold.length > 0) await renewViews(connection, table.id, layouts);
}
