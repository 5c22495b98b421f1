/** What a user installs: the packed files, and the size of the production dependencies. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'candela-package-'));
const installedMegabytesMax = 150;

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function bytesBelow(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

it('packs the built program and nothing of its tests', () => {
  const [{ files }] = JSON.parse(npm(root, 'pack', '--dry-run', '--json', '--ignore-scripts')) as [
    { files: { path: string }[] },
  ];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/cli/candela.cjs']),
  );
  const expected = /^(dist\/|docs\/|examples\/|package\.json$|[A-Z]+(\.md)?$)/;
  expect(paths.filter((path) => !expected.test(path))).toEqual([]);
  expect(paths.filter((path) => /\.(i?test|case|bench)\.|\/testing\//.test(path))).toEqual([]);
  // What the README links to is there for who reads it in the package.
  const links = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)];
  const missing = links.filter(
    ([, link]) => !paths.some((path) => path === link || path.startsWith(`${link}/`)),
  );
  expect(missing.map(([, link]) => link.replace(/\/$/, ''))).toEqual([]);
  expect(links.length).toBeGreaterThan(5);
});

it(`installs production dependencies of at most ${installedMegabytesMax} MB, without install scripts`, () => {
  for (const name of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, name), join(scratch, name));
  npm(scratch, 'ci', '--omit=dev', '--ignore-scripts');
  expect(bytesBelow(join(scratch, 'node_modules')) / 1e6).toBeLessThanOrEqual(installedMegabytesMax);

  const lock = JSON.parse(readFileSync(join(scratch, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; hasInstallScript?: boolean }>;
  };
  const production = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  expect(production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path)).toEqual([]);
});

it('locks the native packages of every platform', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  const locked = Object.keys(lock.packages);
  const missing = wanted.filter((name) => !locked.some((path) => path.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
});
