/** What a user waits for before the first tick: the start of the server, and what npm installs. */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../harness/scenario.ts';
import { startServer } from '../support/server.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';

const root = join(import.meta.dirname, '../../..');

/** From the start of the process on an empty directory until all protocols listen. */
export const startScenario: Scenario = {
  name: 'start-up',
  title: 'candela start on an empty directory until it listens',
  rows: 1,
  target: '1,000 ms',
  runs: [startRun('candela, simulator and feed', []), startRun('candela, no feed', ['--no-feed'])],
};

function startRun(name: string, args: string[]): Scenario['runs'][0] {
  return {
    name,
    run: () =>
      withTemporaryDirectory(async (directory) => {
        const server = await startServer(directory, args);
        const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`);
        if (!answer.ok) throw new Error(`not healthy: ${await answer.text()}`);
        await server.end();
        return [{ label: 'listening after', value: server.startMs, unit: 'ms' }];
      }),
  };
}

/** Production dependencies as npm lays them out here. */
export const installScenario: Scenario = {
  name: 'install-size',
  title: 'production dependencies after npm ci --omit=dev',
  rows: 1,
  target: '150 MB',
  runs: [
    {
      name: 'candela',
      run: () =>
        withTemporaryDirectory(async (directory) => {
          for (const name of ['package.json', 'package-lock.json'])
            cpSync(join(root, name), join(directory, name));
          execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts'], { cwd: directory, stdio: 'ignore' });
          const bytes = bytesBelow(join(directory, 'node_modules'));
          const own = bytesBelow(join(root, 'dist'));
          return [
            { label: 'dependencies', value: bytes / 1e6, unit: 'MB' },
            { label: 'the program itself', value: own / 1e6, unit: 'MB' },
          ];
        }),
    },
  ],
};

function bytesBelow(folder: string): number {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}
