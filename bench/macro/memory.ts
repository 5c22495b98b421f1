/**
 * Memory while ticks come in as fast as they are taken: what the process holds at most, beside its budget. Started as a
 * program this file is that process.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { budgetBytesDefault } from '../../src/engine/budget.ts';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import type { Batch } from '../../src/market/columns.ts';
import type { Figure, Scenario } from '../harness/scenario.ts';
import { rate, startStopwatch } from '../support/stopwatch.ts';
import { withTemporaryDirectory } from '../support/temporary-directory.ts';
import { firstTimeNs, makeTicks, tickBatch, tradesCandles, tradesTable } from '../support/ticks.ts';

const batchRows = 8_192;
const writers = 4;
/** Ticks are made once and written again and again, each time later, so that the scenario itself holds few. */
const roundRows = 16 * batchRows;
/** What the process may hold besides its budget. */
const besidesBytes = 300e6;

/** One scenario: rows are the ticks written. */
export const memoryScenario: Scenario = {
  name: 'memory',
  title: `resident memory of durable ingest, 1s/1m/1h/1d bars live, budget of ${inMb(budgetBytesDefault)} MB`,
  rows: 20_000_000,
  target: `budget + 300 MB = ${inMb(budgetBytesDefault + besidesBytes)} MB`,
  runs: [
    {
      name: 'candela',
      run: ({ rows }) => withTemporaryDirectory((directory) => inProcessOfItsOwn(directory, rows)),
    },
  ],
};

/** Without what the other scenarios load. */
function inProcessOfItsOwn(directory: string, rows: number): Promise<Figure[]> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(import.meta.url), [directory, String(rows)], { execArgv: [] });
    child.once('message', (figures) => resolve(figures as Figure[]));
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
  });
}

async function ingest(directory: string, rows: number): Promise<Figure[]> {
  const database = await open({ directory });
  await database.createTable(tradesTable);
  await database.createCandles(tradesCandles);
  const openedMb = inMb(process.memoryUsage.rss());
  const elapsed = startStopwatch();
  const samples = await sampled(() => writeAll(database, rows));
  await database.flush();
  const took = elapsed();
  const figures = figuresOf(samples, openedMb);
  await check(database, rows);
  await database.close();
  return [...figures, rate('stored', rows, took.wallMs)];
}

async function writeAll(database: Database, rows: number): Promise<void> {
  const ticks = makeTicks(roundRows);
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < rows) {
      const from = next;
      next += batchRows;
      const at = from % roundRows;
      await database.write(
        'trades',
        later(tickBatch(ticks, at, at + Math.min(batchRows, rows - from)), from - at),
      );
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
}

/** The batch so many ticks later. */
function later(batch: Batch, ticks: number): Batch {
  const { time } = batch.columns;
  if (time.kind !== 'timestamp') throw new Error('BUG: the time column holds no times');
  const shiftNs = BigInt(ticks) * 100_000n;
  return {
    ...batch,
    columns: { ...batch.columns, time: { ...time, values: time.values.map((ns) => ns + shiftNs) } },
  };
}

/** Resident bytes, ten times a second while the task runs. */
async function sampled(task: () => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(process.memoryUsage.rss()), 100);
  try {
    await task();
  } finally {
    clearInterval(timer);
  }
  return samples;
}

function figuresOf(samples: readonly number[], openedMb: number): Figure[] {
  const mb = (label: string, value: number): Figure => ({ label, value, unit: 'MB' });
  const lastTenth = samples.slice(-Math.ceil(samples.length / 10));
  return [
    mb('at most', peakMb()),
    mb('mean of the last tenth', inMb(lastTenth.reduce((sum, bytes) => sum + bytes, 0) / lastTenth.length)),
    mb('before the first tick', openedMb),
  ];
}

/** The kernel's own mark, where there is one. */
function peakMb(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1000;
  const kib = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return (Number(kib) * 1024) / 1e6;
}

function inMb(bytes: number): number {
  return Math.round(bytes / 1e6);
}

async function check(database: Database, rows: number): Promise<void> {
  const { columns } = await database.sql('SELECT sum(trades)::BIGINT AS n FROM trades_1d');
  const [count] = columns;
  if (count.kind !== 'int64' || Number(count.values[0]) !== rows)
    throw new Error(`the bars do not hold ${rows} ticks from ${firstTimeNs} on`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const figures = await ingest(process.argv[2], Number(process.argv[3]));
  process.send?.(figures);
  process.disconnect();
}
