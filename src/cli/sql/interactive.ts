/** The interactive SQL prompt: statements over several lines, history kept in the home directory. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { RemoteDatabase } from '../../client/connect.ts';
import { type ColumnSet, columnOf } from '../../market/columns.ts';
import type { ColumnType } from '../../market/schema.ts';
import { print, reportError, say } from '../terminal.ts';
import { formatTable } from './format-table.ts';
import { splitStatements } from './split-statements.ts';

const historyLinesMax = 1000;
const prompt = 'candela> ';
const morePrompt = '      -> ';
const helpText = `Statements end with a semicolon.
\\d        list tables
\\d TABLE  describe a table
\\q        leave`;

/** Reads and runs statements until the user leaves. An error is shown and ends nothing. */
export async function runInteractive(
  database: RemoteDatabase,
  run: (statement: string) => Promise<void>,
): Promise<void> {
  const historyFile = join(homedir(), '.candela_sql_history');
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    history: readHistory(historyFile),
    historySize: historyLinesMax,
    removeHistoryDuplicates: true,
    prompt,
  });
  let history: string[] = [];
  lines.on('history', (now) => {
    history = now;
  });
  say('SQL on Candela. \\? for help.');
  await readStatements(lines, database, run);
  if (history.length > 0) writeFileSync(historyFile, `${history.toReversed().join('\n')}\n`, { mode: 0o600 });
}

async function readStatements(
  lines: Interface,
  database: RemoteDatabase,
  run: (statement: string) => Promise<void>,
): Promise<void> {
  let text = '';
  lines.on('SIGINT', () => {
    if (text === '' && lines.line === '') lines.close();
    else {
      // Ctrl-C gives up what is being typed.
      text = '';
      lines.write(null, { ctrl: true, name: 'u' });
      lines.setPrompt(prompt);
      process.stdout.write('\n');
      lines.prompt();
    }
  });
  lines.prompt();
  for await (const line of lines) {
    if (text === '' && /^\s*(\\q|quit|exit)\s*;?\s*$/i.test(line)) break;
    if (text === '' && line.trim().startsWith('\\')) await shown(() => runMeta(line.trim(), database));
    else {
      const { statements, rest } = splitStatements(`${text}${line}\n`);
      for (const statement of statements) await shown(() => run(statement));
      text = rest.trim() === '' ? '' : rest;
    }
    lines.setPrompt(text === '' ? prompt : morePrompt);
    lines.prompt();
  }
  lines.close();
}

async function shown(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    reportError(error, { verbose: false });
  }
}

async function runMeta(command: string, database: RemoteDatabase): Promise<void> {
  const [, name] = /^\\d\s*(\S*)$/.exec(command) ?? [];
  if (name === undefined) say(helpText);
  else await print(formatTable(name === '' ? tableList(database) : columnList(database, name)));
}

function tableList(database: RemoteDatabase): ColumnSet {
  const tables = database.tables();
  return {
    rowCount: tables.length,
    names: ['table', 'kind', 'series', 'built from'],
    columns: [
      columnOf(
        'text',
        tables.map(({ name }) => name),
      ),
      columnOf(
        'text',
        tables.map(({ kind }) => kind),
      ),
      columnOf(
        'int64',
        tables.map(({ seriesCount }) => BigInt(seriesCount)),
      ),
      columnOf(
        'text',
        tables.map(({ rollup }) => (rollup ? `${rollup.source} by ${rollup.timeframe}` : '')),
      ),
    ],
  };
}

function columnList(database: RemoteDatabase, name: string): ColumnSet {
  const table = database.table(name);
  const columns = table?.columns ?? [];
  const role = (column: string): string =>
    column === table?.timeColumn ? 'time' : table?.seriesKey.includes(column) ? 'series key' : '';
  if (!table) say(`there is no table ${name}`);
  return {
    rowCount: columns.length,
    names: ['column', 'type', 'nullable', 'role'],
    columns: [
      columnOf(
        'text',
        columns.map((column) => column.name),
      ),
      columnOf(
        'text',
        columns.map(({ type }) => typeName(type)),
      ),
      columnOf(
        'boolean',
        columns.map((column) => column.nullable !== false && role(column.name) === ''),
      ),
      columnOf(
        'text',
        columns.map((column) => role(column.name)),
      ),
    ],
  };
}

function typeName(type: ColumnType): string {
  if (type.kind === 'decimal' && type.precision !== undefined)
    return `decimal(${type.precision},${type.scale ?? 0})`;
  if (type.kind === 'timestamp') return type.unit === 'ns' ? 'timestamp (ns)' : 'timestamp';
  return type.kind;
}

/** Newest first, as readline wants it. */
function readHistory(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).toReversed() : [];
}
