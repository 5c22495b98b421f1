/** Bars that others published, as rows to expect of the engine, and how many of them it gives. */
import type { Decimal, Scalar } from '../../src/market/columns.ts';
import type { Aggregate } from '../../src/market/schema.ts';
import { formatTimeNs } from '../../src/market/time.ts';

/** Column types in short. */
export const double = { kind: 'double' } as const;
/** As {@link double}. */
export const decimal = { kind: 'decimal' } as const;

/** Unix times in nanoseconds. */
export const seconds = (text: string | number): bigint => BigInt(text) * 1_000_000_000n;
/** As {@link seconds}. */
export const millis = (text: string | number): bigint => BigInt(text) * 1_000_000n;

/** `20190201093002` (or fewer digits) at a fixed distance from UTC. */
export function timeOfDigits(digits: string, offsetHours: number): bigint {
  const [year, month, day, hour = 0, minute = 0, second = 0] = (
    /^(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?$/.exec(digits)?.slice(1) ?? []
  ).map((part) => Number(part ?? 0));
  return millis(Date.UTC(year, month - 1, day, hour - offsetHours, minute, second));
}

/** A decimal as it is written. */
export function decimalOf(text: string): Decimal {
  const [whole, fraction = ''] = text.split('.');
  return { coefficient: BigInt(whole + fraction), scale: fraction.length };
}

/** A decimal of a file that holds it with float noise. */
export function roundedDecimal(text: string, digits: number): Decimal {
  return decimalOf(Number(text).toFixed(digits));
}

/** Open, high, low and close of a column of prices. */
export function candle(of: string, prefix = ''): Aggregate[] {
  return [
    { name: `${prefix}open`, fn: 'first', of },
    { name: `${prefix}high`, fn: 'max', of },
    { name: `${prefix}low`, fn: 'min', of },
    { name: `${prefix}close`, fn: 'last', of },
  ];
}

/** A bar made of shorter bars, which have the columns open, high, low and close, each with the prefix. */
export function candleOfCandles(prefix = ''): Aggregate[] {
  return [
    { name: `${prefix}open`, fn: 'first', of: `${prefix}open` },
    { name: `${prefix}high`, fn: 'max', of: `${prefix}high` },
    { name: `${prefix}low`, fn: 'min', of: `${prefix}low` },
    { name: `${prefix}close`, fn: 'last', of: `${prefix}close` },
  ];
}

/** How the published bars were met. */
export interface Comparison {
  published: number;
  /** Those that the engine gave with every value equal … */
  exact: number;
  /** … and the start of each other one, with its symbol where there is one. */
  misses: string[];
  /** Equal values, value by value. */
  equal: number[];
}

/** What tells bars apart, and what counts as equal. */
export interface ComparisonOptions {
  /** Leading values that say which bar it is: 1 for its start, 2 for start and symbol. */
  keys?: number;
  /** Doubles may differ by so much of their size, numbers of all kinds by so much. */
  relative?: number;
  absolute?: number;
}

/** Compares bars with the published ones; bars that nobody published do not count. */
export function compare(
  bars: readonly Scalar[][],
  published: readonly Scalar[][],
  { keys = 1, relative = 0, absolute = 0 }: ComparisonOptions = {},
): Comparison {
  const keyOf = (row: readonly Scalar[]): string => row.slice(0, keys).map(String).join(' ');
  const given = new Map(bars.map((row) => [keyOf(row), row]));
  const misses: string[] = [];
  const equal: number[] = Array(published[0].length - keys).fill(0);
  for (const wanted of published) {
    const found = given.get(keyOf(wanted));
    const isEqual = wanted.slice(keys).map((value, i) => found && isSame(found[keys + i], value));
    isEqual.forEach((is, i) => {
      if (is) equal[i]++;
    });
    if (isEqual.every(Boolean)) continue;
    misses.push([formatTimeNs(wanted[0] as bigint), ...wanted.slice(1, keys)].join(' '));
  }
  return { published: published.length, exact: published.length - misses.length, misses, equal };

  function isSame(a: Scalar, b: Scalar): boolean {
    if (absolute > 0) return Math.abs(numberOf(a) - numberOf(b)) <= absolute;
    if (typeof a !== 'number' || typeof b !== 'number') return trimmed(a) === trimmed(b);
    return Math.abs(a - b) <= relative * Math.abs(b);
  }
}

/** A number of any kind as a double. */
export function numberOf(value: Scalar): number {
  if (typeof value !== 'object' || value === null) return value === null ? Number.NaN : Number(value);
  return Number(value.coefficient) / 10 ** value.scale;
}

/** Without zeros at the end, so that equal numbers are equal. */
function trimmed(value: Scalar): string {
  if (typeof value !== 'object' || value === null) return String(value);
  let { coefficient, scale } = value;
  for (; scale > 0 && coefficient % 10n === 0n; scale--) coefficient /= 10n;
  return `${coefficient}e-${scale}`;
}
