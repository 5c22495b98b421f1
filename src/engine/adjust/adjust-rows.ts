/** Rows of ticks and bars tables in the terms of today. */
import type { ColumnData } from '../../market/columns.ts';
import type { RowsEntry } from '../catalog/catalog.ts';
import { floor256 } from '../read/range.ts';
import type { RowsRead } from '../read/read-rows.ts';
import { asDoubles } from '../rollup/slots.ts';
import type { Adjustment } from './adjustment.ts';
import { scaleDoubles } from './scale-bars.ts';

/** The row columns with prices and sizes scaled, each row by the factor of its date; those are doubles. */
export async function adjustRows(
  { table }: RowsEntry,
  { roles, dates, factors }: Adjustment,
  { series, timesNs, columns }: RowsRead,
): Promise<ColumnData[]> {
  const touched = new Set([...new Set(series)].filter((one) => factors.exDatesOf(one).length > 0));
  const dateAt = Float64Array.from(series, (one, row) =>
    touched.has(one) ? dates.dateOf(floor256(timesNs[row])) : Number.POSITIVE_INFINITY,
  );
  const earliest = new Map<number, number>();
  for (const [row, one] of series.entries())
    earliest.set(one, Math.min(earliest.get(one) ?? Number.POSITIVE_INFINITY, dateAt[row]));
  for (const [one, date] of earliest) await factors.prepare(one, date);
  const rowFactors = factors.ofRows(series, dateAt);
  return columns.map((column, i) => {
    const role = roles.get(table.rowColumns[i].index);
    if (!role) return column;
    const scaling = { price: role === 'price' ? 1 : 0, size: role === 'size' ? 1 : 0 };
    return { kind: 'double', values: scaleDoubles(asDoubles(column), scaling, rowFactors) };
  });
}
