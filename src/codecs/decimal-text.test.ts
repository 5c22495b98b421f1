import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatDecimal, parseDecimal } from './decimal-text.ts';

it('reads digits as written', () => {
  const check = (text: string, coefficient: bigint, scale: number) =>
    expect(parseDecimal(text)).toEqual({ coefficient, scale });
  check('1.10', 110n, 2);
  check('-0.05', -5n, 2);
  check('+7', 7n, 0);
  check('.5', 5n, 1);
  check('5.', 5n, 0);
  check('1e-8', 1n, 8);
  check('1.5E3', 1500n, 0);
  check('1.2345e2', 12345n, 2);
  check('000123', 123n, 0);
  check('99999999999999999999999999999999999999', 99999999999999999999999999999999999999n, 0);
});

it('knows what is not a number of at most 38 digits', () => {
  const check = (text: string) => expect(parseDecimal(text), text).toBeUndefined();
  for (const text of ['', '.', '-', 'abc', '1,5', '0x10', '1.2.3', ' 1', 'NaN', 'Infinity', '1e', '--1'])
    check(text);
  check('1e38');
  check('1e-39');
  check('999999999999999999999999999999999999999');
  check('1e99999');
});

it('formats what it reads', () => {
  expect(formatDecimal(110n, 2)).toBe('1.10');
  expect(formatDecimal(-5n, 2)).toBe('-0.05');
  expect(formatDecimal(5n, 0)).toBe('5');
  expect(formatDecimal(0n, 3)).toBe('0.000');
  const limit = 10n ** 38n - 1n;
  fc.assert(
    fc.property(
      fc.bigInt({ min: -limit, max: limit }),
      fc.integer({ min: 0, max: 37 }),
      (coefficient, scale) => {
        expect(parseDecimal(formatDecimal(coefficient, scale))).toEqual({ coefficient, scale });
      },
    ),
  );
});
