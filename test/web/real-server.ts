/** The built Candela server as a process of its own, fed by its exchange simulator. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../dist/cli/candela.cjs', import.meta.url));
const startMsMax = 20_000;

/** A server with a data directory of its own. */
export interface RealServer {
  url: string;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

/** Starts `candela start` with the simulator at `ticksPerSecond` for each symbol; `config` is its `candela.yml`. */
export async function startRealServer(ticksPerSecond: number, config = ''): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-page-'));
  const portsFile = join(directory, 'ports.json');
  await writeFile(join(directory, 'candela.yml'), config);
  let port = 0;
  let child: ChildProcess | null = null;

  const start = async (): Promise<void> => {
    await rm(portsFile, { force: true });
    const settings = [
      '--data',
      join(directory, 'data'),
      '--http-port',
      String(port),
      '--ports-file',
      portsFile,
    ];
    const { TWELVEDATA_API_KEY: _, ...env } = process.env;
    child = spawn(
      process.execPath,
      [entry, 'start', ...settings, '--simulator-rate', String(ticksPerSecond), '--log-level', 'warn'],
      { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    port = await portOf(child, portsFile);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = null;
    if (!ending || ending.exitCode !== null) return;
    ending.kill(signal);
    await once(ending, 'exit');
  };

  await start();
  return {
    url: `http://127.0.0.1:${port}/`,
    kill: () => end('SIGKILL'),
    restart: start,
    async close() {
      await end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits for the ports file; what the server said goes into the error if it ends before. */
async function portOf(child: ChildProcess, portsFile: string): Promise<number> {
  let said = '';
  child.stderr?.on('data', (text) => {
    said += text;
  });
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += 50) {
    const text = await readFile(portsFile, 'utf8').catch(() => null);
    if (text !== null) return (JSON.parse(text) as { http: number }).http;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not start: ${said}`);
}
