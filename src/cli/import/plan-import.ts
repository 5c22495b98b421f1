/** Decides which column of the file fills which column of the table. */
import { CandelaError } from '../../core/errors.ts';
import type { TableDef } from '../../market/schema.ts';
import { usageError } from '../terminal.ts';
import type { FileColumn, ImportPlan } from './row-source.ts';
import { zoneTimeReader } from './zone-time.ts';

/** What the user said about columns. */
export interface ColumnChoices {
  /** Table column → file column. */
  map: ReadonlyMap<string, string>;
  /** Value of the first series key column for every row. */
  symbol: string | null;
  /** Zone of times without one. */
  timeZone: string | null;
}

/**
 * The plan for a file with these columns. Columns go by equal names, then by names equal but for case, unless the map
 * says otherwise. Throws `INVALID_ARGUMENT` where the map makes no sense or a column the table needs stays empty.
 */
export function planImport(table: TableDef, file: readonly FileColumn[], choices: ColumnChoices): ImportPlan {
  checkMap(table, file, choices.map);
  const constants = constantsOf(table, choices.symbol);
  const sources = new Map<string, string>();
  for (const { name } of table.columns) {
    const source = choices.map.get(name) ?? (constants.has(name) ? undefined : sameName(name, file));
    if (source !== undefined) sources.set(name, source);
  }
  const used = new Set(sources.values());
  if (used.size < sources.size) throw usageError('two columns take one column of the file', 'Correct --map.');
  checkComplete(table, file, new Set([...sources.keys(), ...constants.keys()]));
  const timeSource = file.find(({ name }) => name === sources.get(table.timeColumn ?? ''));
  const isTyped = timeSource?.type !== undefined && timeSource.type.kind !== 'text';
  return {
    table,
    sources,
    constants,
    unused: file.map(({ name }) => name).filter((name) => !used.has(name)),
    readTime: choices.timeZone === null || isTyped ? null : zoneTimeReader(choices.timeZone),
  };
}

/** The file's columns under the names the table to create shall give them, and a column for the symbol. */
export function columnsToCreate(file: readonly FileColumn[], { map, symbol }: ColumnChoices): FileColumn[] {
  const names = new Map([...map].map(([column, source]) => [source, column]));
  const columns = file.map((column) => ({ ...column, name: names.get(column.name) ?? column.name }));
  const hasSymbol = columns.some(({ name }) => name === 'symbol');
  return symbol === null || hasSymbol
    ? columns
    : [...columns, { name: 'symbol', type: { kind: 'text' }, values: [symbol] }];
}

function checkMap(table: TableDef, file: readonly FileColumn[], map: ReadonlyMap<string, string>): void {
  for (const [column, source] of map) {
    if (!table.columns.some(({ name }) => name === column)) {
      throw new CandelaError('COLUMN_NOT_FOUND', `--map: table '${table.name}' has no column '${column}'`, {
        help: `Its columns are ${list(table.columns)}.`,
      });
    }
    if (!file.some(({ name }) => name === source)) {
      throw new CandelaError('COLUMN_NOT_FOUND', `--map: the file has no column '${source}'`, {
        help: `Its columns are ${list(file)}.`,
      });
    }
  }
}

function constantsOf(table: TableDef, symbol: string | null): Map<string, string> {
  if (symbol === null) return new Map();
  const [key] = table.seriesKey;
  if (key !== undefined) return new Map([[key, symbol]]);
  throw usageError(`table '${table.name}' has no series key that --symbol could fill`, 'Leave out --symbol.');
}

function sameName(name: string, file: readonly FileColumn[]): string | undefined {
  const exact = file.find((column) => column.name === name);
  if (exact) return exact.name;
  const alike = file.filter((column) => column.name.toLowerCase() === name.toLowerCase());
  return alike.length === 1 ? alike[0].name : undefined;
}

function checkComplete(table: TableDef, file: readonly FileColumn[], filled: ReadonlySet<string>): void {
  const needed = table.columns
    .filter(
      ({ name, nullable }) =>
        nullable === false || name === table.timeColumn || table.seriesKey.includes(name),
    )
    .map(({ name }) => name);
  const missing = needed.filter((name) => !filled.has(name));
  if (missing.length === 0) return;
  const isKey = missing[0] === table.seriesKey[0];
  throw new CandelaError('INVALID_ARGUMENT', `no column of the file fills '${missing.join("', '")}'`, {
    help: `The file has ${list(file)}. Name one with --map ${missing[0]}=…${isKey ? ', or give --symbol' : ''}.`,
  });
}

function list(columns: readonly { name: string }[]): string {
  return columns.map(({ name }) => name).join(', ');
}
