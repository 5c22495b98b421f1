/**
 * Bars the slow and obvious way: all ticks in a list, a Map from (bucket, group) to its ticks, a loop per aggregate.
 * It shares no code with the engine's rollups, so that it can say what their bars should be. What each aggregate
 * means is written at `Aggregate` in `market/schema.ts`.
 */
import type { Decimal, Scalar } from '../market/columns.ts';
import type { Aggregate } from '../market/schema.ts';
import type { NaiveBucket } from './naive-buckets.ts';
import { naiveBucket } from './naive-buckets.ts';
import type { NaiveMarket } from './naive-sessions.ts';
import { naiveSessionBucket } from './naive-sessions.ts';

/** One tick: its time, its place in the order of arrival, and its values by column name (absent means null). */
export interface NaiveTick {
  timeNs: bigint;
  arrival: number;
  values: Record<string, Scalar>;
}

/** What bars to make. `of` and `weight` name columns of the ticks. */
export interface NaiveRollup {
  timeframe: string;
  /** Whose days and sessions its buckets follow; absent: those of UTC. */
  market?: NaiveMarket | undefined;
  groupBy: string[];
  aggregates: Aggregate[];
}

/** One bar: its bucket, the values of the group columns, one value per aggregate. */
export interface NaiveBar {
  startNs: bigint;
  endNs: bigint;
  group: Scalar[];
  values: Scalar[];
}

/** All bars, by bucket start; bars of one bucket stand in the order in which their groups' first ticks arrived. */
export function naiveBars(ticks: readonly NaiveTick[], rollup: NaiveRollup): NaiveBar[] {
  const members = new Map<string, { bucket: NaiveBucket; ticks: NaiveTick[] }>();
  for (const tick of [...ticks].sort((a, b) => a.arrival - b.arrival)) {
    const bucket = bucketOf(tick, rollup);
    // Outside every session it is in no bar.
    if (!bucket) continue;
    const key = scalarText([bucket.startNs, ...groupOf(tick, rollup)]);
    const present = members.get(key);
    if (present) present.ticks.push(tick);
    else members.set(key, { bucket, ticks: [tick] });
  }
  const buckets = [...members.values()].sort((a, b) => compareScalars(a.bucket.startNs, b.bucket.startNs));
  const before = new Map<string, NaiveTick[]>();
  return buckets.map(({ bucket, ticks: inBucket }) => {
    inBucket.sort(byTime);
    const group = groupOf(inBucket[0], rollup);
    const text = scalarText(group);
    const values = rollup.aggregates.map((aggregate) =>
      naiveAggregate(aggregate, inBucket, before.get(text)),
    );
    before.set(text, inBucket);
    return { ...bucket, group, values };
  });
}

function bucketOf({ timeNs }: NaiveTick, { timeframe, market }: NaiveRollup): NaiveBucket | null {
  return market ? naiveSessionBucket(market, timeframe, timeNs) : naiveBucket(timeframe, timeNs);
}

function groupOf(tick: NaiveTick, { groupBy }: NaiveRollup): Scalar[] {
  return groupBy.map((name) => tick.values[name] ?? null);
}

/** Earlier times first; equal times in the order of arrival. */
function byTime(a: NaiveTick, b: NaiveTick): number {
  return compareScalars(a.timeNs, b.timeNs) || a.arrival - b.arrival;
}

/** One aggregate over the ticks of a bar in the order of time; `before` are those of the group's bar before. */
function naiveAggregate(
  aggregate: Aggregate,
  ticks: readonly NaiveTick[],
  before: readonly NaiveTick[] | undefined,
): Scalar {
  const first = ticks[0];
  const last = ticks[ticks.length - 1];
  switch (aggregate.fn) {
    case 'first-time':
      return first.timeNs;
    case 'last-time':
      return last.timeNs;
    case 'first':
      return fieldOf(first, aggregate.of);
    case 'last':
      return fieldOf(last, aggregate.of);
    case 'increase': {
      const lastBefore = before ? fieldOf(before[before.length - 1], aggregate.of) : null;
      return growth(lastBefore ?? fieldOf(first, aggregate.of), fieldOf(last, aggregate.of));
    }
    case 'vwap':
      return vwap(ticks.map((tick) => [fieldOf(tick, aggregate.of), fieldOf(tick, aggregate.weight)]));
    default:
      return overPresent(aggregate, ticks);
  }
}

function fieldOf(tick: NaiveTick, name: string): Scalar {
  return tick.values[name] ?? null;
}

/** The aggregates that pass over nulls. */
function overPresent({ fn, of }: { fn: Aggregate['fn']; of?: string }, ticks: readonly NaiveTick[]): Scalar {
  if (of === undefined) return BigInt(ticks.length);
  const present = ticks.map((tick) => fieldOf(tick, of)).filter((value) => value !== null);
  if (fn === 'count') return BigInt(present.length);
  if (present.length === 0) return null;
  if (fn === 'min') return present.reduce((best, value) => extreme(best, value, -1));
  if (fn === 'max') return present.reduce((best, value) => extreme(best, value, 1));
  return fn === 'sum' ? shownSum(sumOf(present)) : toNumber(sumOf(present)) / present.length;
}

/** The growth of a counter, which began anew if it fell. */
function growth(from: Scalar, to: Scalar): Scalar {
  if (from === null || to === null) return null;
  return toNumber(to) < toNumber(from) ? toNumber(to) : toNumber(to) - toNumber(from);
}

function vwap(pairs: [Scalar, Scalar][]): Scalar {
  let products = 0;
  let weights = 0;
  for (const [value, weight] of pairs) {
    if (value === null || weight === null) continue;
    products += toNumber(value) * toNumber(weight);
    weights += toNumber(weight);
  }
  return weights === 0 ? null : products / weights;
}

/** The smaller (sign -1) or the greater (1) of two values; of equal decimals the one written with more digits. */
function extreme<T extends Scalar>(a: T, b: T, sign: 1 | -1): T {
  const order = sign * compareScalars(b, a);
  return order > 0 || (order === 0 && digitsOf(b) > digitsOf(a)) ? b : a;
}

function digitsOf(value: Scalar): number {
  return isDecimal(value) ? value.scale : 0;
}

/** Negative, zero or positive as `a` is below, equal to or above `b`; both of one kind and not null. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (isDecimal(a) && isDecimal(b)) {
    const left = a.coefficient * 10n ** BigInt(b.scale);
    const right = b.coefficient * 10n ** BigInt(a.scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const [left, right] = [a as bigint, b as bigint];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sumOf(values: readonly Scalar[]): number | bigint | Decimal {
  const [first] = values;
  if (isDecimal(first)) {
    const decimals = values as readonly Decimal[];
    const scale = decimals.reduce((most, value) => Math.max(most, value.scale), 0);
    const coefficient = decimals.reduce(
      (sum, value) => sum + value.coefficient * 10n ** BigInt(scale - value.scale),
      0n,
    );
    return { coefficient, scale };
  }
  if (typeof first === 'bigint') return (values as readonly bigint[]).reduce((sum, value) => sum + value, 0n);
  return (values as readonly number[]).reduce((sum, value) => sum + value, 0);
}

/** An int64 column cannot show a sum beyond 64 bits. */
function shownSum(sum: number | bigint | Decimal): Scalar {
  return typeof sum === 'bigint' && BigInt.asIntN(64, sum) !== sum ? null : sum;
}

function isDecimal(value: Scalar): value is Decimal {
  return typeof value === 'object' && value !== null;
}

function toNumber(value: Scalar): number {
  return isDecimal(value) ? Number(value.coefficient) / 10 ** value.scale : Number(value);
}

/** A text that is equal for equal values and different for different ones. */
export function scalarText(values: readonly Scalar[]): string {
  return JSON.stringify(
    values.map((value) => {
      if (isDecimal(value)) return `decimal ${value.coefficient}e-${value.scale}`;
      if (typeof value === 'bigint') return `bigint ${value}`;
      return typeof value === 'string' ? `text ${value}` : value;
    }),
  );
}
