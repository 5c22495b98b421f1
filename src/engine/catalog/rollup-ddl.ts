/** Rollups and candles: each request is one commit, after which the rollups are there, and a back-fill begins. */
import { CandelaError } from '../../core/errors.ts';
import { bucketingOptions, createBucketing, divides } from '../../market/bucketing.ts';
import type { CandlesDef, ColumnRole, RollupDef } from '../../market/schema.ts';
import type { Backfills } from '../backfill/backfills.ts';
import type { Catalog, Entry, RollupEntry, RowsEntry } from './catalog.ts';
import { checkName, checkRetention } from './check-table.ts';
import { commit, type Ddl, nextIdOp } from './ddl.ts';
import { attach, createOps, publishOps, rollupEntry } from './entries.ts';

/** What making rollups needs. */
export interface RollupDdl extends Ddl {
  backfills: Backfills;
}

/** See `Database.createRollup`. */
export async function createRollup(ddl: RollupDdl, def: RollupDef): Promise<Entry> {
  const [entry] = await createAll(ddl, [def]);
  return entry;
}

/** Makes the rollups, of which later ones may read earlier ones, and fills them. */
async function createAll(ddl: RollupDdl, defs: readonly RollupDef[]): Promise<Entry[]> {
  for (const def of defs) {
    checkName(def.name, 'rollup');
    for (const aggregate of def.aggregates) checkName(aggregate.name, `column of '${def.name}'`);
    if (def.timeColumn !== undefined) checkName(def.timeColumn, `column of '${def.name}'`);
    checkRetention(def);
  }
  const made = await ddl.gate.exclusive(() => addRollups(ddl, defs));
  await Promise.all(made.map((entry) => ddl.backfills.filled(entry)));
  return made;
}

/** With no writer inside, so that what was written before is all below the time at which the back-fill begins. */
async function addRollups(ddl: Ddl, defs: readonly RollupDef[]): Promise<RollupEntry[]> {
  const { catalog } = ddl.state;
  const made: RollupEntry[] = [];
  const known: Pick<Catalog, 'find'> = {
    find: (name) => made.find(({ def }) => def.name === name) ?? catalog.find(name),
  };
  for (const def of defs) {
    catalog.checkFree(def.name);
    if (made.some((other) => other.def.name === def.name))
      throw new CandelaError('TABLE_EXISTS', `'${def.name}' is asked for twice`);
    const entry = rollupEntry(known, catalog.nextId + made.length, 1, def);
    const isFilledThrough = made.some(({ node }) => node === entry.node.source);
    if (!isFilledThrough) entry.node.filledFrom = timeAbove(entry.ticks);
    entry.node.storedFilledFrom = entry.node.filledFrom;
    made.push(entry);
  }
  const ops = made.flatMap((entry) => [...createOps(entry), ...publishOps(entry)]);
  await commit(ddl, [...ops, nextIdOp(ddl, made.length)], () => {
    catalog.nextId += made.length;
    for (const entry of made) {
      attach(entry);
      catalog.add(entry);
    }
  });
  return made;
}

/** A time, as `RollupNode.filledFrom` has it, above all ticks there are; -Infinity where there are none. */
function timeAbove({ table }: RowsEntry): number {
  return table.hot.latestT.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) + 256;
}

/** See `Database.createCandles`. */
export function createCandles(ddl: RollupDdl, def: CandlesDef): Promise<Entry[]> {
  return createAll(ddl, candleRollups(def));
}

function candleRollups(def: CandlesDef): RollupDef[] {
  const options = bucketingOptions(def);
  const bucketings = def.timeframes
    .map((timeframe) => createBucketing(timeframe, options))
    .sort((a, b) => a.timeframe.widthNs - b.timeframe.widthNs);
  if (bucketings.length === 0)
    throw new CandelaError('INVALID_ARGUMENT', `candles of '${def.source}': no timeframes are given`);
  const prefix = def.prefix ?? def.source;
  return bucketings.map((bucketing, index) => {
    const finer = bucketings.slice(0, index).findLast((candidate) => divides(candidate, bucketing));
    const timeframe = bucketing.timeframe.text;
    return {
      name: `${prefix}_${timeframe}`,
      source: finer ? `${prefix}_${finer.timeframe.text}` : def.source,
      timeframe,
      ...options,
      aggregates: finer ? continuedCandle(def) : candleOf(def),
      roles: rolesOf(def),
      ...(def.gaps === undefined ? {} : { gaps: def.gaps }),
    };
  });
}

function rolesOf({ price, volume, cumulativeVolume }: CandlesDef): Record<string, ColumnRole> {
  const sizes = [volume, cumulativeVolume].filter((name) => name !== undefined);
  return { ...Object.fromEntries(sizes.map((name) => [name, 'size' as const])), [price]: 'price' };
}

function candleOf({ price, volume, cumulativeVolume }: CandlesDef): RollupDef['aggregates'] {
  return [
    { name: 'open', fn: 'first', of: price },
    { name: 'high', fn: 'max', of: price },
    { name: 'low', fn: 'min', of: price },
    { name: 'close', fn: 'last', of: price },
    ...(volume === undefined ? [] : [{ name: 'volume', fn: 'sum', of: volume } as const]),
    ...(cumulativeVolume === undefined
      ? []
      : [
          { name: 'volume', fn: 'increase', of: cumulativeVolume } as const,
          { name: cumulativeVolume, fn: 'last', of: cumulativeVolume } as const,
        ]),
    ...(volume === undefined ? [] : [{ name: 'vwap', fn: 'vwap', of: price, weight: volume } as const]),
    { name: 'trades', fn: 'count' },
  ];
}

/** The same columns out of candles of a shorter timeframe. */
function continuedCandle(def: CandlesDef): RollupDef['aggregates'] {
  return candleOf(def).map((aggregate) => {
    if (aggregate.fn === 'count') return { name: aggregate.name, fn: 'sum', of: aggregate.name };
    if (aggregate.fn === 'vwap') return { ...aggregate, of: aggregate.name, weight: 'volume' };
    return { ...aggregate, of: aggregate.name };
  });
}
