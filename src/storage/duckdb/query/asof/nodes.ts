/** DuckDB's syntax tree as JSON (`json_serialize_sql`): read, written back, searched and filled in. */
import type { DuckDBConnection } from '@duckdb/node-api';

/** An object of the tree. */
export type Node = Record<string, unknown>;

/** Is this an object of the tree? */
export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Integers of 16 digits and more lose digits as doubles; they travel as text with this in front. */
const bigMark = '\u0000big:';
const bigPattern = /"value":(-?\d{16,})(?=[,}])/g;
const bigTextPattern = new RegExp(
  `"${JSON.stringify(bigMark).slice(1, -1).replace('\\', '\\\\')}(-?\\d+)"`,
  'g',
);
const locationPattern = /"query_location":\d+/g;

/** The tree of a serialized statement. Positions in the text are left out. */
export function parseTree(json: string): Node {
  const text = withoutLocations(json).replace(
    bigPattern,
    (_, digits) => `"value":${JSON.stringify(bigMark + digits)}`,
  );
  return JSON.parse(text) as Node;
}

/** The serialized form of a tree. */
export function printTree(tree: Node): string {
  return JSON.stringify(tree).replace(bigTextPattern, '$1');
}

/** A serialized statement with every position the same, to compare it with another. */
export function withoutLocations(json: string): string {
  return json.replace(locationPattern, '"query_location":0');
}

/** The serialized tree of one statement of ours. */
export function serialize(connection: DuckDBConnection, sql: string): Promise<string> {
  return textOf(connection, 'SELECT json_serialize_sql($1::VARCHAR)::VARCHAR', sql);
}

/** SQL text of a serialized tree. */
export function deserialize(connection: DuckDBConnection, json: string): Promise<string> {
  return textOf(connection, 'SELECT json_deserialize_sql($1::VARCHAR::JSON)', json);
}

async function textOf(connection: DuckDBConnection, sql: string, parameter: string): Promise<string> {
  const reader = await connection.runAndReadAll(sql, [parameter]);
  return String(reader.getRows()[0][0]);
}

/** Calls `see` for every object below `value`, from the top; below one for which it returns false it does not go on. */
export function walk(value: unknown, see: (node: Node) => boolean): void {
  if (Array.isArray(value)) {
    for (const child of value) walk(child, see);
  } else if (isNode(value) && see(value)) {
    for (const child of Object.values(value)) walk(child, see);
  }
}

/** The names of a column reference in lower case: the column, or table and column. Undefined for other nodes. */
export function columnNames(node: unknown): string[] | undefined {
  if (!isNode(node) || node.class !== 'COLUMN_REF') return undefined;
  return (node.column_names as string[]).map((name) => name.toLowerCase());
}

/** The parts of a condition that must all hold. */
export function conjuncts(condition: unknown): Node[] {
  if (!isNode(condition)) return [];
  if (condition.type !== 'CONJUNCTION_AND') return [condition];
  return (condition.children as Node[]).flatMap(conjuncts);
}

/** All of the conditions, or TRUE for none. */
export function allOf(conditions: readonly Node[]): Node {
  if (conditions.length === 1) return conditions[0];
  return {
    class: 'CONJUNCTION',
    type: 'CONJUNCTION_AND',
    alias: '',
    query_location: 0,
    children: conditions,
  };
}

/**
 * Puts nodes in the place of stand-ins: of columns by their unqualified name, and of tables by theirs. Returns the
 * tree, changed.
 */
export function fill<T>(value: T, standIns: ReadonlyMap<string, Node>): T {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = fill(value[i], standIns);
    return value;
  }
  if (!isNode(value)) return value;
  const name = value.type === 'BASE_TABLE' ? String(value.table_name) : columnNames(value)?.join('.');
  const other = name === undefined ? undefined : standIns.get(name);
  if (other) return structuredClone(other) as T;
  for (const [key, child] of Object.entries(value)) (value as Node)[key] = fill(child, standIns);
  return value;
}
