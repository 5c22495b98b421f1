/** Reads the repository for the tidy rules. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type SourceFile, sourceFile } from './source-file.ts';

const root = resolve(import.meta.dirname, '../..');
const textName =
  /\.(ts|mts|js|mjs|json|md|html|css|ya?ml|toml|sh|py|sql|slt|txt)$|(^|\/)(\.[\w.-]+|LICENSE|run)$/;
const fixture = /(^|\/)(fixtures|golden)\//;

/** Every text file of the repository that git tracks or would track, fixtures left out. */
export function readRepository(): SourceFile[] {
  const paths = trackedPaths().filter((path) => textName.test(path) && !fixture.test(path));
  return paths.map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}

/** Paths of all files that git tracks or would track. */
export function trackedPaths(): string[] {
  try {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const listed = execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const paths = listed.split('\0').filter((path) => path !== '');
    return [...new Set(paths)].filter(
      (path) => existsSync(join(root, path)) && statSync(join(root, path)).isFile(),
    );
  } catch {
    return pathsBelow('');
  }
}

/** All files below a folder, for a copy without git: what .gitignore names is left out. */
function pathsBelow(folder: string): string[] {
  const skipped = new Set(['.git', 'node_modules', 'dist', 'build', 'coverage', 'data', '.venv']);
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return [path];
    return entry.isDirectory() && !skipped.has(entry.name) ? pathsBelow(path) : [];
  });
}
