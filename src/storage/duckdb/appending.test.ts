import { type DuckDBAppender, type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { must } from '../../core/assert.ts';
import { appendRows } from './appending.ts';
import { physicalOf } from './types.ts';

/** The connection, and the appenders that it made. */
function watched(connection: DuckDBConnection): DuckDBAppender[] {
  const made: DuckDBAppender[] = [];
  const create = connection.createAppender.bind(connection);
  connection.createAppender = async (...args) => {
    const appender = await create(...args);
    made.push(appender);
    return appender;
  };
  return made;
}

it('leaves nothing behind of an append that failed', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const appenders = watched(connection);
  await connection.run('CREATE TABLE once (number INTEGER PRIMARY KEY)');
  await connection.run('INSERT INTO once VALUES (1)');
  const columns = physicalOf({ name: 'number', type: { kind: 'int32' }, nullable: false }, 0);
  const target = { schema: 'main', table: 'once', columns };
  await connection.run('BEGIN');
  const appending = appendRows(connection, target, [{ kind: 'int64', values: BigInt64Array.of(1n, 2n) }], 2);
  await expect(appending).rejects.toThrow(/duplicate key/i);
  await connection.run('ROLLBACK');
  // Now the rows would fit, and a collected appender flushes what it has.
  await connection.run('DELETE FROM once');
  must(appenders[0], 'an appender').flushSync();
  const left = await connection.runAndReadAll('SELECT count(*)::INTEGER FROM once');
  expect(left.getRows()).toEqual([[0]]);
  connection.closeSync();
  instance.closeSync();
});
