/** Zone, calendar and stamp of a read, from the remote client over HTTP to the engine and back. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/log.ts';
import { open } from '../../src/engine/open.ts';
import { columnOf, textColumn, valueAt } from '../../src/market/columns.ts';
import { createAuthenticator, createToken, hashToken } from '../../src/net/auth.ts';
import { startHttpServer } from '../../src/protocols/http/server.ts';

function fail(): never {
  throw new Error('there are no feeds');
}

it('asks for bars of a zone, of a calendar, stamped at their close', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-calendar-http-'));
  const token = createToken();
  const database = await open({ directory });
  const server = await startHttpServer({
    host: '127.0.0.1',
    port: 0,
    database,
    feeds: { list: () => [], subscribe: fail, unsubscribe: fail },
    authenticator: createAuthenticator([{ name: 'desk', role: 'admin', tokens: [hashToken(token)] }]),
    log: silentLogger,
    clock: systemClock,
    webRoot: null,
    version: '0',
  });
  try {
    const remote = await connect({ url: `http://127.0.0.1:${server.port}`, token });
    await remote.createTable({
      name: 'trades',
      kind: 'ticks',
      timeColumn: 'time',
      seriesKey: ['symbol'],
      columns: [
        { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true } },
        { name: 'symbol', type: { kind: 'text' } },
        { name: 'price', type: { kind: 'double' } },
      ],
    });
    const aggregates = [{ name: 'close', fn: 'last', of: 'price' } as const];
    await database.createRollup({ name: 'hours', source: 'trades', timeframe: '1h', aggregates });
    await database.createRollup({
      name: 'sessions',
      source: 'trades',
      timeframe: '1h',
      calendar: 'XNYS',
      aggregates,
    });
    const time = columnOf('timestamp', [BigInt(Date.parse('2024-03-11T13:40:00Z')) * 1_000_000n]);
    const columns = { time, symbol: textColumn(['SPY']), price: columnOf('double', [1]) };
    await remote.write('trades', { rowCount: 1, columns });
    const timeOf = async (request: object): Promise<string> => {
      const bars = await remote.bars({ table: 'trades', timeframe: '1d', ...request });
      return new Date(Number(valueAt(bars.columns[0], 0)) / 1e6).toISOString();
    };
    expect(await timeOf({})).toBe('2024-03-11T00:00:00.000Z');
    expect(await timeOf({ timeZone: 'America/New_York' })).toBe('2024-03-11T04:00:00.000Z');
    expect(await timeOf({ calendar: 'XNYS' })).toBe('2024-03-11T13:30:00.000Z');
    expect(await timeOf({ calendar: 'XNYS', stamp: 'close' })).toBe('2024-03-11T20:00:00.000Z');
    expect(await timeOf({ timeframe: '1w', weekStart: 'sunday' })).toBe('2024-03-10T00:00:00.000Z');
    await expect(timeOf({ calendar: 'XLON' })).rejects.toThrow("there is no calendar 'XLON'");
  } finally {
    await server.close();
    await database.close();
    await rm(directory, { recursive: true });
  }
});
