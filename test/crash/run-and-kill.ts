/** Runs a program that writes to a directory, until it is dead. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';

/** A program and its end. */
export interface Killed {
  /** JavaScript of a module that says each thing it has done on a line of its own. */
  program: string;
  args: readonly (string | number)[];
  /** After its first line it is killed in so many ms, unless it killed itself at a step before. */
  afterMs: number;
}

/** The lines the program said before it was killed. Fails if it ended in any other way. */
export async function runAndKill({ program, args, afterMs }: Killed): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => said.push(line));
  // Listened for from the start: a child may end before it says anything.
  const ended = Promise.all([once(child, 'exit'), once(lines, 'close')]);
  await Promise.race([once(lines, 'line'), ended]);
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [[code]] = await ended;
  clearTimeout(timer);
  expect(code).toBe(null);
  return said;
}

/** The greatest number among lines that are numbers: what was acknowledged last; `before` if there is none. */
export function lastNumber(said: readonly string[], before: number): number {
  return Number(said.findLast((line) => /^\d+$/.test(line)) ?? before);
}

/** What went through: at most one commit may be durable without its acknowledgement having got out. */
export function expectAcknowledged(present: number, acknowledged: number): void {
  expect(present - acknowledged).toBeGreaterThanOrEqual(0);
  expect(present - acknowledged).toBeLessThanOrEqual(1);
}
