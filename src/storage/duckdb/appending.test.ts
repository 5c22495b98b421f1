import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { appendRows } from './appending.ts';
import { physicalOf } from './types.ts';

/** Lets go of everything that nobody holds, native objects too. */
async function collect(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  for (let i = 0; i < 10; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('leaves nothing behind of an append that failed, however late', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run('CREATE TABLE once (number INTEGER PRIMARY KEY)');
  await connection.run('INSERT INTO once VALUES (1)');
  const columns = physicalOf({ name: 'number', type: { kind: 'int32' }, nullable: false }, 0);
  const append = (): Promise<void> =>
    appendRows(
      connection,
      { schema: 'main', table: 'once', columns },
      [{ kind: 'int64', values: BigInt64Array.of(1n, 2n) }],
      2,
    );
  await connection.run('BEGIN');
  await expect(append()).rejects.toThrow(/duplicate key/i);
  await connection.run('ROLLBACK');
  // Now the rows would fit.
  await connection.run('DELETE FROM once');
  await collect();
  const left = await connection.runAndReadAll('SELECT count(*)::INTEGER FROM once');
  expect(left.getRows()).toEqual([[0]]);
  connection.closeSync();
  instance.closeSync();
});
