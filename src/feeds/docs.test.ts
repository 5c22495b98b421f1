/** docs/feeds.md names what there is: every option, every replay format, every simulated symbol. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { feedSurroundings, recordingLogger } from '../../test/support/feed-surroundings.ts';
import { recordingDatabase } from '../../test/support/recording-database.ts';
import { systemClock } from '../core/clock.ts';
import type { CandelaError } from '../core/errors.ts';
import type { FeedPlugin } from './feed.ts';
import { createFeedManager } from './manager.ts';
import { replayFormats } from './replay/formats/all.ts';
import { replayPlugin } from './replay/plugin.ts';
import { universe } from './simulator/universe.ts';
import { twelveDataPlugin } from './twelvedata/plugin.ts';

const page = await readFile(resolve(import.meta.dirname, '../../docs/feeds.md'), 'utf8');

/** The options a feed knows, as it says itself when one is misspelt. */
function optionsOf(plugin: FeedPlugin, valid: Record<string, unknown>): string[] {
  const { context } = feedSurroundings(recordingDatabase().database);
  try {
    plugin.create('x', { ...valid, misspelt: 1 }, context);
  } catch (error) {
    const { help } = error as CandelaError;
    return help
      .replace('The options of this feed are ', '')
      .replace('.', '')
      .split(', ')
      .filter((name) => name !== 'misspelt');
  }
  throw new Error('the misspelt option passed');
}

it.each([
  ['twelvedata options', optionsOf(twelveDataPlugin, { apiKey: 'k' })],
  ['replay options', optionsOf(replayPlugin, { file: 'x' })],
  ['replay formats', replayFormats.map(({ name }) => name)],
])('%s', (_, names) => {
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

it('simulated symbols', () => {
  expect([...universe.keys()].filter((symbol) => !page.includes(symbol))).toEqual([]);
});

it('the skeleton of a feed runs', async () => {
  const [, skeleton] = /```js\n(export default \{[\s\S]*?)```/.exec(page) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'candela-docs-'));
  const module = join(folder, 'skeleton.mjs');
  await writeFile(module, skeleton);
  const recording = recordingDatabase();
  const manager = createFeedManager(
    { database: recording.database, log: recordingLogger().log, clock: systemClock },
    [{ name: 'gold', module, options: {} }],
  );
  await manager.start();
  expect(manager.list()).toMatchObject([{ kind: 'my-source', state: 'connected', rowsReceived: 1 }]);
  await manager.stop();
  expect(recording.rows('my_ticks')).toMatchObject([{ symbol: 'GOLD', price: 2034.5, size: 3 }]);
  await rm(folder, { recursive: true });
});
