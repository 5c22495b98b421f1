import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..', '.venv');

/**
 * The interpreter of a virtual environment under `.venv/` that holds the packages given, made on first use and kept
 * for the next run. Needs `python3` and its package registry.
 */
export function pythonWith(name: string, packages: readonly string[]): string {
  const folder = join(root, name);
  const python = join(folder, 'bin', 'python');
  const list = join(folder, 'installed.txt');
  const wanted = packages.join('\n');
  if (existsSync(list) && readFileSync(list, 'utf8') === wanted) return python;
  execFileSync('python3', ['-m', 'venv', folder], { stdio: 'inherit' });
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages];
  execFileSync(python, install, { stdio: 'inherit' });
  writeFileSync(list, wanted);
  return python;
}
