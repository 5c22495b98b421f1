/** Random rollups: on the table or on one another, of any timeframe that fits, by any groups. */
import type { Prng } from '../../src/core/prng.ts';
import type { Aggregate, RollupDef, TableDef } from '../../src/market/schema.ts';
import type { NaiveRollup } from '../../src/testing/naive-bars.ts';
import { naiveBucket } from '../../src/testing/naive-buckets.ts';
import { chance, pick } from './random-columns.ts';
import type { RandomMarket } from './random-markets.ts';
import { markets } from './random-markets.ts';

/** A rollup as it was created, and as aggregates over the ticks, however many levels lie between. */
export interface ModelRollup extends NaiveRollup {
  def: RollupDef;
  /** Timeframe of the level that takes the ticks. */
  rootTimeframe: string;
  /** Whose days and sessions it follows; undefined: UTC's. */
  follows: RandomMarket | undefined;
}

/** Timeframes tried, as the engine writes them. */
export const timeframes = [
  '100ms', '300ms', '1s', '5s', '1m', '7m', '15m', '1h', '4h', '1d', '3d', '1w', '2w', '1mo', '3mo', '1y',
]; // biome-ignore format: a list to be read at a glance

/** Does every bucket of `coarse` consist of whole buckets of `fine`? */
export function nests(fine: string, coarse: string, isInSessions = false): boolean {
  if (!isInSessions) return nestsInUtc(fine, coarse);
  const isDated = (timeframe: string): boolean => /(?:d|w|mo|y)$/.test(timeframe);
  // Sessions are cut from their open on, so that widths nest as they do in UTC; a date is made of whole sessions.
  return isDated(fine) === isDated(coarse) ? nestsInUtc(fine, coarse) : isDated(coarse);
}

/** Does every bucket of `coarse` begin where one of `fine` does? Tried on many. */
function nestsInUtc(fine: string, coarse: string): boolean {
  for (let i = -60n; i < 60n; i++) {
    const { startNs, endNs } = naiveBucket(coarse, i * 7_777_777_777_777_777n);
    if (naiveBucket(fine, startNs).startNs !== startNs || naiveBucket(fine, endNs).startNs !== endNs)
      return false;
  }
  return true;
}

/** A random rollup of the table, perhaps on one of those it has. */
export function randomRollup(
  prng: Prng,
  table: TableDef,
  existing: readonly ModelRollup[],
  name: string,
): ModelRollup {
  const source = existing.length > 0 && chance(prng, 0.65) ? pick(prng, existing) : undefined;
  const follows = source ? source.follows : chance(prng, 0.3) ? pick(prng, markets) : undefined;
  const fitting = source
    ? timeframes.filter((coarse) => nests(source.timeframe, coarse, !!follows))
    : timeframes;
  const timeframe = pick(prng, fitting);
  const groupBy = chance(prng, 0.25) ? randomGroups(prng, table) : undefined;
  const groups = groupBy ?? source?.groupBy ?? table.seriesKey;
  const made = source ? continuedAggregates(prng, source) : tableAggregates(prng, table);
  const def: RollupDef = {
    name,
    source: source?.def.name ?? table.name,
    timeframe,
    aggregates: made.map(({ written }) => written),
    ...(groupBy ? { groupBy } : {}),
    ...(chance(prng, 0.2) ? { timeColumn: 'start' } : {}),
    ...follows?.options,
  };
  const sharesGroups = source !== undefined && String(source.groupBy) === String(groups);
  return {
    def,
    follows,
    timeframe,
    market: follows?.market,
    groupBy: groups,
    aggregates: made.map(({ base }) => base),
    rootTimeframe: sharesGroups ? source.rootTimeframe : timeframe,
  };
}

/** Key columns, and the columns of random tables that may name a group though they may be null. */
function randomGroups(prng: Prng, table: TableDef): string[] {
  const names = table.columns.map(({ name }) => name);
  const able = [...table.seriesKey, 'venue', 'desk'].filter((name) => names.includes(name));
  return able.filter(() => chance(prng, 0.4));
}

/** An aggregate as a definition has it, and what it means over the ticks. */
interface MadeAggregate {
  written: Aggregate;
  base: Aggregate;
}

function tableAggregates(prng: Prng, table: TableDef): MadeAggregate[] {
  const count = 1 + prng.below(6);
  return Array.from({ length: count }, (_, i) => {
    const base = tableAggregate(prng, table, `c${i}`);
    return { written: base, base };
  });
}

function tableAggregate(prng: Prng, table: TableDef, name: string): Aggregate {
  if (chance(prng, 0.1)) return { name, fn: pick(prng, ['first-time', 'last-time'] as const) };
  if (chance(prng, 0.1)) return { name, fn: 'count' };
  const column = pick(prng, table.columns);
  const of = column.name;
  if (column.name === 'total') return { name, fn: pick(prng, ['increase', 'last'] as const), of };
  switch (column.type.kind) {
    case 'double':
    case 'int64':
    case 'decimal': {
      const weights = ['size', 'lots', 'amount'].filter((one) => table.columns.some((c) => c.name === one));
      const isSmall = of !== 'huge' && !table.seriesKey.includes(of);
      if (isSmall && weights.length > 0 && chance(prng, 0.15))
        return { name, fn: 'vwap', of, weight: pick(prng, weights) };
      return { name, fn: pick(prng, ['first', 'last', 'min', 'max', 'sum', 'avg', 'count'] as const), of };
    }
    case 'boolean':
    case 'json':
      return { name, fn: pick(prng, ['first', 'last', 'count'] as const), of };
    default:
      return { name, fn: pick(prng, ['first', 'last', 'min', 'max', 'count'] as const), of };
  }
}

function continuedAggregates(prng: Prng, source: ModelRollup): MadeAggregate[] {
  const made = source.aggregates.flatMap((base, i): MadeAggregate[] => {
    const of = source.def.aggregates[i].name;
    const name = chance(prng, 0.5) ? of : `${of}n`;
    if (chance(prng, 0.2)) return [];
    if (base.fn === 'first-time' || base.fn === 'last-time')
      return [{ written: { name, fn: base.fn }, base: { ...base, name } }];
    return [{ written: continuation(name, of, base), base: { ...base, name } }];
  });
  const spare: Aggregate = { name: 'spare', fn: 'last-time' };
  return made.length > 0 ? made : [{ written: spare, base: spare }];
}

/** The aggregate over the source's column that continues it. */
function continuation(name: string, of: string, base: Aggregate): Aggregate {
  switch (base.fn) {
    case 'count':
      return { name, fn: 'sum', of };
    case 'vwap':
      return { name, fn: 'vwap', of, weight: base.weight };
    case 'first':
    case 'last':
    case 'min':
    case 'max':
    case 'sum':
    case 'avg':
    case 'increase':
      return { name, fn: base.fn, of };
    default:
      throw new Error(`${base.fn} has no continuation`);
  }
}
