/** Rules about who may import whom. */
import { posix } from 'node:path';
import {
  type Finding,
  isShipped,
  isTestFile,
  isTypeScript,
  lineAt,
  type SourceFile,
  treeOf,
} from './source-file.ts';
import { allowedImports, packageDoors, wireFile } from './tables.ts';

/** Whether `path` lies behind one of the entries of a door. */
export function isBehindDoor(path: string, entries: readonly string[]): boolean {
  return entries.some((entry) => (entry.endsWith('.ts') ? path === entry : path.startsWith(entry)));
}

/** The folder that stands for the file in the import table: `core`, `protocols/resp`, `web`, `index`, … */
export function areaOf(path: string): string {
  const [top = '', folder = '', protocol = '', ...rest] = path.split('/');
  if (top !== 'src') return top;
  if (path === 'src/index.ts') return 'index';
  if (folder === 'protocols' && rest.length > 0) return `protocols/${protocol}`;
  return folder;
}

/** Keeps the layers: every import within src/ and web/ stands in the import table. */
export function checkLayers(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isShipped)) {
    const from = areaOf(file.path);
    for (const { specifier, line, isTypeOnly } of treeOf(file).imports) {
      if (!specifier.startsWith('.')) continue;
      const target = posix.join(posix.dirname(file.path), specifier);
      const message = refusal({ file: file.path, from, target, isTypeOnly });
      if (message !== null) findings.push({ path: file.path, line, message });
    }
    if (file.path.startsWith('src/') && tableRow(from) === undefined) {
      const message = `src/${from} is not in the import table: use a folder of test/tidy/tables.ts, or add a row`;
      findings.push({ path: file.path, line: 1, message });
    }
  }
  return findings;
}

function tableRow(area: string): readonly string[] | undefined {
  return allowedImports[area.startsWith('protocols/') ? 'protocols/*' : area];
}

interface Edge {
  file: string;
  from: string;
  target: string;
  isTypeOnly: boolean;
}

function refusal({ file, from, target, isTypeOnly }: Edge): string | null {
  const to = areaOf(target);
  if (file === wireFile && !isTypeOnly) {
    return `${wireFile} imports types only, so that the page can share it: use 'import type' for ${target}`;
  }
  if (from === 'web') {
    if (to === 'web' || (target === wireFile && isTypeOnly)) return null;
    return `web may not import ${target}: it sees only the types of ${wireFile}, by 'import type'`;
  }
  if (isTestFile(target)) return `${target} is test code: shipped code may not import it`;
  if (to === from) return null;
  const row = tableRow(from) ?? [];
  if (row.includes(to.startsWith('protocols/') ? 'protocols/*' : to)) return null;
  const may = row.length === 0 ? 'nothing outside itself' : row.join(', ');
  return `${from} may import ${may}, not ${to} (${target}): move the code down, or take it as a parameter`;
}

/** Keeps libraries behind their doors, and every production dependency in the table of doors. */
export function checkPackages(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isShipped)) {
    for (const { specifier, line } of treeOf(file).imports) {
      if (specifier.startsWith('.')) continue;
      const name = packageOf(specifier);
      const entries = packageDoors[name];
      if (entries === undefined && name.startsWith('node:') && !file.path.startsWith('web/')) continue;
      if (entries !== undefined && isBehindDoor(file.path, entries)) continue;
      const where = entries === undefined ? 'no shipped file' : entries.join(', ');
      const message = `${name} may be imported by ${where} only (test/tidy/tables.ts): go through there`;
      findings.push({ path: file.path, line, message });
    }
  }
  return [...findings, ...checkDependenciesListed(files)];
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier.split('/')[0] ?? specifier;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function checkDependenciesListed(files: readonly SourceFile[]): Finding[] {
  const file = files.find(({ path }) => path === 'package.json');
  if (file === undefined) return [];
  const { dependencies = {} } = JSON.parse(file.text) as { dependencies?: Record<string, string> };
  const unlisted = Object.keys(dependencies).filter((name) => packageDoors[name] === undefined);
  return unlisted.map((name) => ({
    path: file.path,
    line: lineAt(file.text, file.text.indexOf(`"${name}"`)),
    message: `${name} has no entry in packageDoors: say in test/tidy/tables.ts which files may import it`,
  }));
}

/** Keeps files out of import cycles. Imports that vanish when compiled are left out; `import()` counts. */
export function checkCycles(files: readonly SourceFile[]): Finding[] {
  const graph = new Map<string, { target: string; line: number }[]>();
  for (const file of files.filter(isTypeScript)) {
    const edges = treeOf(file).imports.filter(
      ({ specifier, isTypeOnly }) => !isTypeOnly && specifier.startsWith('.'),
    );
    const resolve = (specifier: string): string => posix.join(posix.dirname(file.path), specifier);
    graph.set(
      file.path,
      edges.map(({ specifier, line }) => ({ target: resolve(specifier), line })),
    );
  }
  const findings: Finding[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    trail.push(path);
    for (const { target, line } of graph.get(path) ?? []) {
      const at = trail.indexOf(target);
      if (at !== -1) {
        const cycle = [...trail.slice(at), target].join(' → ');
        const message = `import cycle ${cycle}: move what they share to a third file, or import types by 'import type'`;
        findings.push({ path, line, message });
      } else if (!done.has(target)) visit(target);
    }
    trail.pop();
    done.add(path);
  };
  for (const path of graph.keys()) if (!done.has(path)) visit(path);
  return findings;
}
