/**
 * Buckets the slow and obvious way: bigints and the calendar of `Date`, sharing no code with `market/timeframe.ts`.
 */

/** A bucket, start inclusive and end exclusive. */
export interface NaiveBucket {
  startNs: bigint;
  endNs: bigint;
}

const unitNs: Record<string, bigint> = {
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};

/** 1970-01-05 was a Monday. */
const firstMondayNs = 4n * 86_400_000_000_000n;

/** The bucket of a timeframe (`100ms`, `5m`, `2w`, `3mo`, `1y`) that holds a time. */
export function naiveBucket(timeframe: string, timeNs: bigint): NaiveBucket {
  const [, digits = '', unit = ''] = /^(\d+)([a-z]+)$/.exec(timeframe) ?? [];
  const count = BigInt(digits);
  if (unit === 'mo') return monthBucket(count, timeNs);
  if (unit === 'y') return monthBucket(12n * count, timeNs);
  const widthNs = count * unitNs[unit];
  const originNs = unit === 'w' ? firstMondayNs : 0n;
  const startNs = floorDivide(timeNs - originNs, widthNs) * widthNs + originNs;
  return { startNs, endNs: startNs + widthNs };
}

/** Buckets of `months` calendar months in UTC, counted from January 1970. */
function monthBucket(months: bigint, timeNs: bigint): NaiveBucket {
  const date = new Date(Number(floorDivide(timeNs, 1_000_000n)));
  const monthsSince1970 = BigInt((date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth());
  const first = floorDivide(monthsSince1970, months) * months;
  return { startNs: monthStartNs(first), endNs: monthStartNs(first + months) };
}

function monthStartNs(monthsSince1970: bigint): bigint {
  const date = new Date(0);
  date.setUTCMonth(Number(monthsSince1970));
  return BigInt(date.getTime()) * 1_000_000n;
}

/** The quotient rounded towards minus infinity. */
function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend < quotient * divisor ? quotient - 1n : quotient;
}
