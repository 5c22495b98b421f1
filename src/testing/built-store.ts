/** The store's thread as compiled, since Node 20 cannot load TypeScript in one: `npm run build:server` comes first. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Address of the compiled program of the store's thread. Throws when it is missing or older than its sources. */
export function builtStoreProgram(): URL {
  const program = join(root, 'dist/storage/duckdb/worker/host.js');
  const builtMs = existsSync(program) ? statSync(program).mtimeMs : 0;
  const folder = join(root, 'src/storage');
  const isNewer = (path: string): boolean =>
    path.endsWith('.ts') &&
    !/\.(test|case)\.ts$/.test(path) &&
    statSync(join(folder, path)).mtimeMs > builtMs;
  const newer = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(isNewer);
  if (newer === undefined) return pathToFileURL(program);
  throw new Error(`dist/ is older than src/storage/${newer}: run npm run build:server`);
}
