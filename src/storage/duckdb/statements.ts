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

function bind(statement: DuckDBPreparedStatement, parameters: readonly Parameter[]): void {
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

/** Prepared statements kept per connection. */
const preparedMax = 64;

/**
 * A fixed number of connections for short reads. Each keeps its statements prepared, least recently used first out; a
 * read takes the connection that was free longest, or waits for one.
 */
export class ReaderPool {
  readonly #free: Reader[] = [];
  readonly #waiting: ((reader: Reader) => void)[] = [];

  /** Opens `size` connections. */
  static async open(instance: DuckDBInstance, size: number): Promise<ReaderPool> {
    const pool = new ReaderPool();
    for (let i = 0; i < size; i++) {
      pool.#free.push({ connection: await instance.connect(), prepared: new Map() });
    }
    return pool;
  }

  /** Runs one statement and hands its result to `read`, which must not keep it. */
  async run<T>(statement: Statement, read: (result: DuckDBMaterializedResult) => T | Promise<T>): Promise<T> {
    const reader =
      this.#free.shift() ?? (await new Promise<Reader>((resolve) => this.#waiting.push(resolve)));
    try {
      const prepared = await prepare(reader, statement.sql);
      bind(prepared, statement.parameters);
      return await read(await prepared.run());
    } finally {
      const next = this.#waiting.shift();
      if (next) next(reader);
      else this.#free.push(reader);
    }
  }

  /** Closes the connections; none may be in use. */
  close(): void {
    for (const { connection } of this.#free.splice(0)) connection.closeSync();
  }
}

interface Reader {
  connection: DuckDBConnection;
  prepared: Map<string, DuckDBPreparedStatement>;
}

async function prepare({ connection, prepared }: Reader, sql: string): Promise<DuckDBPreparedStatement> {
  let statement = prepared.get(sql);
  if (statement) prepared.delete(sql);
  else statement = await connection.prepare(sql);
  // A Map keeps insertion order, so the first key is the least recently used.
  prepared.set(sql, statement);
  if (prepared.size > preparedMax) {
    const [oldest] = prepared.keys();
    prepared.get(oldest)?.destroySync();
    prepared.delete(oldest);
  }
  return statement;
}
