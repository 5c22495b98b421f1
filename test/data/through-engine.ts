/** Recorded ticks through the embedded API in batches, with flushes and a restart, and the bars they give. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrng } from '../../src/core/prng.ts';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import { columnKindOf } from '../../src/engine/write/admit.ts';
import { type BucketingOptions, bucketingOptions } from '../../src/market/bucketing.ts';
import { type Batch, columnOf, type Scalar } from '../../src/market/columns.ts';
import type { Aggregate, ColumnDef, ColumnType } from '../../src/market/schema.ts';
import { rowsOf } from '../property/compare-rows.ts';

/** What is recorded, and what bars to make. */
export interface Recording extends BucketingOptions {
  timesNs: bigint[];
  /** The series of each row; absent: one series, and no symbol in the bars. */
  symbols?: string[];
  /** Columns beside time and symbol, and their values. */
  columns: { name: string; type: ColumnType; values: Scalar[] }[];
  /** Over the columns. */
  aggregates: Aggregate[];
  /** Stored ones, ascending; each is made of the one before. */
  timeframes: string[];
  /** Further ones, merged when they are read. */
  merged?: string[];
}

/** Bars by timeframe: rows of start, symbol and aggregates. `ticksOutsideSessions` counts what no bar has. */
export interface Bars {
  of(timeframe: string): Scalar[][];
  ticksOutsideSessions: number;
}

/** Writes everything, with flushes at random and a restart half way, and reads the bars. */
export async function barsThroughEngine(recording: Recording): Promise<Bars> {
  return inDirectory(async (directory) => {
    let database = await open({ directory });
    await create(database, recording);
    const prng = createPrng(recording.timesNs.length);
    const half = recording.timesNs.length / 2;
    let ticksOutsideSessions = 0;
    for (let from = 0, isReopened = false; from < recording.timesNs.length; ) {
      const to = from + 1 + prng.below(2000);
      await database.write('ticks', batchOf(recording, from, to));
      if (prng.below(20) === 0) await database.flush();
      if (to > half && !isReopened) {
        ticksOutsideSessions += database.status().ticksOutsideSessions;
        await database.close();
        database = await open({ directory });
        isReopened = true;
      }
      from = to;
    }
    ticksOutsideSessions += database.status().ticksOutsideSessions;
    const bars = new Map<string, Scalar[][]>();
    for (const timeframe of [...recording.timeframes, ...(recording.merged ?? [])]) {
      const request = { table: 'ticks', timeframe, ...bucketingOptions(recording) };
      bars.set(timeframe, rowsOf(await database.bars(request)));
    }
    await database.close();
    return { of: (timeframe) => bars.get(timeframe) ?? [], ticksOutsideSessions };
  });
}

/** What the latest bar of the longest timeframe is once so many rows are there, for each count (ascending). */
export async function liveBars(recording: Recording, rowCounts: readonly number[]): Promise<Scalar[][]> {
  return inDirectory(async (directory) => {
    const database = await open({ directory, durability: 'none' });
    await create(database, recording);
    const longest = recording.timeframes.at(-1) ?? '';
    const states: Scalar[][] = [];
    let from = 0;
    for (const to of rowCounts) {
      if (to > from) await database.write('ticks', batchOf(recording, from, to));
      from = to;
      states.push(rowsOf(database.latest(longest))[0] ?? []);
    }
    await database.close();
    return states;
  });
}

async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-data-'));
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function create(database: Database, recording: Recording): Promise<void> {
  const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } };
  const symbol: ColumnDef[] = recording.symbols ? [{ name: 'symbol', type: { kind: 'text' } }] : [];
  const defs = recording.columns.map(({ name, type }) => ({ name, type }));
  await database.createTable({
    name: 'ticks',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: symbol.map(({ name }) => name),
    columns: [time, ...symbol, ...defs],
  });
  const continued = recording.aggregates.map((aggregate): Aggregate => {
    const { name } = aggregate;
    if (aggregate.fn === 'count') return { name, fn: 'sum', of: name };
    return 'of' in aggregate ? { ...aggregate, of: name } : aggregate;
  });
  let source = 'ticks';
  for (const timeframe of recording.timeframes) {
    const aggregates = source === 'ticks' ? recording.aggregates : continued;
    const options = bucketingOptions(recording);
    await database.createRollup({ name: timeframe, source, timeframe, aggregates, ...options });
    source = timeframe;
  }
}

function batchOf({ columns, timesNs, symbols }: Recording, from: number, to: number): Batch {
  const rows = timesNs.slice(from, to);
  const values = columns.map(
    ({ name, type, values: all }) => [name, columnOf(columnKindOf(type), all.slice(from, to))] as const,
  );
  return {
    rowCount: rows.length,
    columns: {
      time: columnOf('timestamp', rows),
      ...(symbols ? { symbol: columnOf('text', symbols.slice(from, to)) } : {}),
      ...Object.fromEntries(values),
    },
  };
}
