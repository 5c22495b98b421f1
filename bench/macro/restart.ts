/** A server killed with rows in its log that the store has not: how long until it serves again. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeArrow } from '../../src/codecs/arrow/encode-arrow.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { httpClient, postJson } from '../support/http-client.ts';
import { startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { makeTicks, tickBatches, tradesCandles, tradesTable } from '../support/ticks.ts';

/** See the head of this file. */
export const restartScenario: Scenario = {
  name: 'restart',
  title: 'SIGKILL while writing, then start until it listens and holds every acknowledged row',
  rows: 4_000_000,
  target: '5 s with 1 GB of log not flushed',
  runs: [
    { name: 'candela', run: ({ rows }) => withTemporaryDirectory((directory) => restart(directory, rows)) },
  ],
};

async function restart(directory: string, rows: number): Promise<Figure[]> {
  const args = ['--no-feed', '--memory-budget', '2GiB'];
  const server = await startServer(directory, args);
  const post = httpClient(server.port, 1);
  await postJson(post, 'tables', tradesTable);
  await postJson(post, 'candles', tradesCandles);
  for (const { rowCount, columns } of tickBatches(makeTicks(rows), 65_536)) {
    const set = { rowCount, names: Object.keys(columns), columns: Object.values(columns) };
    await post(
      '/api/v1/write/trades',
      'application/vnd.apache.arrow.stream',
      Buffer.from(encodeArrow(set, 'stream')),
    );
  }
  await server.end('SIGKILL');
  const logBytes = logSize(join(directory, 'data'));
  const again = await startServer(directory, args);
  const sql = 'SELECT count(*)::DOUBLE AS n FROM trades';
  const text = await postJson(httpClient(again.port, 1), 'sql', { sql });
  const answer = JSON.parse(text) as { rows: { n: number }[] };
  await again.end();
  if (answer.rows[0].n !== rows) throw new Error(`${answer.rows[0].n} rows after the restart, not ${rows}`);
  return [
    { label: 'listening after', value: again.startMs, unit: 'ms' },
    { label: 'log', value: logBytes / 1e6, unit: 'MB' },
  ];
}

function logSize(data: string): number {
  const folder = join(data, 'wal');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0);
}
