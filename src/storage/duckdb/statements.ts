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

/**
 * A fixed number of connections for short reads; a read takes the one that was free longest, or waits for one.
 *
 * Statements are planned anew for each read, in the transaction in which they run. DuckDB plans with the table's
 * statistics of that moment and does not plan again when rows are added: a statement that is kept, or that a commit
 * overtakes between planning and running, may leave out rows or give garbled values (duckdb/duckdb#23704; a text of two
 * letters came back as one). It costs 0.2 ms, and fresh statistics make the better plan.
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
      return await read(await runInTransaction(reader, statement));
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

async function runInTransaction(
  connection: DuckDBConnection,
  { sql, parameters }: Statement,
): Promise<DuckDBMaterializedResult> {
  await connection.run('BEGIN');
  try {
    const prepared = await connection.prepare(sql);
    try {
      bind(prepared, parameters);
      return await prepared.run();
    } finally {
      prepared.destroySync();
    }
  } finally {
    await connection.run('ROLLBACK');
  }
}
