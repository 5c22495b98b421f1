/** Clients that send slowly, for ever, or too often: each has a bound, and others are served meanwhile. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSocket, startTestServer, type TestServer, tradesTable } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ limits: { requestMsMax: 500, wsMessagesPerSecondMax: 50 } });
  await server.database.createTable(tradesTable);
});
afterAll(() => server.end());

/** A byte now and then; gives the answer once the server has had enough. */
function dribble(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const socket = connect(server.server.port, '127.0.0.1', () => {
      socket.write(head);
      timer = setInterval(() => socket.write('x'), 50);
    });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.setTimeout(8_000, () => reject(new Error('the server waits for ever')));
    // It has closed its side, and bytes still come.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(answer);
    });
  });
}

it('a request that takes too long to arrive is told so, whatever part of it is late', async () => {
  const body =
    'POST /api/v1/write/trades HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\ncontent-length: 100000\r\n\r\n';
  const slow = ['GET / HTTP/1.1\r\nhost: local', body, `${body}time,`, 'GET /'].flatMap((head) =>
    Array.from({ length: 5 }, () => dribble(head)),
  );
  // Others are served meanwhile.
  expect((await server.get('/healthz')).status).toBe(200);
  for (const answer of await Promise.all(slow)) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"TIMEOUT"[\s\S]*"help":"."?/);
  }
}, 30_000);

it.each(['messages', 'pings'])('too many %s a second end the connection', async (kind) => {
  const { socket } = await openSocket(server.url);
  const closed = new Promise((resolve) =>
    socket.on('close', (code, reason) => resolve([code, String(reason)])),
  );
  for (let i = 0; i < 60; i++) {
    if (kind === 'pings') socket.ping('x');
    else socket.send('{"op":"ping"}');
  }
  expect(await closed).toEqual([1008, 'more than 50 messages a second']);
});
