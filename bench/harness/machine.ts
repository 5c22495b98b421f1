import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { version as duckdbVersion } from '@duckdb/node-api';
import { makeTemporaryDirectory } from '../support/temporary-directory.ts';
import { median } from './statistics.ts';

/** What a figure depends on besides the code. */
export interface MachineFacts {
  processor: string;
  cores: number;
  memoryGib: number;
  node: string;
  duckdb: string;
  commit: string;
  loadBefore: number;
  /** Median of writing and syncing 256 KiB, 50 times: what one durable write costs here at least. */
  syncMs: number;
}

/** Asks the machine. */
export function machineFacts(): MachineFacts {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    duckdb: duckdbVersion(),
    commit: commit(),
    loadBefore: loadavg()[0],
    syncMs: measureSync(),
  };
}

function commit(): string {
  try {
    const text = execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.trim();
  } catch {
    return 'not a git checkout';
  }
}

function measureSync(): number {
  const directory = makeTemporaryDirectory();
  const file = openSync(join(directory, 'sync'), 'w');
  const bytes = Buffer.alloc(256 * 1024, 1);
  const times: number[] = [];
  for (let i = 0; i < 50; i++) {
    const startMs = performance.now();
    writeSync(file, bytes);
    fdatasyncSync(file);
    times.push(performance.now() - startMs);
  }
  closeSync(file);
  rmSync(directory, { recursive: true });
  return median(times);
}

/** One line for the head of the report. */
export function describeMachine(facts: MachineFacts): string {
  const { processor, cores, memoryGib, node, duckdb, commit: of, loadBefore, syncMs } = facts;
  return [
    `${processor}, ${cores} cores, ${memoryGib} GiB; Node ${node}, DuckDB ${duckdb}; commit ${of}`,
    `load ${loadBefore.toFixed(1)} before the start; write + fdatasync of 256 KiB: ${syncMs.toFixed(2)} ms`,
  ].join('\n');
}
