import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { columnOf } from '../market/columns.ts';
import { open } from './open.ts';

const timeoutMs = 700;
const queries = 6;
/** Takes minutes; ends with the timeout. */
const slowQuery = 'SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b';

it('flushes while queries run and more of them wait for their turn', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-sql-'));
  const database = await open({ directory });
  await database.createTable({
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
    ],
  });
  let running = queries;
  const errors = Promise.all(
    Array.from({ length: running }, () =>
      database
        .sql(slowQuery, { timeoutMs })
        .catch((error: { code: string }) => error.code)
        .finally(() => running--),
    ),
  );
  const row = { time: columnOf('timestamp', [0n]), symbol: columnOf('text', ['A']) };
  await database.write('trades', { rowCount: 1, columns: row });
  await database.flush();
  // The first may have ended; of those behind them the flush waits for none.
  expect(running).toBeGreaterThan(queries / 2);
  expect((await database.status()).walBytes).toBeLessThan(100_000);
  expect(new Set(await errors)).toEqual(new Set(['TIMEOUT']));
  const { columns } = await database.sql('SELECT count(*) AS n FROM trades');
  expect(columns).toEqual([columnOf('int64', [1n])]);
  await database.close();
  await rm(directory, { recursive: true });
});
