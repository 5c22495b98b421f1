/** One user query on one connection: prepared, bound, wrapped so that DuckDB limits and converts it, and read. */
import { isDeepStrictEqual } from 'node:util';
import type { DuckDBConnection, DuckDBPreparedStatement, DuckDBType } from '@duckdb/node-api';
import { CandelaError } from '../../../core/errors.ts';
import { type Scalar, sliceColumn } from '../../../market/columns.ts';
import type { QueryLimits, QueryResult } from '../../storage.ts';
import { noteRead } from '../native-memory.ts';
import { readColumnsInTurns } from '../vector-reader.ts';
import { rewriteAsOfJoins } from './asof/rewrite.ts';
import { endsTransaction } from './errors.ts';
import { fetchResult } from './fetching.ts';
import { bindScalars } from './parameters.ts';
import { resultPlan } from './result-types.ts';
import { shown } from './shown-decimals.ts';
import type { QueryTree } from './tree.ts';

/** A query to run. */
export interface QueryRequest {
  text: string;
  tree: QueryTree;
  parameters: readonly Scalar[];
  limits: QueryLimits;
}

/** Where the user's text begins in the statement being run, for the positions of errors. */
export interface QueryProgress {
  /** Infinite when the statement is not the user's text. */
  bytesBefore: number;
}

/** Runs a query that has passed `query-tree.ts`. Errors are DuckDB's own. */
export async function runQuery(
  connection: DuckDBConnection,
  request: QueryRequest,
  progress: QueryProgress,
): Promise<QueryResult> {
  const { tree, parameters, limits } = request;
  const description = await describe(connection, request.text, parameters);
  const { names, types } = description;
  const plans = types.map(resultPlan);
  const text = (await rewritten(connection, request, description)) ?? request.text;
  let sql = text;
  if (tree.kind === 'select') {
    const list = plans.map(({ cast }, index) => `c${index}${cast}`).join(', ');
    const aliases = plans.map((_, index) => `c${index}`).join(', ');
    const before = `SELECT ${list} FROM (\n`;
    progress.bytesBefore = text === request.text ? before.length : Number.POSITIVE_INFINITY;
    // Fetching one row more than allowed tells whether there are more.
    sql = `${before}${withoutTerminator(text)}\n) AS q(${aliases}) LIMIT ${limits.rowsMax + 1}`;
  }
  return withPrepared(connection, sql, async (statement) => {
    bindScalars(statement, parameters);
    const forms = plans.map(({ form }) => form);
    const result = await fetchResult(statement, forms, limits.bytesMax ?? Number.POSITIVE_INFINITY);
    const read = await readColumnsInTurns(result, forms);
    noteRead(result.bytes);
    const columns = read.map((column, index) => shown(column, plans[index]));
    const truncated = result.rowCount > limits.rowsMax;
    const rowCount = truncated ? limits.rowsMax : result.rowCount;
    return {
      rowCount,
      names,
      types,
      columns: truncated ? columns.map((column) => sliceColumn(column, 0, rowCount)) : columns,
      truncated,
    };
  });
}

/** The statement with its as-of joins rewritten, provided that its columns stay what they are. */
async function rewritten(
  connection: DuckDBConnection,
  { tree, parameters }: QueryRequest,
  description: Description,
): Promise<string | undefined> {
  if (tree.asOf === null) return undefined;
  try {
    const text = await rewriteAsOfJoins(connection, { json: tree.asOf, parameters });
    if (text === undefined) return undefined;
    return isDeepStrictEqual(await describe(connection, text, parameters), description) ? text : undefined;
  } catch (error) {
    // What cannot be written down again is run as it is; other errors would meet the query too.
    if (endsTransaction(error)) throw error;
    return undefined;
  }
}

interface Description {
  names: string[];
  types: string[];
}

/** Names and types of the result's columns. If they hang on the parameters, DuckDB is asked again with those bound. */
async function describe(
  connection: DuckDBConnection,
  text: string,
  parameters: readonly Scalar[],
): Promise<Description> {
  const described = await withPrepared(connection, text, async (statement) => {
    if (statement.parameterCount !== parameters.length) {
      throw new CandelaError(
        'INVALID_ARGUMENT',
        `the query has ${statement.parameterCount} parameters, but ${parameters.length} values were given`,
      );
    }
    const indexes = Array.from({ length: statement.columnCount }, (_, index) => index);
    if (indexes.some((index) => statement.columnTypeId(index) === 0)) return null;
    return {
      names: indexes.map((index) => statement.columnName(index)),
      types: indexes.map((index) => typeName(statement.columnType(index))),
    };
  });
  if (described) return described;
  return withPrepared(connection, `DESCRIBE ${text}`, async (statement) => {
    bindScalars(statement, parameters);
    const [names, types] = await (await statement.run()).getColumns();
    return { names: names.map(String), types: types.map(String) };
  });
}

/** JSON is a VARCHAR by another name. */
function typeName(type: DuckDBType): string {
  return type.alias ?? String(type);
}

async function withPrepared<T>(
  connection: DuckDBConnection,
  sql: string,
  use: (statement: DuckDBPreparedStatement) => Promise<T>,
): Promise<T> {
  const statement = await connection.prepare(sql);
  try {
    return await use(statement);
  } finally {
    statement.destroySync();
  }
}

/** Strings, quoted names and comments, in which a semicolon ends nothing; or a semicolon. */
const tokenPattern = new RegExp(
  [
    /[eE]'(?:\\[\s\S]|[^'\\]|'')*'/,
    /'(?:[^']|'')*'/,
    /"(?:[^"]|"")*"/,
    /\$(?<tag>[A-Za-z_]\w*)?\$[\s\S]*?\$\k<tag>\$/,
    /--[^\n]*/,
    /\/\*[\s\S]*?\*\//,
    /;/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** A single statement without the semicolon at its end and what follows. */
function withoutTerminator(text: string): string {
  for (const token of text.matchAll(tokenPattern)) {
    if (token[0] === ';') return text.slice(0, token.index);
  }
  return text;
}
