import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A fresh directory where temporary files go (`TMPDIR` chooses the disk). */
export function makeTemporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'candela-bench-'));
}

/** Runs `work` with a fresh directory and removes it afterwards. */
export async function withTemporaryDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = makeTemporaryDirectory();
  try {
    return await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
