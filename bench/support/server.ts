/** The program as it ships (`dist/`, which `npm run bench` builds) as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const entry = join(import.meta.dirname, '../../../dist/cli/candela.cjs');
const startMsMax = 30_000;

/** A server that listens. */
export interface BenchServer {
  port: number;
  /** From the start of the process until it listens. */
  startMs: number;
  /** Ends it and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `candela start` on a free port, with its data in `directory`/data. */
export async function startServer(
  directory: string,
  args: readonly string[] = ['--no-feed'],
): Promise<BenchServer> {
  const portsFile = join(directory, 'ports.json');
  rmSync(portsFile, { force: true });
  const paths = ['--data', join(directory, 'data'), '--ports-file', portsFile];
  const startMs = performance.now();
  const child = spawn(
    process.execPath,
    [entry, 'start', ...paths, '--http-port', '0', '--log-level', 'silent', ...args],
    { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const port = await portOf(child, portsFile);
  return {
    port,
    startMs: performance.now() - startMs,
    end: async (signal = 'SIGTERM') => {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

/** The file appears whole once everything listens. */
async function portOf(child: ChildProcess, portsFile: string): Promise<number> {
  const deadlineMs = performance.now() + startMsMax;
  while (!existsSync(portsFile)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if (performance.now() > deadlineMs) throw new Error(`the server did not listen within ${startMsMax} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return (JSON.parse(readFileSync(portsFile, 'utf8')) as { http: number }).http;
}
