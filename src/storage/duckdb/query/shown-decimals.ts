import type { ColumnData } from '../../../market/columns.ts';
import { unboundedScale } from '../types.ts';
import type { ResultPlan } from './result-types.ts';

/** Together they take off any number of zeros up to 31, each asked once. */
const steps = [16, 8, 4, 2, 1].map((digits) => ({ digits, divisor: 10n ** BigInt(digits) }));

/**
 * A column of a result as it is shown. Decimals without a declared scale are kept at the largest there is, and SQL
 * cannot tell what each was written with: they are shown with no zeros at their end.
 */
export function shown(column: ColumnData, { form }: ResultPlan): ColumnData {
  const isUnbounded = form.kind === 'decimal' && form.precision === 38 && form.scale === unboundedScale;
  if (column.kind !== 'decimal' || !isUnbounded) return column;
  const coefficients = [...column.coefficients];
  const scales = column.scales.slice();
  for (let row = 0; row < coefficients.length; row++) {
    for (const { digits, divisor } of steps) {
      if (scales[row] < digits || coefficients[row] % divisor !== 0n) continue;
      coefficients[row] /= divisor;
      scales[row] -= digits;
    }
  }
  return { ...column, coefficients, scales };
}
