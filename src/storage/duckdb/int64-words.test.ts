import fc from 'fast-check';
import { expect, it } from 'vitest';
import { timeNsMax, timeNsMin } from '../../market/time.ts';
import { narrowToInt32, nsToUs, scaleInPlace, widenFromInt32 } from './int64-words.ts';

function floorDiv(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}

const edges = [
  timeNsMin,
  timeNsMax,
  0n,
  -1n,
  1n,
  999n,
  1000n,
  -1000n,
  2n ** 32n,
  -(2n ** 32n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const int64 = fc.oneof(fc.constantFrom(...edges), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));

it('cuts nanoseconds to microseconds as bigint arithmetic does', () => {
  fc.assert(
    fc.property(fc.array(int64, { minLength: 1 }), fc.nat(), (values, seed) => {
      const from = seed % values.length;
      const into = new BigInt64Array(values.length);
      nsToUs(BigInt64Array.from(values), from, values.length - from, into);
      const expected = values.slice(from).map((value) => floorDiv(value, 1000n));
      expect([...into.subarray(0, values.length - from)]).toEqual(expected);
    }),
  );
});

it('brings microseconds back to nanoseconds', () => {
  const micros = fc.bigInt(floorDiv(timeNsMin, 1000n), floorDiv(timeNsMax, 1000n));
  fc.assert(
    fc.property(fc.array(micros), (values) => {
      const scaled = BigInt64Array.from(values);
      scaleInPlace(scaled, 1000);
      expect([...scaled]).toEqual(values.map((value) => value * 1000n));
    }),
  );
});

it('narrows and widens 32-bit integers', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (values) => {
      const narrow = new Int32Array(values.length);
      narrowToInt32(BigInt64Array.from(values, BigInt), 0, values.length, narrow);
      expect([...narrow]).toEqual(values);
      const wide = new BigInt64Array(values.length + 1).fill(7n);
      widenFromInt32(narrow, wide, 1);
      expect([...wide]).toEqual([7n, ...values.map(BigInt)]);
    }),
  );
});
