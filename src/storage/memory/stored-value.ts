import { CandelaError } from '../../core/errors.ts';
import type { ColumnKind, Decimal, Scalar } from '../../market/columns.ts';
import type { StoredColumn } from '../storage.ts';

/** The kind of column in which values of a stored column travel. */
export function kindOf(column: StoredColumn): ColumnKind {
  switch (column.type.kind) {
    case 'int32':
      return 'int64';
    case 'json':
      return 'text';
    default:
      return column.type.kind;
  }
}

/** The value as the column keeps it: times cut to its unit, decimals at its scale. Throws `INVALID_ARGUMENT`. */
export function storedValue(column: StoredColumn, value: Scalar): Scalar {
  const { name, type, nullable } = column;
  if (value === null) {
    if (nullable) return null;
    throw new CandelaError('INVALID_ARGUMENT', `column '${name}' holds no nulls`);
  }
  if (type.kind === 'timestamp' && type.unit === 'us') return floorTo(value as bigint, 1000n);
  if (type.kind !== 'decimal') return value;
  return storedDecimal(name, value as Decimal, type.precision, type.scale ?? 0);
}

function storedDecimal(name: string, value: Decimal, precision: number | undefined, scale: number): Decimal {
  // Without a precision 18 digits before and 20 after the point fit, and the value keeps the scale it came with.
  const kept = atScale(value, precision === undefined ? 20 : scale);
  if (
    kept === undefined ||
    kept >= 10n ** BigInt(precision ?? 38) ||
    -kept >= 10n ** BigInt(precision ?? 38)
  ) {
    const { coefficient } = value;
    throw new CandelaError(
      'INVALID_ARGUMENT',
      `column '${name}': ${coefficient}e-${value.scale} does not fit`,
    );
  }
  return precision === undefined ? value : { coefficient: kept, scale };
}

/** The coefficient at another scale, or undefined where digits would be lost. */
function atScale({ coefficient, scale }: Decimal, to: number): bigint | undefined {
  if (to >= scale) return coefficient * 10n ** BigInt(to - scale);
  const divisor = 10n ** BigInt(scale - to);
  return coefficient % divisor === 0n ? coefficient / divisor : undefined;
}

/** Are two stored values the same? Nulls are. */
export function sameValue(a: Scalar, b: Scalar): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const scale = Math.max(a.scale, b.scale);
  return atScale(a, scale) === atScale(b, scale);
}

function floorTo(value: bigint, unit: bigint): bigint {
  const rest = ((value % unit) + unit) % unit;
  return value - rest;
}
