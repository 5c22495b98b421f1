/** Rules about the code itself, read from the syntax tree. */
import { type Comment, parseSync, type Statement } from 'oxc-parser';
import { isBehindDoor } from './import-rules.ts';
import {
  type Finding,
  isShipped,
  isTestFile,
  isTypeScript,
  lineAt,
  type Node,
  type SourceFile,
  treeOf,
  walk,
} from './source-file.ts';
import { doors, functionLinesMax, functionLinesRatchet } from './tables.ts';

/** Wants a doc comment directly above every exported symbol of src/. Re-exports are documented where they are made. */
export function checkDocComments(files: readonly SourceFile[]): Finding[] {
  return files.filter((file) => isShipped(file) && file.path.startsWith('src/')).flatMap(undocumentedIn);
}

function undocumentedIn(file: SourceFile): Finding[] {
  const { body, comments } = treeOf(file);
  const documented = new Set<string>();
  const findings: Finding[] = [];
  for (const { statement, names } of exportsOf(body)) {
    const missing = names.filter((name) => !documented.has(name));
    for (const name of names) documented.add(name);
    if (missing.length === 0 || hasDocComment(file.text, comments, statement.start)) continue;
    const message = `export ${missing.join(', ')} has no doc comment: say above it, in /** … */, what it promises`;
    findings.push({ path: file.path, line: lineAt(file.text, statement.start), message });
  }
  return findings;
}

/** Statements that hold exported declarations, in order, with the names. The overloads of a function each count. */
function exportsOf(body: readonly Node[]): { statement: Node; names: string[] }[] {
  const listed = new Set<string>();
  for (const node of body) {
    if (node.type !== 'ExportNamedDeclaration' || node.source !== null) continue;
    for (const specifier of node.specifiers as Node[]) listed.add((specifier.local as Node).name as string);
  }
  const exports: { statement: Node; names: string[] }[] = [];
  for (const statement of body) {
    if (statement.type === 'ExportDefaultDeclaration') exports.push({ statement, names: ['default'] });
    const isExport = statement.type === 'ExportNamedDeclaration';
    const names = declaredNames(isExport ? (statement.declaration as Node | null) : statement);
    const exported = isExport ? names : names.filter((name) => listed.has(name));
    if (exported.length > 0) exports.push({ statement, names: exported });
  }
  return exports;
}

function declaredNames(declaration: Node | null): string[] {
  if (declaration === null) return [];
  if (declaration.type === 'VariableDeclaration') {
    return (declaration.declarations as Node[]).map(({ id }) => String((id as Node).name ?? 'pattern'));
  }
  const isDeclaration =
    /^(Function|Class|TSInterface|TSTypeAlias|TSModule|TSEnum)Declaration$|^TSDeclareFunction$/;
  const id = declaration.id as Node | null | undefined;
  return isDeclaration.test(declaration.type) && id ? [String(id.name)] : [];
}

function hasDocComment(text: string, comments: readonly Comment[], start: number): boolean {
  const above = comments.findLast((comment) => comment.end <= start);
  if (above === undefined || above.type !== 'Block' || !/^\*[\s*]*[^\s*]/.test(above.value)) return false;
  return /^[^\S\n]*\n?[^\S\n]*$/.test(text.slice(above.end, start));
}

/** Wants functions short enough for one screen; the ratchet names the ones that may stay as long as they are. */
export function checkFunctionLength(
  files: readonly SourceFile[],
  ratchet: Readonly<Record<string, number>> = functionLinesRatchet,
): Finding[] {
  const findings: Finding[] = [];
  const stale = new Set(Object.keys(ratchet));
  for (const file of files.filter(isShipped)) {
    for (const { name, line, lines } of longFunctionsIn(file)) {
      const key = `${file.path}:${name}`;
      const max = ratchet[key] ?? functionLinesMax;
      if (max <= lines) stale.delete(key);
      if (lines <= max) continue;
      const message = `${name} has ${lines} lines, ${max} are allowed: split it by job`;
      findings.push({ path: file.path, line, message });
    }
  }
  for (const key of stale) {
    const message = `functionLinesRatchet: ${key} is shorter now or gone: lower the number or take the entry out`;
    findings.push({ path: 'test/tidy/tables.ts', line: 1, message });
  }
  return findings;
}

function longFunctionsIn(file: SourceFile): { name: string; line: number; lines: number }[] {
  const found: { name: string; line: number; lines: number }[] = [];
  const parents = new Map<unknown, Node>();
  for (const statement of treeOf(file).body) {
    walk(statement, (node) => {
      for (const child of Object.values(node)) if (child instanceof Object) parents.set(child, node);
      if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
      const line = lineAt(file.text, node.start);
      const lines = lineAt(file.text, node.end) - line + 1;
      if (lines > functionLinesMax) found.push({ name: functionName(node, parents.get(node)), line, lines });
    });
  }
  return found;
}

function functionName(node: Node, parent: Node | undefined): string {
  const named = (node.id ?? parent?.id ?? parent?.key) as Node | null | undefined;
  return String(named?.name ?? named?.value ?? 'callback');
}

/** Keeps the clock, chance, the console and the end of the process behind their doors. */
export function checkDoors(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isShipped)) {
    const refuse = (node: Node, name: string): void => {
      const door = doors.find((each) => each.name === name);
      if (door === undefined || isBehindDoor(file.path, door.allowed)) return;
      const message = `${name} belongs in ${door.allowed.join(', ')}: ${door.instead}`;
      findings.push({ path: file.path, line: lineAt(file.text, node.start), message });
    };
    for (const statement of treeOf(file).body) walk(statement, (node) => refuse(node, globalUsed(node)));
  }
  return findings;
}

/** The name by which the table of doors knows what the node uses, or the empty string. */
function globalUsed(node: Node): string {
  const callee = node.callee as Node | undefined;
  const isDateCall = callee?.type === 'Identifier' && callee.name === 'Date';
  if (node.type === 'NewExpression' && isDateCall && (node.arguments as Node[]).length === 0)
    return 'Date.now';
  if (node.type === 'CallExpression' && isDateCall) return 'Date.now';
  if (node.type !== 'MemberExpression') return '';
  const object = node.object as Node;
  const property = node.property as Node;
  if (object.type !== 'Identifier') return '';
  if (object.name === 'console') return 'console';
  return `${object.name}.${property.name ?? property.value}`;
}

/** Refuses tests that are switched off or alone, and silenced compiler errors. `skipIf` with a reason is fine. */
export function checkSwitchedOff(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isTypeScript)) {
    const add = (start: number, message: string): void => {
      findings.push({ path: file.path, line: lineAt(file.text, start), message });
    };
    const { body, comments } = treeOf(file);
    if (isTestFile(file.path)) {
      for (const statement of body) {
        walk(statement, (node) => {
          const name = switchedOffTest(node);
          if (name !== null) add(node.start, `${name}: run the test, mend it or delete it`);
        });
      }
    }
    for (const { value, start } of comments) {
      if (/@ts-(ignore|nocheck)\b/.test(value))
        add(start, 'compiler silenced: mend the type, or expect the error and say why');
      else if (/@ts-expect-error\s*$/.test(value))
        add(start, 'expected compiler error without a reason: write it after');
    }
  }
  return findings;
}

function switchedOffTest(node: Node): string | null {
  if (node.type !== 'MemberExpression') return null;
  const property = String((node.property as Node).name);
  if (!['skip', 'only', 'todo', 'fails'].includes(property)) return null;
  let object = node.object as Node;
  while (object.type === 'MemberExpression') object = object.object as Node;
  const name = String(object.name);
  return ['it', 'test', 'describe', 'suite', 'bench'].includes(name) ? `${name}.${property}` : null;
}

/** Refuses code left behind as comments: comment lines that read as statements. */
export function checkDeadCode(files: readonly SourceFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files.filter(isTypeScript)) {
    for (const comment of treeOf(file).comments) {
      if (comment.value.startsWith('*')) continue;
      const lines = comment.value.split('\n');
      const at = lines.findIndex(readsAsCode);
      if (at === -1) continue;
      const line = lineAt(file.text, comment.start) + at;
      findings.push({ path: file.path, line, message: 'commented-out code: delete it, history keeps it' });
    }
  }
  return findings;
}

/** Whether a comment line parses as a statement that does something. A lone word or formula without `;` does not. */
function readsAsCode(line: string): boolean {
  const code = line.replace(/^\s*\*?\s*/, '').trimEnd();
  if (!/[;{]$/.test(code)) return false;
  const isModuleLevel = /^(import|export)\b/.test(code);
  const closed = code.endsWith('{') ? `${code}}` : code;
  const text = isModuleLevel ? closed : `async () => { ${closed} };`;
  const { program, errors } = parseSync('comment.ts', text);
  if (errors.length > 0) return false;
  if (isModuleLevel) return true;
  const [wrapper] = program.body;
  if (wrapper?.type !== 'ExpressionStatement' || wrapper.expression.type !== 'ArrowFunctionExpression')
    return false;
  const { body } = wrapper.expression;
  return body.type === 'BlockStatement' && body.body.some(doesSomething);
}

function doesSomething(statement: Statement): boolean {
  if (statement.type === 'EmptyStatement' || statement.type === 'BlockStatement') return false;
  if (statement.type !== 'ExpressionStatement') return true;
  return /^(Call|Assignment|Await|Update|New)Expression$/.test(statement.expression.type);
}
