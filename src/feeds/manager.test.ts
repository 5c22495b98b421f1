import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordingLogger } from '../../test/support/feed-surroundings.ts';
import { recordingDatabase } from '../../test/support/recording-database.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { systemClock } from '../core/clock.ts';
import { createFeedManager, type FeedSetting } from './manager.ts';
import { startSimulator } from './simulator/simulator.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'candela-feeds-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function moduleFile(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function manage(settings: FeedSetting[]) {
  const recording = recordingDatabase();
  const { log, lines } = recordingLogger();
  const manager = createFeedManager({ database: recording.database, log, clock: systemClock }, settings);
  return { manager, recording, lines };
}

/** A module that writes one row and counts its stops. */
const oneRowModule = `export default {
  kind: 'one-row',
  create(name, options, { database, createBatcher }) {
    let batcher;
    return {
      async start() {
        await database.createTable({
          name: 'one', kind: 'ticks', timeColumn: 'time', seriesKey: ['symbol'],
          columns: [
            { name: 'time', type: { kind: 'timestamp', unit: 'us', zone: true }, nullable: false },
            { name: 'symbol', type: { kind: 'text' }, nullable: false },
            { name: 'price', type: { kind: 'double' } },
          ],
        });
        batcher = createBatcher({ table: 'one', columns: ['time', 'symbol', 'price'] });
        batcher.push(['2024-05-17T09:30:00Z', options.symbol, 1.5]);
      },
      async stop() {
        await batcher.close();
        if (options.failAtStop) throw new Error('no brakes');
      },
      status: () => ({
        name, kind: 'one-row', simulated: false, state: 'connected', table: 'one', symbols: [],
        failedSymbols: [], reconnects: 0, lastEventMs: null, ...batcher.counts(),
      }),
    };
  },
};`;

it('runs a module of the user by its path', async () => {
  const module = await moduleFile('one-row.mjs', oneRowModule);
  const { manager, recording } = manage([{ name: 'mine', module, options: { symbol: 'A' } }]);
  expect(manager.list()).toMatchObject([{ name: 'mine', state: 'stopped' }]);
  await manager.start();
  expect(manager.list()).toMatchObject([{ name: 'mine', kind: 'one-row', rowsReceived: 1 }]);
  await expect(manager.subscribe('mine', ['B'])).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await manager.stop();
  expect(recording.rows('one')).toEqual([
    { time: BigInt(Date.UTC(2024, 4, 17, 9, 30)) * 1_000_000n, symbol: 'A', price: 1.5 },
  ]);
});

describe('a feed that fails', () => {
  it.each([
    ['an unknown kind', { kind: 'telex' }, /there is no kind 'telex'/],
    ['a module that is not there', { module: '/nowhere/feed.js' }, /cannot load \/nowhere\/feed\.js/],
    ['a bad option', { kind: 'replay' }, /option file must be the path of a recorded file/],
  ])('by %s leaves the others running', async (_, setting, message) => {
    const module = await moduleFile('good.mjs', oneRowModule);
    const { manager, lines } = manage([
      { name: 'bad', options: {}, ...setting },
      { name: 'good', module, options: { symbol: 'A' } },
    ]);
    await manager.start();
    const [bad, good] = manager.list();
    expect(bad).toMatchObject({ state: 'failed', lastError: expect.stringMatching(message) });
    expect(good).toMatchObject({ state: 'connected', rowsReceived: 1 });
    const told = lines.filter((line) => line.level === 'error').map((line) => line.message);
    expect(told).toEqual([expect.stringMatching(message)]);
    expect(told[0].split('feed ')).toHaveLength(2);
    await expect(manager.subscribe('bad', ['A'])).rejects.toMatchObject({ code: 'FEED_FAILED' });
    await manager.stop();
  });

  it('by its module exporting something else says so', async () => {
    const module = await moduleFile('nothing.mjs', 'export default { kind: "half" };');
    const { manager } = manage([{ name: 'half', module, options: {} }]);
    await manager.start();
    expect(manager.list()[0].lastError).toContain('does not export a feed');
  });

  it('by an error of its own module is told as one of that module', async () => {
    const text = `export default { kind: 'picky', create() { throw new Error('option product is missing'); } };`;
    const module = await moduleFile('picky.mjs', text);
    const { manager, lines } = manage([{ name: 'mine', module, options: {} }]);
    await manager.start();
    expect(manager.list()).toMatchObject([{ state: 'failed', lastError: 'option product is missing' }]);
    const help = `The error comes from ${module}: correct its options, or the module.`;
    expect(lines.find(({ level }) => level === 'error')?.fields).toMatchObject({ help });
  });

  it('at its stop is reported, and the others are stopped', async () => {
    const module = await moduleFile('no-brakes.mjs', oneRowModule);
    const { manager, lines } = manage([{ name: 'bad', module, options: { symbol: 'A', failAtStop: true } }]);
    await manager.start();
    await manager.stop();
    expect(lines.at(-1)?.message).toBe("feed 'bad' did not stop: no brakes");
  });

  it('by its status throwing is shown as failed', async () => {
    const text = `export default {
      kind: 'mute',
      create: () => ({ start() {}, stop() {}, status() { throw new Error('mute'); } }),
    };`;
    const { manager } = manage([{ name: 'm', module: await moduleFile('mute.mjs', text), options: {} }]);
    await manager.start();
    expect(manager.list()).toMatchObject([{ name: 'm', kind: 'mute', state: 'failed', lastError: 'mute' }]);
  });
});

it('changes symbols of a running feed by name', async () => {
  const simulator = await startSimulator({ rate: 100 });
  const options = { url: simulator.url, symbols: 'AAPL', batchMs: 5 };
  const { manager } = manage([{ name: 'stocks', kind: 'twelvedata', options }]);
  await manager.start();
  expect((await manager.subscribe('stocks', ['MSFT'])).symbols).toEqual(['AAPL', 'MSFT']);
  expect((await manager.unsubscribe('stocks', ['AAPL'])).symbols).toEqual(['MSFT']);
  await waitUntil(() => manager.list()[0].rowsWritten > 10, 'rows');
  await expect(manager.subscribe('bonds', ['X'])).rejects.toMatchObject({ code: 'FEED_NOT_FOUND' });
  await manager.stop();
  expect(manager.list()).toMatchObject([{ name: 'stocks', state: 'stopped' }]);
  await simulator.close();
});
