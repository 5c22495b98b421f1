/** Recorded ticks through the embedded API in batches, with flushes and a restart, and the bars they give. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrng } from '../../src/core/prng.ts';
import type { Database } from '../../src/engine/database.ts';
import { open } from '../../src/engine/open.ts';
import { columnKindOf } from '../../src/engine/write/admit.ts';
import { openTextSource } from '../../src/feeds/replay/source.ts';
import { columnOf, type Decimal, type Scalar } from '../../src/market/columns.ts';
import type { Aggregate, ColumnDef, ColumnType } from '../../src/market/schema.ts';
import { rowsOf } from '../property/compare-rows.ts';
import { sharedDataPath } from '../support/shared-data.ts';

/** The whole text of a file of the shared data, unpacked. */
export async function sharedText(path: string): Promise<string> {
  const source = await openTextSource(sharedDataPath(path));
  let text = '';
  for await (const part of source.parts()) for await (const piece of part.text) text += piece;
  return text;
}

/** The fields of a CSV file of the shared data, without its header if it has one. */
export async function sharedCsv(path: string, { hasHeader }: { hasHeader: boolean }): Promise<string[][]> {
  const lines = (await sharedText(path)).split(/\r?\n/).filter((line) => line !== '');
  return lines.slice(hasHeader ? 1 : 0).map((line) => line.split(','));
}

/** A decimal as it is written. */
export function decimalOf(text: string): Decimal {
  const [whole, fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), scale: fraction.length };
}

/** Without zeros at the end, so that equal numbers are equal. */
export function trimmed(value: Scalar): string {
  if (typeof value !== 'object' || value === null) return String(value);
  let { coefficient, scale } = value;
  for (; scale > 0 && coefficient % 10n === 0n; scale--) coefficient /= 10n;
  return `${coefficient}e-${scale}`;
}

/** What is recorded, and what bars to make. */
export interface Recording {
  /** Columns beside the time, and their values. */
  columns: { name: string; type: ColumnType; values: Scalar[] }[];
  timesNs: bigint[];
  /** Over the columns. */
  aggregates: Aggregate[];
  /** Ascending; each is made of the one before. */
  timeframes: string[];
}

/** Bars by timeframe: rows of start and aggregates. */
export async function barsThroughEngine(recording: Recording): Promise<Map<string, Scalar[][]>> {
  const directory = await mkdtemp(join(tmpdir(), 'candela-data-'));
  try {
    let database = await open({ directory });
    await create(database, recording);
    const prng = createPrng(recording.timesNs.length);
    const half = recording.timesNs.length / 2;
    for (let from = 0, isReopened = false; from < recording.timesNs.length; ) {
      const to = from + 1 + prng.below(2000);
      await database.write('ticks', batchOf(recording, from, to));
      if (prng.below(20) === 0) await database.flush();
      if (to > half && !isReopened) {
        await database.close();
        database = await open({ directory });
        isReopened = true;
      }
      from = to;
    }
    const bars = new Map<string, Scalar[][]>();
    for (const timeframe of recording.timeframes)
      bars.set(timeframe, rowsOf(await database.bars({ table: 'ticks', timeframe })));
    await database.close();
    return bars;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function create(database: Database, { columns, aggregates, timeframes }: Recording): Promise<void> {
  const time: ColumnDef = { name: 'time', type: { kind: 'timestamp', unit: 'ns', zone: true } };
  const defs = columns.map(({ name, type }) => ({ name, type }));
  await database.createTable({
    name: 'ticks',
    kind: 'ticks',
    timeColumn: 'time',
    seriesKey: [],
    columns: [time, ...defs],
  });
  const [first, ...longer] = timeframes;
  await database.createRollup({ name: first, source: 'ticks', timeframe: first, aggregates });
  const continued = aggregates.map((aggregate): Aggregate => {
    const { name } = aggregate;
    if (aggregate.fn === 'count') return { name, fn: 'sum', of: name };
    return 'of' in aggregate ? { ...aggregate, of: name } : aggregate;
  });
  for (const [i, timeframe] of longer.entries())
    await database.createRollup({ name: timeframe, source: timeframes[i], timeframe, aggregates: continued });
}

function batchOf({ columns, timesNs }: Recording, from: number, to: number) {
  const rows = timesNs.slice(from, to);
  const values = columns.map(
    ({ name, type, values: all }) => [name, columnOf(columnKindOf(type), all.slice(from, to))] as const,
  );
  return {
    rowCount: rows.length,
    columns: { time: columnOf('timestamp', rows), ...Object.fromEntries(values) },
  };
}
