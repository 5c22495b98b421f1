import fc from 'fast-check';
import { expect, it } from 'vitest';
import { timeNsMax, timeNsMin } from '../market/time.ts';
import { nanosOf, putInteger, putSecondsNanos, secondsOf, wordsOf } from './time-words.ts';

it('stores seconds and nanos as one 64-bit integer', () => {
  const check = (seconds: number, nanos: number) => {
    const values = new BigInt64Array(3);
    putSecondsNanos(wordsOf(values), 1, seconds, nanos);
    expect(values).toEqual(BigInt64Array.of(0n, BigInt(seconds) * 1_000_000_000n + BigInt(nanos), 0n));
  };
  check(0, 0);
  check(4, 294_967_296);
  check(9_223_372_035, 999_999_999);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_223_372_035 }), fc.integer({ min: 0, max: 999_999_999 }), check),
  );
});

it('stores whole numbers of both signs', () => {
  const check = (value: number) => {
    const values = new BigInt64Array(1);
    putInteger(wordsOf(values), 0, value);
    expect(values[0]).toBe(BigInt(value));
  };
  for (const value of [0, -1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53) + 1]) check(value);
  fc.assert(fc.property(fc.maxSafeInteger(), check));
});

it('splits any accepted time into seconds, rounded down, and the rest', () => {
  const check = (ns: bigint) => {
    const words = wordsOf(BigInt64Array.of(ns));
    const seconds = secondsOf(words, 0);
    const nanos = nanosOf(words, 0, seconds);
    expect(nanos).toBeGreaterThanOrEqual(0);
    expect(nanos).toBeLessThan(1e9);
    expect(BigInt(seconds) * 1_000_000_000n + BigInt(nanos)).toBe(ns);
  };
  for (const ns of [timeNsMin, -1n, 0n, 999_999_999n, 1_000_000_000n, timeNsMax]) check(ns);
  fc.assert(fc.property(fc.bigInt({ min: timeNsMin, max: timeNsMax }), check), { numRuns: 2000 });
  // Whole seconds are where a rounded division goes wrong.
  fc.assert(
    fc.property(
      fc.bigInt({ min: -9_214_560_000n, max: 9_214_646_399n }),
      fc.integer({ min: -1, max: 1 }),
      (s, d) => check(s * 1_000_000_000n + BigInt(d)),
    ),
    { numRuns: 2000 },
  );
});
