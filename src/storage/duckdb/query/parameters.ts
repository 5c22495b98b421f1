import type { DuckDBPreparedStatement } from '@duckdb/node-api';
import { DuckDBDecimalValue } from '@duckdb/node-api';
import { CandelaError } from '../../../core/errors.ts';
import type { Scalar } from '../../../market/columns.ts';

/** Binds the values of a user's parameters, by position. Throws `INVALID_ARGUMENT` for a number no column holds. */
export function bindScalars(statement: DuckDBPreparedStatement, values: readonly Scalar[]): void {
  values.forEach((value, index) => {
    bindScalar(statement, index + 1, value);
  });
}

function bindScalar(statement: DuckDBPreparedStatement, position: number, value: Scalar): void {
  if (value === null) statement.bindNull(position);
  else if (typeof value === 'string') statement.bindVarchar(position, value);
  else if (typeof value === 'boolean') statement.bindBoolean(position, value);
  else if (typeof value === 'bigint') bindInteger(statement, position, value);
  // Whole numbers as integers: DuckDB would not take a double for a LIMIT or an index.
  else if (Number.isSafeInteger(value)) statement.bindBigInt(position, BigInt(value as number));
  else if (typeof value === 'number') statement.bindDouble(position, value);
  else {
    const width = Math.max(digitsOf(value.coefficient), value.scale);
    if (width > 38) throw tooLarge(position);
    statement.bindDecimal(position, new DuckDBDecimalValue(value.coefficient, width, value.scale));
  }
}

function bindInteger(statement: DuckDBPreparedStatement, position: number, value: bigint): void {
  if (BigInt.asIntN(64, value) === value) statement.bindBigInt(position, value);
  else if (BigInt.asIntN(128, value) === value) statement.bindHugeInt(position, value);
  else throw tooLarge(position);
}

function digitsOf(value: bigint): number {
  return String(value < 0n ? -value : value).length;
}

function tooLarge(position: number): CandelaError {
  return new CandelaError(
    'INVALID_ARGUMENT',
    `parameter ${position} has more digits than any number type holds`,
  );
}
