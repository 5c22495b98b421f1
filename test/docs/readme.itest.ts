/** Every command of the README, in its order, against a server as `npm start` brings it up. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CandelaServer, candelaEntry, scratchFolder, startCandela } from '../support/candela.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const scratch = scratchFolder('readme');
let server: CandelaServer;

/** Code blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code,
  );
}

/** Runs a shell block of the README here: our port, and the built command for `npx candela`. */
async function shell(code: string): Promise<string> {
  const text = code
    // An answer that is an error counts as failed, though a reader is to see what it says.
    .replaceAll(/^curl /gm, 'curl --fail-with-body ')
    .replaceAll('127.0.0.1:20330', `127.0.0.1:${server.port}`)
    .replaceAll('npx candela', `'${process.execPath}' '${candelaEntry}'`);
  const env = { ...process.env, CANDELA_URL: server.url };
  const options = { cwd: scratch.folder, env, timeout: 60_000, maxBuffer: 16 * 1024 * 1024 };
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', text], options);
  return stdout;
}

beforeAll(async () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${1_715_938_200 + i},ETH/USD,${3000 + i},0.5`);
  const csv = gzipSync(`time,symbol,price,size\n${lines.join('\n')}\n`);
  writeFileSync(join(scratch.folder, 'history.csv.gz'), csv);
  writeFileSync(join(scratch.folder, 'recording.csv.gz'), csv);
  server = await startCandela(scratch.folder);
  const url = `${server.url}/api/v1/bars?table=stocks_real_time&symbol=AAPL&timeframe=1m`;
  // The page is there before the feed has made its table: give it the time a reader takes to type.
  for (let tries = 0; tries < 100 && !(await (await fetch(url)).text()).includes('AAPL'); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}, 60_000);

afterAll(async () => {
  await server.end('SIGTERM');
  scratch.remove();
});

it('shows the two commands and a screenshot first', () => {
  const firstScreen = readme.split('\n').slice(0, 30).join('\n');
  expect(firstScreen).toContain('npm ci && npm start');
  expect(firstScreen).toContain('npm ci && npm test');
  expect(firstScreen).toContain('docs/screenshot.png');
});

it('has shell commands that all work as printed', async () => {
  const commands = blocks('sh').filter((code) => !code.startsWith('npm '));
  const outputs: string[] = [];
  for (const code of commands) outputs.push(await shell(code));
  expect(outputs[0]).toContain('"rollup":"stocks_real_time_1m"');
  expect(outputs[1]).toMatch(/AAPL/);
  // The one trade written by hand makes one five-minute bar.
  expect(outputs[2]).toContain('"open":3080.5,"high":3080.5,"low":3080.5,"close":3080.5,"volume":0.4');
  const imported = await shell(
    `npx candela sql --format csv -c "select count(*), min(open), max(close) from history_1h"`,
  );
  expect(imported.trim().split('\n').at(-1)).toBe('1,3000,3099');
}, 120_000);

it('has a JavaScript example that runs', async () => {
  const [code] = blocks('js');
  const text = code.replace('./my-data', join(scratch.folder, 'embedded'));
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', text], { cwd: root });
  expect(stdout).toBe('[]\n');
});

it('has a WebSocket message that is answered with a snapshot', async () => {
  const [message] = blocks('json');
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`);
  const types: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send(message));
    socket.on('message', (data) => {
      types.push(JSON.parse(String(data)).type);
      if (types.includes('live')) resolve();
    });
  });
  socket.close();
  expect(types.slice(0, 2)).toEqual(['subscribed', 'snapshot']);
}, 30_000);
