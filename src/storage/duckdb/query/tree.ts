/**
 * What a query is, read off DuckDB's own syntax tree (`json_serialize_sql`) before anything is run: that it is one
 * SELECT or EXPLAIN of one, which tables it names, and that it calls only table functions known to be harmless.
 */
import { CandelaError } from '../../../core/errors.ts';
import type { ReaderPool } from '../statements.ts';

/** A query that may be run. */
export interface QueryTree {
  kind: 'select' | 'explain';
  /** Unqualified names of tables and views read, lower case, without the query's own CTEs. */
  tables: ReadonlySet<string>;
  /** The tree as DuckDB serializes it, of a SELECT with an as-of join in it. */
  asOf: string | null;
}

/** Trees kept, by text: a query is usually asked for its tables first and then run. */
const treesMax = 64;

/** A reader of query trees with a small cache. Throws `SYNTAX` with the position, or `UNSUPPORTED`. */
export function queryTreeReader(readers: ReaderPool): (text: string) => Promise<QueryTree> {
  const trees = new Map<string, QueryTree>();
  return async (text) => {
    let tree = trees.get(text);
    if (tree) return tree;
    tree = await readTree(readers, text);
    trees.set(text, tree);
    const [oldest] = trees.keys();
    if (trees.size > treesMax) trees.delete(oldest);
    return tree;
  };
}

/** Comments and EXPLAIN with its options, in front of the statement it explains. */
const explainPattern =
  /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*explain(?:\s+analyze\b)?(?:\s*\(\s*(?:analyze|format)\b[^)]*\))?\s+/i;

async function readTree(readers: ReaderPool, text: string): Promise<QueryTree> {
  const explain = explainPattern.exec(text);
  const start = explain?.[0].length ?? 0;
  const json = await serialize(readers, text.slice(start));
  const parsed = JSON.parse(json) as Serialized;
  if (parsed.error) throw treeError(parsed, text, start);
  if (parsed.statements.length === 0) {
    throw new CandelaError('SYNTAX', 'the text holds no SQL statement', {
      help: 'Send one SELECT.',
      position: 0,
    });
  }
  if (parsed.statements.length !== 1) {
    throw new CandelaError('UNSUPPORTED', `the text holds ${parsed.statements.length} statements, not one`, {
      help: 'Send one statement at a time.',
    });
  }
  const tables = new Set<string>();
  visit(parsed.statements[0], new Set(), tables);
  const asOf = !explain && json.includes('"ref_type":"ASOF"') ? json : null;
  return { kind: explain ? 'explain' : 'select', tables, asOf };
}

type Serialized =
  | { error: false; statements: unknown[] }
  | { error: true; error_type: string; error_message: string; position?: string };

function serialize(readers: ReaderPool, text: string): Promise<string> {
  const statement = {
    sql: 'SELECT json_serialize_sql($1::VARCHAR)',
    parameters: [{ type: 'text' as const, value: text }],
  };
  return readers.run(statement, (result) => String(result.getChunk(0).getColumnValues(0)[0]));
}

function treeError(parsed: Extract<Serialized, { error: true }>, text: string, start: number): CandelaError {
  if (parsed.error_type === 'not implemented') {
    return new CandelaError(
      'UNSUPPORTED',
      'only queries can be run here: SELECT, VALUES, DESCRIBE, EXPLAIN and the like',
      {
        help: 'Change tables and rows through the write calls of the API.',
      },
    );
  }
  if (parsed.position === undefined) return new CandelaError('SYNTAX', parsed.error_message);
  // The parser counts code points, the binder bytes.
  const before = [...text.slice(start)].slice(0, Number(parsed.position));
  const position = start + before.join('').length;
  return new CandelaError('SYNTAX', parsed.error_message, { position });
}

/** Table functions a query may call: they read nothing but their arguments and the catalog. */
const tableFunctions = new Set(
  (
    'unnest range generate_series generate_subscripts repeat repeat_row json_each json_tree histogram ' +
    'histogram_values regexp_split_to_table summary icu_calendar_names pg_timezone_names ' +
    'duckdb_columns duckdb_databases duckdb_functions duckdb_keywords duckdb_schemas duckdb_settings duckdb_tables ' +
    'duckdb_types duckdb_views pragma_table_info pragma_show pragma_version'
  ).split(' '),
);

/** Walks the tree; `scope` holds the names of the CTEs that can be seen at this node. */
function visit(node: unknown, scope: ReadonlySet<string>, tables: Set<string>): void {
  if (Array.isArray(node)) {
    for (const child of node) visit(child, scope, tables);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const fields = node as Record<string, unknown>;
  if (fields.type === 'BASE_TABLE') addTable(fields, scope, tables);
  if (fields.type === 'TABLE_FUNCTION') checkFunction(fields);
  const inner = visitCtes(fields, scope, tables);
  for (const [name, child] of Object.entries(fields)) {
    if (name !== 'cte_map') visit(child, inner, tables);
  }
}

/** Visits the CTEs of a SELECT, each of which sees those before it, and returns the scope of its body. */
function visitCtes(
  fields: Record<string, unknown>,
  scope: ReadonlySet<string>,
  tables: Set<string>,
): ReadonlySet<string> {
  const ctes = (fields.cte_map as { map: { key: string; value: unknown }[] } | undefined)?.map ?? [];
  const inner = new Set(scope);
  for (const { key, value } of ctes) {
    visit(value, inner, tables);
    inner.add(key.toLowerCase());
  }
  // A recursive CTE sees itself.
  if (fields.type === 'RECURSIVE_CTE_NODE') inner.add(String(fields.cte_name).toLowerCase());
  return inner;
}

function addTable(fields: Record<string, unknown>, scope: ReadonlySet<string>, tables: Set<string>): void {
  const name = String(fields.table_name).toLowerCase();
  // DuckDB would read a file of that name, and cold files are open to it.
  if (/\.parquet$/.test(name)) {
    throw new CandelaError('UNSUPPORTED', `the file '${name}' cannot be read by a query`, {
      help: 'Queries read tables and views; files come in by the import command.',
    });
  }
  const schema = String(fields.schema_name).toLowerCase();
  if (schema === '' ? !scope.has(name) : schema === 'main') tables.add(name);
}

function checkFunction(fields: Record<string, unknown>): void {
  const name = String(
    (fields.function as { function_name?: unknown } | undefined)?.function_name,
  ).toLowerCase();
  if (tableFunctions.has(name)) return;
  throw new CandelaError('UNSUPPORTED', `the table function '${name}' cannot be called in a query`, {
    help: 'Queries read tables and views; files come in by the import command.',
  });
}
