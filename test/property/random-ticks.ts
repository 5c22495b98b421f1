/** Random streams of ticks: in order, late, repeated, at equal and almost equal times, in gaps and bursts. */
import type { Prng } from '../../src/core/prng.ts';
import { columnKindOf } from '../../src/engine/write/admit.ts';
import type { Batch, Scalar } from '../../src/market/columns.ts';
import { columnOf } from '../../src/market/columns.ts';
import type { TableDef } from '../../src/market/schema.ts';
import type { RandomColumn } from './random-columns.ts';
import { chance, counterValue, pick } from './random-columns.ts';

/** A row to be written: a value by column name. */
export type Row = Record<string, Scalar>;

const second = 1_000_000_000n;
const day = 86_400n * second;

/** Where a stream of ticks stands in time, and how it moves. */
export interface TickClock {
  nowNs: bigint;
  /** Mean step between ticks. */
  paceNs: bigint;
  /** Probability that a tick is late. */
  lateness: number;
  /** Earliest and latest time it may give. */
  minNs: bigint;
  maxNs: bigint;
}

/** A clock that begins somewhere between the years 1900 and 2040, mostly recently. */
export function randomClock(prng: Prng): TickClock {
  const startNs = pick(prng, [
    1_700_000_000n * second,
    1_709_164_790n * second, // ten seconds before 2024-02-29
    1_710_053_000n * second, // shortly before New York's clocks go forward
    1_698_540_000n * second, // shortly before London's clocks go back
    -second / 2n,
    -1_000_000_000n * second - 1n,
    2_200_000_000n * second,
    -2_190_000_000n * second,
  ]);
  const paceNs = pick(prng, [100n, 50_000n, 20_000_000n, second, 40n * second, 3_000n * second, day]);
  const lateness = pick(prng, [0, 0.02, 0.2, 0.6]);
  return {
    nowNs: startNs,
    paceNs,
    lateness,
    minNs: -2_200_000_000n * second,
    maxNs: 2_300_000_000n * second,
  };
}

/** The time of the next tick. */
export function nextTimeNs(prng: Prng, clock: TickClock): bigint {
  const within = (rangeNs: bigint): bigint => BigInt(Math.floor(prng.next() * Number(rangeNs)));
  if (chance(prng, 0.7)) clock.nowNs += chance(prng, 0.3) ? within(300n) : within(clock.paceNs * 2n);
  if (chance(prng, 0.003)) clock.nowNs += within(40n * clock.paceNs * 1000n);
  if (clock.nowNs > clock.maxNs) clock.nowNs = clock.maxNs - within(day);
  if (!chance(prng, clock.lateness)) return clock.nowNs;
  const late = clock.nowNs - within(clock.paceNs * pick(prng, [2n, 50n, 3000n]));
  const far = chance(prng, 0.01) ? late - within(4000n * day) : late;
  return far < clock.minNs ? clock.minNs : far;
}

/** What rows are made of. */
export interface TickSource {
  prng: Prng;
  def: TableDef;
  columns: readonly RandomColumn[];
  keys: readonly Scalar[][];
  clock: TickClock;
  /** Running counter per key. */
  counters: Map<Scalar[], number>;
}

/** `count` random rows. */
export function randomRows(source: TickSource, count: number): Row[] {
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) {
    // A repeat of an earlier row of the batch is a tick of its own.
    if (i > 0 && chance(source.prng, 0.02)) rows.push(rows[source.prng.below(i)]);
    else rows.push(randomRow(source));
  }
  if (chance(source.prng, 0.2)) shuffle(source.prng, rows);
  return rows;
}

function randomRow({ prng, def, columns, keys, clock, counters }: TickSource): Row {
  const row: Row = { [def.timeColumn ?? 'time']: nextTimeNs(prng, clock) };
  const key = pick(prng, keys);
  for (const [i, name] of def.seriesKey.entries()) row[name] = key[i];
  for (const column of columns) {
    const { nullable } = def.columns.find(({ name }) => name === column.name) ?? {};
    if (nullable !== false && chance(prng, 0.08)) row[column.name] = null;
    else if (column.name === 'total') row.total = counterValue(column.type, nextCount(prng, counters, key));
    else row[column.name] = column.value(prng);
  }
  return row;
}

function nextCount(prng: Prng, counters: Map<Scalar[], number>, key: Scalar[]): number {
  const count = chance(prng, 0.01) ? prng.below(5) : (counters.get(key) ?? 0) + prng.below(50);
  counters.set(key, count);
  return count;
}

function shuffle<T>(prng: Prng, items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = prng.below(i + 1);
    [items[i], items[j]] = [items[j], items[i]];
  }
}

/** The rows as a batch; nullable columns that hold nulls only may be left out. */
export function batchOf(def: TableDef, rows: readonly Row[], prng: Prng): Batch {
  const columns: Batch['columns'] = {};
  for (const { name, type, nullable } of def.columns) {
    const values = rows.map((row) => row[name] ?? null);
    const isEmpty = nullable !== false && values.every((value) => value === null);
    if (isEmpty && chance(prng, 0.5)) continue;
    columns[name] = columnOf(columnKindOf(type), values);
  }
  return { rowCount: rows.length, columns };
}
