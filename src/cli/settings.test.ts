import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addSettings, configOf, wasGiven } from './settings.ts';

function parsed(...words: string[]): Command {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addSettings(command, ['data', 'httpPort', 'feed', 'simulator', 'twelvedataApiKey']);
  return command.parse(words, { from: 'user' });
}

it('takes what was written, switches too, and nothing else', async () => {
  const command = parsed('--http-port', '0', '--no-feed');
  expect(['httpPort', 'feed', 'data', 'simulator'].map((name) => wasGiven(command, name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(await configOf(command)).toMatchObject({
    httpPort: 0,
    feed: false,
    data: './data',
    simulator: true,
  });
});

it('has no flag for what must not stand on a command line', () => {
  expect(parsed().options.map(({ long }) => long)).not.toContain('--twelvedata-api-key');
});

it('refuses a bad value at once', () => {
  expect(() => parsed('--http-port', 'x')).toThrow(
    "argument 'x' is invalid. 'x' is not a whole number from 0 to 65535",
  );
});
