import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** Runs an example against the built package, as a user would. */
async function example(name: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(process.execPath, [join(root, 'examples/embedded', name), ...args], {
    timeout: 60_000,
  });
  return stdout.trim().split('\n');
}

it('the embedded quick start prints the bars of its four ticks', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'candela-example-'));
  try {
    expect(await example('quick-start.js', directory)).toEqual([
      '1m: 2 bars from trades_1m, highs 37010 37005',
      '30m: 1 bars from trades_1m, highs 37010',
      '1h: 1 bars from trades_1h, highs 37010',
      'volume by SQL: 3.75',
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
}, 60_000);

it('the embedded subscription example sees a bar close and a late tick correct it', async () => {
  const [snapshot, closed, ...others] = await example('subscribe.js');
  expect([snapshot, closed]).toEqual(['snapshot: close 189.5', 'closed: close 189.5']);
  // Which of the two comes first is not promised.
  expect(others.sort()).toEqual(['correction: close 191', 'live: close 190.25']);
}, 60_000);
