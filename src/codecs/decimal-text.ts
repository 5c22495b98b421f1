import type { Decimal } from '../market/columns.ts';

/**
 * Digits of the largest coefficient and the largest scale accepted: what DuckDB's and Arrow's 128-bit decimals
 * hold.
 */
export const decimalDigitsMax = 38;

const decimalPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,5}))?$/;

/**
 * The exact value of `12.50`, `-.5`, `1e-8`; trailing zeros count (`1.10` has scale 2). Undefined when the text is not
 * a number, or needs more than {@link decimalDigitsMax} digits on either side.
 */
export function parseDecimal(text: string): Decimal | undefined {
  const parts = decimalPattern.exec(text);
  if (!parts) return undefined;
  const [, sign, whole, fraction = '', exponentText = '0'] = parts;
  if (whole.length + fraction.length === 0) return undefined;
  const exponent = Number(exponentText);
  const digits = (whole + fraction).replace(/^0+(?=.)/, '');
  const scale = Math.max(0, fraction.length - exponent);
  const zeros = Math.max(0, exponent - fraction.length);
  if (scale > decimalDigitsMax || digits.length + zeros > decimalDigitsMax) return undefined;
  const magnitude = BigInt(digits + '0'.repeat(zeros));
  return { coefficient: sign === '-' ? -magnitude : magnitude, scale };
}

/** Plain digits with exactly `scale` decimals: `1.10`, `-0.05`. */
export function formatDecimal(coefficient: bigint, scale: number): string {
  if (scale === 0) return coefficient.toString();
  const negative = coefficient < 0n;
  const digits = (negative ? -coefficient : coefficient).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
