/** The built program (`dist/`) as processes of its own: `npm run build` comes first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The program's entry. */
export const candelaEntry = fileURLToPath(new URL('../../dist/cli/candela.cjs', import.meta.url));

const startMsMax = 30_000;

/** How a command ended. */
export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Where and how to run. */
export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Text for standard input. */
  input?: string;
}

/** A folder for one test file, removed by `remove`. */
export function scratchFolder(name: string): { folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), `candela-${name}-`));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a command to its end. */
export async function runCandela(args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const child = spawnCandela(args, options, 'pipe');
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  child.stdin?.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** As {@link runCandela}, for commands that must succeed: throws what they said. */
export async function mustRunCandela(
  args: readonly string[],
  options: RunOptions = {},
): Promise<CommandResult> {
  const result = await runCandela(args, options);
  if (result.code === 0) return result;
  throw new Error(`candela ${args.join(' ')} ended with ${result.code}: ${result.stderr}`);
}

/** A running `candela start`. */
export interface CandelaServer {
  url: string;
  port: number;
  process: ChildProcess;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  /** Sends a signal and waits for the end; gives the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a server on a free port (or `port`) with the data directory `folder`/data; resolves once it listens. */
export async function startCandela(
  folder: string,
  args: readonly string[] = [],
  options: RunOptions & { port?: number } = {},
): Promise<CandelaServer> {
  const portsFile = join(folder, 'ports.json');
  rmSync(portsFile, { force: true });
  const base = [
    '--data',
    join(folder, 'data'),
    '--http-port',
    String(options.port ?? 0),
    '--ports-file',
    portsFile,
  ];
  const child = spawnCandela(['start', ...base, ...args], { cwd: folder, ...options }, 'ignore');
  const said = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.stderr += text;
  });
  const port = await portFrom(portsFile, child, () => said.stderr);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      return code;
    },
  };
}

/** A test that fails half-way leaves no server behind. */
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

function spawnCandela(args: readonly string[], options: RunOptions, stdin: 'pipe' | 'ignore'): ChildProcess {
  const { TWELVEDATA_API_KEY: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [candelaEntry, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...inherited, ...options.env },
    stdio: [stdin, 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function portFrom(file: string, child: ChildProcess, said: () => string): Promise<number> {
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += 10) {
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { http: number }).http;
    if (child.exitCode !== null || child.signalCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill('SIGKILL');
  throw new Error(`the server did not start: ${said()}`);
}
