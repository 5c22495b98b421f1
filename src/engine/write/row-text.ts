import { type ColumnData, type Scalar, valueAt } from '../../market/columns.ts';

/** The values of a row in the columns named as text: equal where the values are, decimals by value. */
export function textOf(
  columns: readonly (ColumnData | undefined)[],
  positions: readonly number[],
  row: number,
): string {
  let text = '';
  for (const position of positions) {
    const column = columns[position];
    text += `${scalarText(column ? valueAt(column, row) : null)}\u0000`;
  }
  return text;
}

function scalarText(value: Scalar): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return `=${String(value)}`;
  let { coefficient, scale } = value;
  for (; scale > 0 && coefficient % 10n === 0n; scale--) coefficient /= 10n;
  return `=${coefficient}e${scale}`;
}
