/** The columns that random tables are made of: their types, and random values to write into them. */
import type { Prng } from '../../src/core/prng.ts';
import type { Decimal, Scalar } from '../../src/market/columns.ts';
import type { ColumnDef, ColumnType } from '../../src/market/schema.ts';

/** One element, each as likely as another. */
export function pick<T>(prng: Prng, from: readonly T[]): T {
  return from[prng.below(from.length)];
}

/** True with the probability given. */
export function chance(prng: Prng, probability: number): boolean {
  return prng.next() < probability;
}

/** How a column is filled. */
export interface RandomColumn {
  name: string;
  type: ColumnType;
  value(prng: Prng): Scalar;
}

/** Are doubles to sum exactly (multiples of 1/1024), or to be any? */
export type Doubles = 'exact' | 'any';

const int64Max = 2n ** 63n - 1n;

function decimal(coefficient: number, scale: number): Decimal {
  return { coefficient: BigInt(coefficient), scale };
}

/** Multiples of 1/16 are exact as doubles too, so that a vwap over them can be compared exactly. */
function sixteenths(prng: Prng): Decimal {
  const quarters = prng.below(4000) - 1000;
  return pick(prng, [
    decimal(quarters * 625, 4),
    decimal(quarters * 25, 2),
    decimal(prng.below(500), 0),
    decimal(prng.below(500) * 10, 1),
  ]);
}

/** The columns a table may have beside time and series key. `price` never is null. */
export function randomColumns(prng: Prng, doubles: Doubles): RandomColumn[] {
  const double = (limit: number): number =>
    doubles === 'exact' ? prng.below(limit * 1024) / 1024 : prng.next() * limit;
  return [
    { name: 'price', type: { kind: 'double' }, value: () => double(500) },
    { name: 'size', type: { kind: 'double' }, value: () => (chance(prng, 0.1) ? 0 : double(20)) },
    { name: 'lots', type: { kind: 'int64' }, value: () => BigInt(prng.below(100)) },
    {
      name: 'huge',
      type: { kind: 'int64' },
      value: () => (chance(prng, 0.5) ? 1n : -1n) * (int64Max - BigInt(prng.below(1000))),
    },
    { name: 'amount', type: { kind: 'decimal', precision: 18, scale: 4 }, value: () => sixteenths(prng) },
    { name: 'exact', type: { kind: 'decimal' }, value: () => sixteenths(prng) },
    { name: 'note', type: { kind: 'text' }, value: () => pick(prng, ['', 'x', 'ÄÖ', '東', '🕯️', 'x y']) },
    { name: 'flag', type: { kind: 'boolean' }, value: () => chance(prng, 0.5) },
    { name: 'doc', type: { kind: 'json' }, value: () => `{"n": ${prng.below(9)}}` },
    {
      name: 'seen',
      type: { kind: 'timestamp', unit: pick(prng, ['us', 'ns'] as const), zone: chance(prng, 0.5) },
      value: () => BigInt(prng.below(2_000_000_000)) * 1_000_000_001n - 10n ** 18n,
    },
    { name: 'venue', type: { kind: 'text' }, value: () => pick(prng, ['A', 'B', 'C*']) },
    { name: 'desk', type: { kind: 'int64' }, value: () => BigInt(prng.below(3)) - 1n },
    { name: 'total', type: pick(prng, counterTypes), value: () => null },
  ];
}

const counterTypes: ColumnType[] = [
  { kind: 'double' },
  { kind: 'int64' },
  { kind: 'decimal', precision: 18, scale: 4 },
  { kind: 'decimal' },
];

/** The value of a running counter in the form of the column. */
export function counterValue(type: ColumnType, count: number): Scalar {
  if (type.kind === 'int64') return BigInt(count);
  return type.kind === 'decimal' ? decimal(count * 5, 1) : count;
}

/** Key columns: text and int64. */
export function randomKey(prng: Prng): { columns: ColumnDef[]; values: Scalar[][] } {
  const text: ColumnDef = { name: 'symbol', type: { kind: 'text' } };
  const number: ColumnDef = { name: 'contract', type: { kind: 'int64' } };
  const texts = ['AAPL', 'AAA', 'B', 'btc/usd', 'Zürich', ''].slice(0, 1 + prng.below(6));
  const numbers = [1n, -7n, 118n, 1187n, 2n ** 62n].slice(0, 1 + prng.below(5));
  switch (prng.below(4)) {
    case 0:
      return { columns: [], values: [[]] };
    case 1:
      return { columns: [number], values: numbers.map((value) => [value]) };
    case 2: {
      const values = texts.flatMap((one) => numbers.map((other) => [one, other]));
      return { columns: [text, number], values };
    }
    default:
      return { columns: [text], values: texts.map((value) => [value]) };
  }
}

/** The value as a table gives it back: times cut to the column's unit, decimals at the column's scale. */
export function asStored(type: ColumnType, value: Scalar): Scalar {
  if (value === null) return null;
  if (type.kind === 'timestamp' && type.unit === 'us') return floorTo(value as bigint, 1000n);
  if (type.kind !== 'decimal' || type.scale === undefined) return value;
  const { coefficient, scale } = value as Decimal;
  return { coefficient: (coefficient * 10n ** BigInt(type.scale)) / 10n ** BigInt(scale), scale: type.scale };
}

function floorTo(value: bigint, unit: bigint): bigint {
  return value - (((value % unit) + unit) % unit);
}
