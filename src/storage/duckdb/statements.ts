/** Parameterised statements, and connections that keep them prepared. */
import {
  type DuckDBConnection,
  type DuckDBInstance,
  type DuckDBMaterializedResult,
  type DuckDBPreparedStatement,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api';
import { CandelaError } from '../../core/errors.ts';
import { noteRead } from './native-memory.ts';
import { quoteText } from './sql-text.ts';
import type { PhysicalColumn } from './types.ts';

/** A value for one parameter of a statement. Times are in the unit of the column they are compared with. */
export type Parameter =
  | { type: 'int32'; value: number }
  | { type: 'int64'; value: bigint }
  | { type: 'text'; value: string }
  | { type: 'timestamp' | 'timestamptz' | 'timestamp-ns'; value: bigint };

/** SQL with `$1`, `$2` … and their values. */
export interface Statement {
  sql: string;
  parameters: Parameter[];
}

/** Collects parameters while a statement is written. */
export class ParameterList {
  readonly parameters: Parameter[] = [];

  /** Adds a value and returns its placeholder. */
  add(parameter: Parameter): string {
    return `$${this.parameters.push(parameter)}`;
  }
}

/** The type in which a time is compared with a time column. */
export function timeParameterType(column: PhysicalColumn): 'timestamp' | 'timestamptz' | 'timestamp-ns' {
  if (column.form.kind === 'time-ns') return 'timestamp-ns';
  return column.sqlType === 'TIMESTAMP' ? 'timestamp' : 'timestamptz';
}

/** Binds the parameters of a prepared statement, in order. */
export function bind(statement: DuckDBPreparedStatement, parameters: readonly Parameter[]): void {
  for (let index = 0; index < parameters.length; index++) bindOne(statement, index + 1, parameters[index]);
}

function bindOne(statement: DuckDBPreparedStatement, position: number, { type, value }: Parameter): void {
  switch (type) {
    case 'int32':
      statement.bindInteger(position, value);
      break;
    case 'int64':
      statement.bindBigInt(position, value);
      break;
    case 'text':
      statement.bindVarchar(position, value);
      break;
    case 'timestamp':
      statement.bindTimestamp(position, new DuckDBTimestampValue(value));
      break;
    case 'timestamptz':
      statement.bindTimestampTZ(position, new DuckDBTimestampTZValue(value));
      break;
    case 'timestamp-ns':
      statement.bindTimestampNanoseconds(position, new DuckDBTimestampNanosecondsValue(value));
      break;
  }
}

/** Quoted names and texts, which hold no parameters; or a parameter. */
const parameterPattern = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g;

/** The statement as one text, with literals for its parameters. */
export function withLiterals({ sql, parameters }: Statement): string {
  return sql.replace(parameterPattern, (token, position: string | undefined) =>
    position === undefined ? token : literal(parameters[Number(position) - 1]),
  );
}

const int64Max = 2n ** 63n - 1n;

function literal({ type, value }: Parameter): string {
  switch (type) {
    case 'int32':
      return `(${value})::INTEGER`;
    case 'int64':
      return `(${value})::BIGINT`;
    case 'text':
      // The text of a statement ends there for DuckDB.
      if (value.includes('\0'))
        throw new CandelaError('INVALID_ARGUMENT', 'the text holds a character of code 0');
      return quoteText(value);
    default:
      return value >= int64Max || value <= -int64Max
        ? `'${value > 0n ? '' : '-'}infinity'::${sqlTypes[type]}`
        : `${makeTime[type]}(${value})`;
  }
}

const sqlTypes = { timestamp: 'TIMESTAMP', timestamptz: 'TIMESTAMPTZ', 'timestamp-ns': 'TIMESTAMP_NS' };

/** Functions that make a time of an integer in the column's unit. */
export const makeTime = {
  timestamp: 'make_timestamp',
  timestamptz: 'make_timestamptz',
  'timestamp-ns': 'make_timestamp_ns',
};

/** Memory of a value in a result, about: DuckDB's own and in the chunk that is read. */
const resultValueBytes = 16;

/**
 * A fixed number of connections for short reads; a read takes the one that was free longest, or waits for one.
 *
 * Statements are planned anew for each read, in the transaction in which they run. DuckDB plans with the table's
 * statistics of that moment and does not plan again when rows are added: a statement that is kept, or that a commit
 * overtakes between planning and running, may leave out rows or give garbled values (duckdb/duckdb#23704; a text of two
 * letters came back as one). It costs 0.2 ms, and fresh statistics make the better plan. With literals instead of bound
 * values a read is one call, hence one turn through Node's threads: beginning a transaction, preparing, running and
 * rolling back by calls of their own would be four.
 */
export class ReaderPool {
  readonly #free: DuckDBConnection[] = [];
  readonly #waiting: ((reader: DuckDBConnection) => void)[] = [];

  /** Opens `size` connections. */
  static async open(instance: DuckDBInstance, size: number): Promise<ReaderPool> {
    const pool = new ReaderPool();
    for (let i = 0; i < size; i++) pool.#free.push(await instance.connect());
    return pool;
  }

  /** Runs one statement and hands its result to `read`, which must not keep it. */
  async run<T>(statement: Statement, read: (result: DuckDBMaterializedResult) => T | Promise<T>): Promise<T> {
    const reader =
      this.#free.shift() ?? (await new Promise<DuckDBConnection>((resolve) => this.#waiting.push(resolve)));
    try {
      const result = await reader.run(withLiterals(statement));
      const value = await read(result);
      noteRead(result.rowCount * result.columnCount * resultValueBytes);
      return value;
    } finally {
      const next = this.#waiting.shift();
      if (next) next(reader);
      else this.#free.push(reader);
    }
  }

  /** Closes the connections; none may be in use. */
  close(): void {
    for (const connection of this.#free.splice(0)) connection.closeSync();
  }
}
