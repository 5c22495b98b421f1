/** Queries and writes share Node's thread pool: however many queries run, a write is acknowledged. */
import { readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { scratchFolder, startCandela } from '../support/candela.ts';

const { folder, remove } = scratchFolder('queries-and-writes');
afterAll(remove);

const queryMs = 3_000;
const queries = 8;
/** Takes minutes; ends with the timeout. */
const slowQuery = 'SELECT sum(a.range * b.range % 7) FROM range(1000000) a, range(1000000) b';

async function post(url: string, path: string, body: unknown): Promise<Response> {
  return fetch(`${url}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

it(`acknowledges durable writes while ${queries} slow queries run`, async () => {
  const server = await startCandela(folder, ['--no-feed']);
  const table = {
    name: 'trades',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: ['symbol'],
    columns: [
      { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
      { name: 'symbol', type: { kind: 'text' } },
      { name: 'price', type: { kind: 'double' } },
    ],
  };
  expect((await post(server.url, 'tables', table)).ok).toBe(true);
  let running = queries;
  const asked = Array.from({ length: queries }, () =>
    post(server.url, 'sql', { sql: slowQuery, timeoutMs: queryMs }).finally(() => running--),
  );
  const waitedMs: number[] = [];
  for (let write = 0; running > 0; write++) {
    const columns = { time: [1_700_000_000_000 + write], symbol: ['A'], price: [write] };
    const startMs = performance.now();
    const answer = await post(server.url, 'write/trades', { columns });
    waitedMs.push(performance.now() - startMs);
    expect(answer.status).toBe(200);
    await pause(5);
  }
  const answers = await Promise.all(asked);
  expect(answers.map(({ status }) => status)).toEqual(Array(queries).fill(504));
  waitedMs.sort((a, b) => a - b);
  const p99Ms = waitedMs[Math.floor(waitedMs.length * 0.99)];
  process.stdout.write(
    `${waitedMs.length} writes, p50 ${waitedMs[waitedMs.length >> 1]} ms, p99 ${p99Ms} ms\n`,
  );
  expect(waitedMs.length).toBeGreaterThan(50);
  // A write that waits for a query's thread waits for its end.
  expect(p99Ms).toBeLessThan(queryMs / 6);
  expect(await server.end('SIGTERM')).toBe(0);
});

it.skipIf(process.platform !== 'linux')('has more threads than queries may take', async () => {
  const server = await startCandela(folder, ['--no-feed'], { env: { UV_THREADPOOL_SIZE: '4' } });
  const without = readdirSync(`/proc/${server.process.pid}/task`).length;
  await server.end('SIGTERM');
  const wide = await startCandela(folder, ['--no-feed']);
  const threads = readdirSync(`/proc/${wide.process.pid}/task`).length;
  expect(threads - without).toBe(8);
  await wide.end('SIGTERM');
});
