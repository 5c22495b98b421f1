/** What the tidy rules look at: files as text, and TypeScript files as syntax trees. */
import { type Comment, parseSync, visitorKeys } from 'oxc-parser';

/** A file of the repository; the path is relative to its root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** One broken rule: where, and what to do about it. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A syntax-tree node; children are reached through {@link walk}. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** One import, re-export, `import()` or `import type` in a file. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** Vanishes when compiled. `import { type X }` does not: the empty import stays. */
  readonly isTypeOnly: boolean;
}

/** A parsed TypeScript file. */
export interface Tree {
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
}

/** A file by path and text. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text };
}

/** A finding as one line an editor can jump to. */
export function formatFinding(finding: Finding): string {
  return `${finding.path}:${finding.line}  ${finding.message}`;
}

/** Whether the file is TypeScript of ours. */
export function isTypeScript(file: SourceFile): boolean {
  return file.path.endsWith('.ts');
}

/** Whether the file is test code: never shipped, free of the import table and of the doors. */
export function isTestFile(path: string): boolean {
  return (
    /\.(test|itest|case|bench)\.ts$/.test(path) || path.startsWith('test/') || path.startsWith('src/testing/')
  );
}

/** Whether the file is TypeScript that ships: in src/ or web/ and no test. */
export function isShipped(file: SourceFile): boolean {
  return isTypeScript(file) && /^(src|web)\//.test(file.path) && !isTestFile(file.path);
}

/** The line, from 1, that holds the character at `offset`. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** Calls `visit` on the node and everything below it, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const key of visitorKeys[node.type] ?? []) {
    const child = node[key];
    if (Array.isArray(child)) {
      for (const item of child) if (item !== null) walk(item as Node, visit);
    } else if (child !== null && child !== undefined) {
      walk(child as Node, visit);
    }
  }
}

const trees = new WeakMap<SourceFile, Tree>();

/** The file's syntax tree, parsed once. A syntax error stops: the compiler has more to say about it. */
export function treeOf(file: SourceFile): Tree {
  const known = trees.get(file);
  if (known !== undefined) return known;
  const { program, comments, errors } = parseSync(file.path, file.text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file.path}: ${error.message}`);
  const body = program.body as unknown as readonly Node[];
  const tree: Tree = { body, comments, imports: importsOf(body, file.text) };
  trees.set(file, tree);
  return tree;
}

function importsOf(body: readonly Node[], text: string): Import[] {
  const imports: Import[] = [];
  const add = (source: unknown, isTypeOnly: boolean): void => {
    const literal = source as Node | null | undefined;
    if (typeof literal?.value !== 'string') return;
    imports.push({ specifier: literal.value, line: lineAt(text, literal.start), isTypeOnly });
  };
  for (const statement of body) {
    walk(statement, (node) => {
      if (node.type === 'ImportDeclaration') add(node.source, node.importKind === 'type');
      else if (/^Export(Named|All)Declaration$/.test(node.type)) add(node.source, node.exportKind === 'type');
      else if (node.type === 'ImportExpression') add(node.source, false);
      else if (node.type === 'TSImportType') add(node.source ?? node.argument, true);
    });
  }
  return imports;
}
